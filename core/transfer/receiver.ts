/**
 * A receive: walks the manifest's events in order, takes each run out of the pack stream, decompresses and verifies it,
 * and only then writes. Files are written one after the other, each from its first byte to its last. What an earlier run
 * of the same receive left is not fetched again.
 *
 * @module
 */
import { Failure } from "../failure.ts";
import { MerkleBuilder } from "../hash/merkle.ts";
import type { Entry } from "../manifest/entry.ts";
import type { Clock } from "../ports/clock.ts";
import type { FileWriter, Sink } from "../ports/sink.ts";
import { MIB, PACK_PAYLOAD_BYTES } from "../units.ts";
import { equalBytes } from "../wire/codec.ts";
import type { Expander } from "./batch.ts";
import type { Gate } from "./gate.ts";
import { type KeepOptions, KeptReceive } from "./kept-receive.ts";
import type { PackWindow } from "./pack-window.ts";
import type { FeedEvent, PageFeed } from "./page-feed.ts";
import type { Progress } from "./progress.ts";
import { mayContinue } from "./receive-journal.ts";
import { reasonOf, unlessAborted } from "./unless-aborted.ts";

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

/** Chunks at the start of an entry that an earlier run wrote. */
interface Found {
  readonly entry: number;
  readonly firstChunk: number;
  readonly chunks: number;
  readonly foundBytes: number;
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
  /** Aborting it ends the receive with `cancelled`, or the Failure given, also while it is paused or a sink is stuck. */
  readonly signal?: AbortSignal;
  /** Where the sink can be continued, what is needed for that is kept; elsewhere it is ignored. */
  readonly keep?: KeepOptions;
  /** Title for an archive. */
  readonly title: string;
}

/** One receive into one sink. */
export class Receiver {
  readonly #parts: ReceiverParts;
  readonly #kept: KeptReceive | undefined;
  readonly #queue: (Task | Found | End)[] = [];
  #queuedBytes = 0;
  /** The run that the last task was cut from; small files share runs. */
  #lastRun: { index: number; plain: Promise<Uint8Array<ArrayBuffer>> } | undefined;
  #writer: FileWriter | undefined;
  /** Of the entry that is being written. */
  #writtenBytes = 0;
  #tree = new MerkleBuilder("chunks");
  /** Bytes of the entry whose extents are being walked. */
  #walkedBytes = 0;
  /** Chunks before it are in what an earlier run wrote, so new ones follow. */
  #foundChunks = 0;
  /** A receive that goes on has passed what was found. */
  #isAhead = false;

  constructor(parts: ReceiverParts) {
    this.#parts = parts;
    this.#kept = KeptReceive.over(parts.sink, parts.keep, parts.clock);
  }

