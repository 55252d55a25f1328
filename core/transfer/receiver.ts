/**
 * A receive: walks the manifest's events in order, takes each run out of the pack stream, decompresses and verifies it,
 * and only then writes. Files are written one after the other, each from its first byte to its last.
 *
 * @module
 */
import { Failure } from "../failure.ts";
import type { Entry } from "../manifest/entry.ts";
import type { Clock } from "../ports/clock.ts";
import type { FileWriter, Sink } from "../ports/sink.ts";
import { MIB } from "../units.ts";
import type { Expander } from "./batch.ts";
import type { Gate } from "./gate.ts";
import type { PackWindow } from "./pack-window.ts";
import type { PageFeed } from "./page-feed.ts";
import type { Progress } from "./progress.ts";

/** Plaintext bytes that are being expanded or wait to be written. */
const EXPANDED_BYTES = 8 * MIB;

/** Consecutive chunks of one run that go into one entry. */
interface Task {
  readonly entry: number;
  /** Byte range in the run's plaintext. */
  readonly from: number;
  readonly to: number;
  readonly plain: Promise<Uint8Array<ArrayBuffer>>;
  readonly runBytes: number;
}

/** The end of an entry. */
interface End {
  readonly entry: number;
}

export interface ReceiverParts {
  readonly feed: PageFeed;
  readonly packs: PackWindow;
  readonly expander: Expander;
  readonly sink: Sink;
  readonly clock: Clock;
  readonly progress: Progress;
  readonly gate: Gate;
  /** Title for an archive. */
  readonly title: string;
}

export class Receiver {
  readonly #parts: ReceiverParts;
  readonly #queue: (Task | End)[] = [];
  #queuedBytes = 0;
  /** The run that the last task was cut from; small files share runs. */
  #lastRun: { index: number; plain: Promise<Uint8Array<ArrayBuffer>> } | undefined;
  #writer: FileWriter | undefined;

  constructor(parts: ReceiverParts) {
    this.#parts = parts;
  }

  /** Receives everything. Resolves when the sink has finished. On failure the sink was aborted. @throws Failure */
  async run(): Promise<void> {
    const { feed, sink, title, progress } = this.#parts;
    try {
      await feed.until(() => feed.manifest.listed);
      await sink.begin({ entries: feed.manifest.entries, closed: true, totalBytes: feed.manifest.totalBytes, title });
      progress.run();
      for (let event = await feed.nextEvent(); event !== undefined; event = await feed.nextEvent()) {
        if (event.kind === "extent") await this.#extent(event.entry, event.firstChunk, event.chunks);
        else await this.#push({ entry: event.entry }, 0);
      }
      while (this.#queue.length > 0) await this.#writeNext();
      await sink.finish();
    } catch (error) {
      await this.#writer?.abort();
      await sink.abort(error instanceof Failure ? error.code : "sink/failed");
      throw error;
    }
  }

  /** Cuts an extent at run borders into tasks. */
  async #extent(entry: number, firstChunk: number, chunks: number): Promise<void> {
    const { manifest } = this.#parts.feed;
    for (let chunk = firstChunk; chunk < firstChunk + chunks; ) {
      const runIndex = manifest.runOf(chunk);
      const run = manifest.run(runIndex);
      const end = Math.min(firstChunk + chunks, run.firstChunk + run.chunks);
      let from = 0;
      for (let before = run.firstChunk; before < chunk; before++) from += manifest.chunkBytes(before);
      let to = from;
      for (; chunk < end; chunk++) to += manifest.chunkBytes(chunk);
      await this.#push({ entry, from, to, plain: this.#expanded(runIndex), runBytes: run.plainBytes }, run.plainBytes);
    }
  }

  async #push(task: Task | End, bytes: number): Promise<void> {
    this.#queue.push(task);
    this.#queuedBytes += bytes;
    while (this.#queuedBytes > EXPANDED_BYTES || this.#queue.length > 256) await this.#writeNext();
  }

  #expanded(index: number): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#lastRun?.index !== index) {
      const plain = this.#expand(index);
      plain.catch(() => {}); // met in order by #writeNext
      this.#lastRun = { index, plain };
    }
    return this.#lastRun.plain;
  }

  async #expand(index: number): Promise<Uint8Array<ArrayBuffer>> {
    const { feed, packs, expander } = this.#parts;
    const run = feed.manifest.run(index);
    const ends = new Uint32Array(run.chunks);
    let end = 0;
    for (let i = 0; i < run.chunks; i++) {
      end += feed.manifest.chunkBytes(run.firstChunk + i);
      ends[i] = end;
    }
    const hashes = feed.manifest.chunkHashes(run.firstChunk, run.chunks).slice();
    const stored = await packs.read(run.start, run.storedBytes);
    return expander.expand(stored, run.codec, ends, hashes);
  }

  async #writeNext(): Promise<void> {
    const { gate, clock, progress } = this.#parts;
    const task = this.#queue.shift();
    if (task === undefined) return;
    await gate.pass();
    if (!("plain" in task)) {
      await this.#end(task.entry);
      return;
    }
    this.#queuedBytes -= task.runBytes;
    const asked = clock.now();
    const plain = await task.plain;
    const arrived = clock.now();
    progress.spent("network", arrived - asked, arrived);
    this.#writer ??= await this.#open(task.entry);
    await this.#writer.write(this.#cut(plain, task));
    progress.spent("writing", clock.now() - arrived, clock.now());
    progress.bytesDone += task.to - task.from;
  }

  /** Sinks take what they write; a run that several tasks share is copied. */
  #cut(plain: Uint8Array<ArrayBuffer>, task: Task): Uint8Array<ArrayBuffer> {
    if (task.from > 0 || task.to < plain.length) return plain.slice(task.from, task.to);
    if (this.#lastRun?.plain === task.plain) this.#lastRun = undefined;
    return plain;
  }

  async #end(index: number): Promise<void> {
    const { sink, progress } = this.#parts;
    const entry = this.#entry(index);
    if (entry.kind === "directory") await sink.createDirectory(entry);
    else {
      const writer = this.#writer ?? (await this.#open(index));
      await writer.close();
      this.#writer = undefined;
    }
    progress.entriesDone += 1;
  }

  #open(index: number): Promise<FileWriter> {
    return this.#parts.sink.openFile(this.#entry(index));
  }

  #entry(index: number): Entry {
    const entry = this.#parts.feed.manifest.entries[index];
    if (entry === undefined) throw new RangeError("entry index");
    return entry;
  }
}
