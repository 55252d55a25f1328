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
import type { CutSizes, Engine, Piece } from "../ports/engine.ts";
import { MIB, RUN_BYTES } from "../units.ts";
import type { BatchTimes, ScannedBatch, ScannedRun } from "./batch.ts";
import { BatchPool } from "./batch-pool.ts";
import { readAhead, type Slice } from "./read-ahead.ts";

/** Chunks of one run, so that a run's row always fits a manifest page. */
const MAX_RUN_CHUNKS = 1024;
/** Pieces of one batch: thousands of empty files make no bytes but must be handed on. */
const MAX_BATCH_PIECES = 4096;
/** The first batch is handed on when it has this many bytes, so that a receiver who waits has something soon. */
const FIRST_BATCH_BYTES = 4 * MIB;
const NO_BYTES = new Uint8Array(0);

/** Scans entries in order into batches. @throws Failure `file/…` from the source, `engine/failed` */
export async function* scan(
  entries: readonly (SourceEntry | SourceFile)[],
  engine: Engine,
  sizes: CutSizes,
  clock: Clock,
  pool: BatchPool = new BatchPool(engine.batchBytes),
): AsyncGenerator<ScannedBatch, void, undefined> {
  const folders = entries.map((entry) => entry.kind === "directory");
  const scanner = new Scanner(engine, sizes, folders, pool);
  let waitedMs = 0;
  let mark = clock.now();
  const take = async (): Promise<ScannedBatch> => {
    const before = clock.now();
    const batch = await scanner.take();
    const cost = { readMs: waitedMs, scanMs: clock.now() - before };
    waitedMs = 0;
    return { ...batch, ...cost };
  };
  for await (const slice of readAhead(entries)) {
    waitedMs += clock.now() - mark;
    if (!scanner.fits(slice)) yield await take();
    scanner.add(slice);
    if (scanner.full) yield await take();
    mark = clock.now();
  }
  if (!scanner.empty) yield await take();
}

/** A piece and whose it is; a piece of no bytes stands for the end of an empty entry. */
interface EntryPiece extends Piece {
  readonly entry: number;
}

class Scanner {
  readonly #pool: BatchPool;
  readonly #engine: Engine;
  readonly #sizes: CutSizes;
  /** True for entries that are folders. */
  readonly #folders: readonly boolean[];
  readonly #known = new ChunkIndex();
  #nextChunk = 0;
  #tree = new MerkleBuilder("chunks");

  /** Bytes that wait to be cut, first those that the last batch left over of its last file. */
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #used = 0;
  /** Of these, the bytes that were left over. */
  #carried = 0;
  #pieces: EntryPiece[] = [];
  #enoughBytes = FIRST_BATCH_BYTES;

  /** What `take` gathers. */
  #runs: ScannedRun[] = [];
  #hashes: Uint8Array[] = [];
  #chunkBytes: number[] = [];
  #events: EntryEvent[] = [];
  #plainBytes = 0;
  #knownBytes = 0;

  constructor(engine: Engine, sizes: CutSizes, folders: readonly boolean[], pool: BatchPool) {
    this.#pool = pool;
    this.#engine = engine;
    this.#sizes = sizes;
    this.#folders = folders;
  }

  get empty(): boolean {
    return this.#pieces.length === 0;
  }
  get full(): boolean {
    return (
      this.#used >= Math.min(this.#enoughBytes, this.#engine.batchBytes) || this.#pieces.length >= MAX_BATCH_PIECES
    );
  }

  /** False when the slice needs a fresh batch. */
  fits({ bytes }: Slice): boolean {
    return this.#used === this.#carried || this.#used + bytes.length <= this.#bytes.length;
  }

  add({ entry, bytes, final }: Slice): void {
    this.#reserve(this.#used + bytes.length);
    this.#bytes.set(bytes, this.#used);
    const last = this.#pieces.at(-1);
    const continues = last?.entry === entry && !last.final;
    const start = continues ? last.start : this.#used;
    this.#used += bytes.length;
    const piece = { entry, start, end: this.#used, final };
    if (continues) this.#pieces[this.#pieces.length - 1] = piece;
    else this.#pieces.push(piece);
  }

  /** Makes room before the first slice of a batch; a later one was asked whether it fits. */
  #reserve(bytes: number): void {
    if (bytes <= this.#bytes.length) return;
    const larger = this.#pool.take(Math.max(this.#engine.batchBytes, bytes));
    larger.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = larger;
  }

  /** Cuts and hashes what was gathered and hands it on; what belongs to an unfinished chunk begins the next batch. */
  async take(): Promise<Omit<ScannedBatch, keyof BatchTimes>> {
    // The same range goes to `compress` later, so that an engine that still holds it need not move it again.
    const bytes = this.#bytes.subarray(0, this.#used);
    const pieces = this.#pieces;
    const cuts = await this.#engine.cut(bytes, pieces, this.#sizes);
    this.#enoughBytes = this.#engine.batchBytes;
    let left: EntryPiece | undefined;
    for (const [i, piece] of pieces.entries()) {
      const { ends, hashes } = cuts[i] ?? { ends: [], hashes: NO_BYTES };
      let start = piece.start;
      for (const [row, end] of ends.entries()) {
        this.#addChunk(piece.entry, start, piece.start + end, hashes, row);
        start = piece.start + end;
      }
      if (piece.final) this.#endEntry(piece.entry);
      else left = { ...piece, start };
    }
    this.#begin(bytes, left);
    const batch = {
      bytes,
      runs: this.#runs,
      chunkHashes: concat(this.#hashes),
      chunkBytes: this.#chunkBytes,
      events: this.#events,
      plainBytes: this.#plainBytes,
      knownBytes: this.#knownBytes,
    };
    this.#runs = [];
    this.#hashes = [];
    this.#chunkBytes = [];
    this.#events = [];
    this.#plainBytes = 0;
    this.#knownBytes = 0;
    return batch;
  }

  #begin(bytes: Uint8Array, left: EntryPiece | undefined): void {
    this.#bytes = NO_BYTES;
    this.#used = 0;
    this.#pieces = [];
    if (left !== undefined) this.add({ entry: left.entry, bytes: bytes.slice(left.start, left.end), final: false });
    this.#carried = this.#used;
  }

  #addChunk(entry: number, start: number, end: number, hashes: Uint8Array, row: number): void {
    const hash = hashes.subarray(row * 32, row * 32 + 32);
    this.#tree.append(hash);
    this.#plainBytes += end - start;
    const seen = this.#known.remember(hash, this.#nextChunk);
    if (seen === undefined) {
      this.#extendRun(start, end);
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
