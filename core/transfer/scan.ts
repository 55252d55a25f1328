/**
 * First stage of a send: reads files in order, cuts and hashes them, drops chunks that this transfer has seen, and
 * gathers what is new into runs. Every byte is read once and hashed once.
 *
 * @module
 */

import { concat } from "../bytes.ts";
import { ChunkIndex } from "../chunk/chunk-index.ts";
import { Failure } from "../failure.ts";
import { MerkleBuilder } from "../hash/merkle.ts";
import type { EntryEvent } from "../manifest/page.ts";
import type { SourceEntry, SourceFile } from "../ports/byte-source.ts";
import type { Clock } from "../ports/clock.ts";
import type { CutSizes, Engine, Piece } from "../ports/engine.ts";
import { MIB, RUN_BYTES } from "../units.ts";
import { equalBytes } from "../wire/codec.ts";
import type { BatchTimes, ScannedBatch, ScannedRun, Spans } from "./batch.ts";
import { BatchPool } from "./batch-pool.ts";
import { readAhead, type Slice } from "./read-ahead.ts";

/** Chunks of one run, so that a run's row always fits a manifest page. */
const MAX_RUN_CHUNKS = 1024;
/** Pieces of one batch: thousands of empty files make no bytes but must be handed on. */
const MAX_BATCH_PIECES = 4096;
/** The first batch is handed on when it has this many bytes, so that a receiver who waits has something soon. */
const FIRST_BATCH_BYTES = 4 * MIB;
const NO_BYTES = new Uint8Array(0);

/** Where a scan goes on that was interrupted. */
export interface ScanStart {
  /** The entry that was being read; those before it are done. */
  readonly entry: number;
  /** BLAKE3-256 of every chunk so far, u8[chunks, 32]. */
  readonly chunkHashes: Uint8Array;
  /** The chunks that were told of the open entry, by number. They are read again and must be the same. */
  readonly openChunks: Uint32Array;
}

/** From the first byte of the first entry. */
export const SCAN_BEGINNING: ScanStart = { entry: 0, chunkHashes: new Uint8Array(0), openChunks: new Uint32Array(0) };

/**
 * Scans entries in order into batches.
 * @throws Failure `file/…` from the source, `file/changed` when what was sent of the open entry is different now,
 *   `engine/failed`
 */
