/**
 * First stage of a send: reads files in order, cuts and hashes them, drops chunks that this transfer has seen, and
 * gathers what is new into runs. Every byte is read once and hashed once.
 *
 * @module
 */

import { concat } from "../bytes.ts";
import { ChunkIndex } from "../chunk/chunk-index.ts";
import { MerkleBuilder } from "../hash/merkle.ts";
import type { EntryEvent } from "../manifest/page.ts";
import type { SourceEntry, SourceFile } from "../ports/byte-source.ts";
import type { Clock } from "../ports/clock.ts";
import type { CutSizes, Engine } from "../ports/engine.ts";
import { MIB, RUN_BYTES } from "../units.ts";
import type { ScannedBatch, ScannedRun } from "./batch.ts";
import { BatchPool } from "./batch-pool.ts";
import { readAhead, type Slice } from "./read-ahead.ts";

/** A batch is handed on when it has this many bytes. */
const BATCH_BYTES = 4 * MIB;
/** Chunks of one run, so that a run's row always fits a manifest page. */
const MAX_RUN_CHUNKS = 1024;
/** Events of one batch: thousands of empty files make no bytes but must be handed on. */
const MAX_BATCH_EVENTS = 4096;

/** Scans entries in order into batches. @throws Failure `file/…` from the source, `engine/failed` */
export async function* scan(
  entries: readonly (SourceEntry | SourceFile)[],
  engine: Engine,
  sizes: CutSizes,
  clock: Clock,
  pool: BatchPool = new BatchPool(),
): AsyncGenerator<ScannedBatch, void, undefined> {
  const folders = entries.map((entry) => entry.kind === "directory");
  const scanner = new Scanner(engine, sizes, folders, pool);
  let waitedMs = 0;
  let mark = clock.now();
  for await (const slice of readAhead(entries)) {
    waitedMs += clock.now() - mark;
    if (!scanner.fits(slice)) {
      yield scanner.take(waitedMs);
      waitedMs = 0;
    }
    const before = clock.now();
    await scanner.add(slice);
    scanner.scanMs += clock.now() - before;
    if (scanner.full) {
      yield scanner.take(waitedMs);
      waitedMs = 0;
    }
    mark = clock.now();
  }
  if (!scanner.empty) yield scanner.take(waitedMs);
}

class Scanner {
  readonly #pool: BatchPool;
  readonly #engine: Engine;
  readonly #sizes: CutSizes;
  /** True for entries that are folders. */
  readonly #folders: readonly boolean[];
  readonly #known = new ChunkIndex();
  #nextChunk = 0;
  /** Bytes of the open file behind its last cut. */
  #carry: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #tree = new MerkleBuilder("chunks");

  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #used = 0;
  #runs: ScannedRun[] = [];
  #hashes: Uint8Array[] = [];
  #chunkBytes: number[] = [];
  #events: EntryEvent[] = [];
  #plainBytes = 0;
  #knownBytes = 0;
  scanMs = 0;

  constructor(engine: Engine, sizes: CutSizes, folders: readonly boolean[], pool: BatchPool) {
    this.#pool = pool;
    this.#engine = engine;
    this.#sizes = sizes;
    this.#folders = folders;
  }

  get empty(): boolean {
    return this.#events.length === 0 && this.#chunkBytes.length === 0;
  }
  get full(): boolean {
    return this.#used >= BATCH_BYTES || this.#events.length >= MAX_BATCH_EVENTS;
  }

  /** False when the slice needs a fresh batch buffer. */
  fits(slice: Slice): boolean {
    return this.#used === 0 || this.#used + this.#carry.length + slice.bytes.length <= this.#bytes.length;
  }

  async add({ entry, bytes, final }: Slice): Promise<void> {
    const length = this.#carry.length + bytes.length;
    if (this.#used === 0 && this.#bytes.length < length) this.#bytes = this.#pool.take(Math.max(BATCH_BYTES, length));
    const piece = this.#bytes.subarray(this.#used, this.#used + length);
    piece.set(this.#carry);
    piece.set(bytes, this.#carry.length);
    const { ends, hashes } = await this.#engine.cut(piece, this.#sizes, final);
    let start = 0;
    for (const [i, end] of ends.entries()) {
      this.#addChunk(entry, start, end, hashes, i);
      start = end;
    }
    this.#carry = piece.slice(start);
    this.#used += start;
    if (final) this.#endEntry(entry);
  }

  /** Hands the batch on; the scanner starts a fresh one. */
  take(readMs: number): ScannedBatch {
    const batch: ScannedBatch = {
      bytes: this.#bytes,
      runs: this.#runs,
      chunkHashes: concat(this.#hashes),
      chunkBytes: this.#chunkBytes,
      events: this.#events,
      plainBytes: this.#plainBytes,
      knownBytes: this.#knownBytes,
      readMs,
      scanMs: this.scanMs,
    };
    this.#bytes = new Uint8Array(0);
    this.#used = 0;
    this.#runs = [];
    this.#hashes = [];
    this.#chunkBytes = [];
    this.#events = [];
    this.#plainBytes = 0;
    this.#knownBytes = 0;
    this.scanMs = 0;
    return batch;
  }

  #addChunk(entry: number, start: number, end: number, hashes: Uint8Array, row: number): void {
    const hash = hashes.subarray(row * 32, row * 32 + 32);
    this.#tree.append(hash);
    this.#plainBytes += end - start;
    const seen = this.#known.remember(hash, this.#nextChunk);
    if (seen === undefined) {
      this.#extendRun(this.#used + start, this.#used + end);
      this.#hashes.push(hash);
      this.#chunkBytes.push(end - start);
    } else {
      this.#knownBytes += end - start;
    }
    this.#extent(entry, seen ?? this.#nextChunk);
    if (seen === undefined) this.#nextChunk += 1;
  }

  #extendRun(start: number, end: number): void {
    const last = this.#runs.at(-1);
    if (last !== undefined && last.end === start && end - last.start <= RUN_BYTES && last.chunks < MAX_RUN_CHUNKS)
      this.#runs[this.#runs.length - 1] = { start: last.start, end, chunks: last.chunks + 1 };
    else this.#runs.push({ start, end, chunks: 1 });
  }

  #extent(entry: number, chunk: number): void {
    const last = this.#events.at(-1);
    if (last?.kind === "extent" && last.entry === entry && last.firstChunk + last.chunks === chunk)
      this.#events[this.#events.length - 1] = { ...last, chunks: last.chunks + 1 };
    else this.#events.push({ kind: "extent", entry, firstChunk: chunk, chunks: 1 });
  }

  #endEntry(entry: number): void {
    const root = this.#folders[entry] === true ? null : this.#tree.root();
    this.#events.push({ kind: "end", entry, root });
    this.#tree = new MerkleBuilder("chunks");
  }
}