  /**
   * Receives everything. Resolves when the sink has finished. On failure the sink was suspended where `canContinue` says
   * so, else aborted. @throws Failure
   */
  async run(): Promise<void> {
    const { sink, signal } = this.#parts;
    try {
      await unlessAborted(this.#receive(), signal);
    } catch (error) {
      if (this.canContinue(error)) {
        await this.#kept?.suspend();
        throw error;
      }
      await this.#writer?.abort();
      await sink.abort(error instanceof Failure ? error.code : "sink/failed");
      throw error;
    }
  }

  /** True when another receive can go on behind this one, after `error` ended it. */
  canContinue(error: unknown): boolean {
    return this.#kept?.canContinue === true && (!(error instanceof Failure) || mayContinue(error.code));
  }

  async #receive(): Promise<void> {
    const { feed, sink, title, progress } = this.#parts;
    await feed.until(() => feed.manifest.listed);
    this.#assertGoing();
    const { entries, totalBytes } = feed.manifest;
    await (this.#kept ?? sink).begin({ entries, closed: true, totalBytes, title });
    progress.resumable = this.#kept?.canContinue === true;
    progress.run();
    for (let event = await feed.nextEvent(); event !== undefined; event = await feed.nextEvent()) {
      const { entry } = event;
      if (this.#kept?.isPlaced(entry) === true) this.#passOver(event);
      else if (event.kind === "extent") await this.#extent(entry, event.firstChunk, event.chunks);
      else {
        this.#walkedBytes = 0;
        await this.#push({ entry }, 0);
      }
    }
    while (this.#queue.length > 0) await this.#writeNext();
    await this.#parts.gate.pass();
    this.#assertGoing();
    await sink.finish();
  }

  #assertGoing(): void {
    if (this.#parts.signal?.aborted) throw reasonOf(this.#parts.signal);
  }

  /** An event of an entry that stands there already. */
  #passOver(event: FeedEvent): void {
    const { progress, feed } = this.#parts;
    if (event.kind === "end") {
      progress.entriesDone += 1;
      return;
    }
    const end = event.firstChunk + event.chunks;
    this.#foundChunks = Math.max(this.#foundChunks, end);
    progress.foundBytes(feed.manifest.bytesBetween(event.firstChunk, end));
  }

  /** Cuts an extent at run borders into tasks, behind what an earlier run wrote of it. */
  async #extent(entry: number, firstChunk: number, chunks: number): Promise<void> {
    const { manifest } = this.#parts.feed;
    const found = this.#foundIn(entry, firstChunk, chunks);
    this.#walkedBytes += manifest.bytesBetween(firstChunk, firstChunk + chunks);
    if (found > 0) {
      const foundBytes = manifest.bytesBetween(firstChunk, firstChunk + found);
      this.#foundChunks = Math.max(this.#foundChunks, firstChunk + found);
      await this.#push({ entry, firstChunk, chunks: found, foundBytes }, 0);
    }
    if (found < chunks) this.#startPacks(entry);
    for (let chunk = firstChunk + found; chunk < firstChunk + chunks; ) {
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

  /** How many chunks of an extent an earlier run wrote. */
  #foundIn(entry: number, firstChunk: number, chunks: number): number {
    const left = (this.#kept?.bytesOf(entry) ?? 0) - this.#walkedBytes;
    let found = 0;
    while (found < chunks && this.#parts.feed.manifest.bytesBetween(firstChunk, firstChunk + found + 1) <= left)
      found += 1;
    return found;
  }

  /** Behind everything that was found, packs are asked for ahead again. */
  #startPacks(entry: number): void {
    if (this.#isAhead || this.#kept?.isResumed !== true || entry < this.#kept.lastFound) return;
    this.#isAhead = true;
    const { feed, packs } = this.#parts;
    const { manifest } = feed;
    const isNew = this.#foundChunks < manifest.chunkCount;
    const run = manifest.run(isNew ? manifest.runOf(this.#foundChunks) : manifest.runCount - 1);
    packs.start(Math.floor((isNew ? run.start : run.start + run.storedBytes) / PACK_PAYLOAD_BYTES));
  }

  async #push(task: Task | Found | End, bytes: number): Promise<void> {
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
    if ("foundBytes" in task) {
      this.#identify(task);
      this.#writtenBytes += task.foundBytes;
      progress.foundBytes(task.foundBytes);
      return;
    }
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
    await this.#kept?.wrote(task.entry, length);
  }

  #identify({ firstChunk, chunks }: Task | Found): void {
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
    const entry = this.#entry(index);
    const { sink, signal } = this.#parts;
    const writer = await (this.#kept === undefined
      ? sink.openFile(entry)
      : sink.openFile(entry, { number: index, bytes: this.#writtenBytes }));
    if (signal?.aborted) {
      const reason = reasonOf(signal);
      if (!this.canContinue(reason)) await writer.abort();
      throw reason;
    }
    return writer;
  }

  #entry(index: number): Entry {
    const entry = this.#parts.feed.manifest.entries[index];
    if (entry === undefined) throw new RangeError("entry index");
    return entry;
  }
}