export async function* scan(
  entries: readonly (SourceEntry | SourceFile)[],
  engine: Engine,
  sizes: CutSizes,
  clock: Clock,
  pool: BatchPool = new BatchPool(engine.batchBytes),
  begin: ScanStart = SCAN_BEGINNING,
): AsyncGenerator<ScannedBatch, void, undefined> {
  const folders = entries.map((entry) => entry.kind === "directory");
  const scanner = new Scanner(engine, sizes, folders, pool, begin);
  let waitedMs = 0;
  let mark = clock.now();
  const take = async (): Promise<ScannedBatch> => {
    const before = clock.now();
    const batch = await scanner.take();
    const cost = { readMs: waitedMs, scanMs: clock.now() - before };
    waitedMs = 0;
    return { ...batch, ...cost };
  };
  for await (const slice of readAhead(entries, begin.entry)) {
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
  /** Where it starts in its file. */
  readonly offset: number;
}

class Scanner {
  readonly #pool: BatchPool;
  readonly #engine: Engine;
  readonly #sizes: CutSizes;
  /** True for entries that are folders. */
  readonly #folders: readonly boolean[];
  readonly #known = new ChunkIndex();
  #nextChunk: number;
  readonly #begin: ScanStart;
  /** Chunks of the open entry that were found again. */
  #foundAgain = 0;
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

  constructor(engine: Engine, sizes: CutSizes, folders: readonly boolean[], pool: BatchPool, begin: ScanStart) {
    const { chunkHashes } = begin;
    this.#begin = begin;
    this.#nextChunk = chunkHashes.length / 32;
    for (let i = 0; i < this.#nextChunk; i++) this.#known.remember(chunkHashes.subarray(32 * i, 32 * i + 32), i);
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

  /** @param offset where the bytes lie in their file, unless they continue what came before */
  add({ entry, bytes, final }: Slice, offset = 0): void {
    this.#reserve(this.#used + bytes.length);
    this.#bytes.set(bytes, this.#used);
    const last = this.#pieces.at(-1);
    const continues = last?.entry === entry && !last.final;
    const start = continues ? last.start : this.#used;
    this.#used += bytes.length;
    const piece = { entry, start, end: this.#used, final, offset: continues ? last.offset : offset };
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
        this.#addChunk(piece, start, piece.start + end, hashes.subarray(row * 32, row * 32 + 32));
        start = piece.start + end;
      }
      if (piece.final) this.#endEntry(piece.entry);
      else left = { ...piece, start, offset: piece.offset + start - piece.start };
    }
    this.#carryOver(bytes, left);
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

  #carryOver(bytes: Uint8Array, left: EntryPiece | undefined): void {
    this.#bytes = NO_BYTES;
    this.#used = 0;
    this.#pieces = [];
    if (left !== undefined) {
      const slice = { entry: left.entry, bytes: bytes.slice(left.start, left.end), final: false };
      this.add(slice, left.offset);
    }
    this.#carried = this.#used;
  }

  #addChunk(piece: EntryPiece, start: number, end: number, hash: Uint8Array): void {
    const { entry } = piece;
    this.#tree.append(hash);
    if (this.#isFoundAgain(entry, hash)) return;
    this.#plainBytes += end - start;
    const seen = this.#known.remember(hash, this.#nextChunk);
    if (seen === undefined) {
      this.#extendRun(start, end, entry, piece.offset + start - piece.start);
      this.#hashes.push(hash);
      this.#chunkBytes.push(end - start);
    } else {
      this.#knownBytes += end - start;
    }
    this.#extent(entry, seen ?? this.#nextChunk);
    if (seen === undefined) this.#nextChunk += 1;
  }

  /** True while the open entry is at chunks that were told before the interruption. @throws Failure `file/changed` */
  #isFoundAgain(entry: number, hash: Uint8Array): boolean {
    const { openChunks, chunkHashes } = this.#begin;
    const chunk = openChunks[this.#foundAgain];
    if (chunk === undefined) return false;
    if (entry !== this.#begin.entry || !equalBytes(hash, chunkHashes.subarray(32 * chunk, 32 * chunk + 32)))
      throw new Failure("file/changed", { entry: this.#begin.entry });
    this.#foundAgain += 1;
    return true;
  }

  #extendRun(start: number, end: number, entry: number, offset: number): void {
    const last = this.#runs.at(-1);
    const fits =
      last !== undefined && last.end === start && end - last.start <= RUN_BYTES && last.chunks < MAX_RUN_CHUNKS;
    const spans = fits ? extendSpans(last.spans, entry, offset, end - start) : [entry, offset, end - start];
    if (fits) this.#runs[this.#runs.length - 1] = { start: last.start, end, chunks: last.chunks + 1, spans };
    else this.#runs.push({ start, end, chunks: 1, spans });
  }

  #extent(entry: number, chunk: number): void {
    const last = this.#events.at(-1);
    if (last?.kind === "extent" && last.entry === entry && last.firstChunk + last.chunks === chunk)
      this.#events[this.#events.length - 1] = { ...last, chunks: last.chunks + 1 };
    else this.#events.push({ kind: "extent", entry, firstChunk: chunk, chunks: 1 });
  }

  #endEntry(entry: number): void {
    if (this.#foundAgain < this.#begin.openChunks.length) throw new Failure("file/changed", { entry });
    const root = this.#folders[entry] === true ? null : this.#tree.root();
    this.#events.push({ kind: "end", entry, root });
    this.#tree = new MerkleBuilder("chunks");
  }
}

/** Appends a stretch to spans that only this batch knows of; joins it with the last one where they meet. */
function extendSpans(spans: Spans, entry: number, offset: number, bytes: number): Spans {
  const own = spans as number[];
  const [lastEntry = -1, lastOffset = 0, lastBytes = 0] = own.slice(-3);
  if (lastEntry === entry && lastOffset + lastBytes === offset) own[own.length - 1] = lastBytes + bytes;
  else own.push(entry, offset, bytes);
  return own;
}
