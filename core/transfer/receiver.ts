/**
 * A receive: walks the manifest's events in order, takes each run out of the pack stream, decompresses and verifies it,
 * and only then writes. Files are written one after the other, each from its first byte to its last.
 *
 * @module
 */
import { deferred } from "../edge/deferred.ts";
import { Failure } from "../failure.ts";
import { MerkleBuilder } from "../hash/merkle.ts";
import type { Entry } from "../manifest/entry.ts";
import type { Clock } from "../ports/clock.ts";
import type { FileWriter, Sink } from "../ports/sink.ts";
import { MIB } from "../units.ts";
import { equalBytes } from "../wire/codec.ts";
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
  readonly firstChunk: number;
  readonly chunks: number;
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

/** What a receive works with. */
export interface ReceiverParts {
  readonly feed: PageFeed;
  readonly packs: PackWindow;
  readonly expander: Expander;
  readonly sink: Sink;
  readonly clock: Clock;
  readonly progress: Progress;
  readonly gate: Gate;
  /** Aborting it ends the receive with `cancelled`, also while it is paused or a sink does not take more. */
  readonly signal?: AbortSignal;
  /** Title for an archive. */
  readonly title: string;
}

/** One receive into one sink. */
export class Receiver {
  readonly #parts: ReceiverParts;
  readonly #queue: (Task | End)[] = [];
  #queuedBytes = 0;
  /** The run that the last task was cut from; small files share runs. */
  #lastRun: { index: number; plain: Promise<Uint8Array<ArrayBuffer>> } | undefined;
  #writer: FileWriter | undefined;
  /** Of the entry that is being written. */
  #writtenBytes = 0;
  #tree = new MerkleBuilder("chunks");

  constructor(parts: ReceiverParts) {
    this.#parts = parts;
  }

  /** Receives everything. Resolves when the sink has finished. On failure the sink was aborted. @throws Failure */
  async run(): Promise<void> {
    const { sink, signal } = this.#parts;
    try {
      await unlessAborted(this.#receive(), signal);
    } catch (error) {
      await this.#writer?.abort();
      await sink.abort(error instanceof Failure ? error.code : "sink/failed");
      throw error;
    }
  }

  async #receive(): Promise<void> {
    const { feed, sink, title, progress } = this.#parts;
    await feed.until(() => feed.manifest.listed);
    this.#assertGoing();
    await sink.begin({ entries: feed.manifest.entries, closed: true, totalBytes: feed.manifest.totalBytes, title });
    progress.run();
    for (let event = await feed.nextEvent(); event !== undefined; event = await feed.nextEvent()) {
      if (event.kind === "extent") await this.#extent(event.entry, event.firstChunk, event.chunks);
      else await this.#push({ entry: event.entry }, 0);
    }
    while (this.#queue.length > 0) await this.#writeNext();
    await this.#parts.gate.pass();
    this.#assertGoing();
    await sink.finish();
  }

  #assertGoing(): void {
    if (this.#parts.signal?.aborted) throw new Failure("cancelled");
  }

  /** Cuts an extent at run borders into tasks. */
  async #extent(entry: number, firstChunk: number, chunks: number): Promise<void> {
    const { manifest } = this.#parts.feed;
    for (let chunk = firstChunk; chunk < firstChunk + chunks; ) {
      const runIndex = manifest.runOf(chunk);
      const run = manifest.run(runIndex);
      const end = Math.min(firstChunk + chunks, run.firstChunk + run.chunks);
      const from = manifest.bytesBetween(run.firstChunk, chunk);
      const to = manifest.bytesBetween(run.firstChunk, end);
      const range = { entry, firstChunk: chunk, chunks: end - chunk, from, to };
      await this.#push({ ...range, plain: this.#expanded(runIndex), runBytes: run.plainBytes }, run.plainBytes);
      chunk = end;
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
    this.#assertGoing();
    if (!("plain" in task)) {
      await this.#end(task.entry);
      return;
    }
    this.#queuedBytes -= task.runBytes;
    const asked = clock.now();
    const plain = await task.plain;
    const arrived = clock.now();
    progress.spent("network", arrived - asked, arrived);
    this.#assertGoing();
    const bytes = this.#cut(plain, task);
    const { length } = bytes;
    this.#identify(task);
    this.#writer ??= await this.#open(task.entry);
    await this.#writer.write(bytes);
    this.#writtenBytes += length;
    progress.spent("writing", clock.now() - arrived, clock.now());
    progress.bytesDone += length;
  }

  #identify({ firstChunk, chunks }: Task): void {
    const hashes = this.#parts.feed.manifest.chunkHashes(firstChunk, chunks);
    for (let row = 0; row < hashes.length; row += 32) this.#tree.append(hashes.subarray(row, row + 32));
  }

  /** Sinks take what they write; a run that several tasks share is copied. */
  #cut(plain: Uint8Array<ArrayBuffer>, task: Task): Uint8Array<ArrayBuffer> {
    const isShared = this.#queue.some((other) => "plain" in other && other.plain === task.plain);
    if (isShared || task.from > 0 || task.to < plain.length) return plain.slice(task.from, task.to);
    if (this.#lastRun?.plain === task.plain) this.#lastRun = undefined;
    return plain;
  }

  async #end(index: number): Promise<void> {
    const { sink, progress } = this.#parts;
    const entry = this.#entry(index);
    if (entry.kind === "directory") await sink.createDirectory(entry);
    else {
      this.#checkFile(index, entry);
      const writer = this.#writer ?? (await this.#open(index));
      await writer.close();
      this.#writer = undefined;
    }
    progress.entriesDone += 1;
  }

  /** The last word before a file gets its final name. */
  #checkFile(index: number, entry: Entry): void {
    const root = this.#tree.root();
    this.#tree = new MerkleBuilder("chunks");
    if (this.#writtenBytes !== entry.size) throw new Failure("chunk/mismatch", { what: "file length" });
    this.#writtenBytes = 0;
    if (!equalBytes(root, this.#parts.feed.manifest.entryRoot(index)))
      throw new Failure("manifest/malformed", { what: "the identity of a file" });
  }

  async #open(index: number): Promise<FileWriter> {
    const writer = await this.#parts.sink.openFile(this.#entry(index));
    if (this.#parts.signal?.aborted) {
      await writer.abort();
      throw new Failure("cancelled");
    }
    return writer;
  }

  #entry(index: number): Entry {
    const entry = this.#parts.feed.manifest.entries[index];
    if (entry === undefined) throw new RangeError("entry index");
    return entry;
  }
}

/** Settles with `work`, or rejects with `cancelled` when the signal aborts first; `work` then ends by itself. */
async function unlessAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return work;
  const aborted = deferred<never>();
  const onAbort = () => aborted.reject(new Failure("cancelled"));
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    work.catch(() => {});
  }
}
