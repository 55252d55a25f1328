/**
 * What travels between the stages of a send: a scanned batch (cut, hashed, known chunks dropped), then a compressed
 * batch. The types differ so that a stage cannot be skipped.
 *
 * @module
 */
import type { EntryEvent } from "../manifest/page.ts";
import type { Codec } from "../ports/engine.ts";

/** What a batch took, milliseconds. */
export interface BatchTimes {
  /** The scan waited for reads. */
  readonly readMs: number;
  /** Cutting and hashing. */
  readonly scanMs: number;
}

/** Time and bytes of one batch, for progress and for finding the bottleneck. */
export interface BatchCost extends BatchTimes {
  /** Plaintext bytes that this batch covers, known chunks included. */
  readonly plainBytes: number;
  /** Of these, bytes of chunks that were seen before in this transfer. */
  readonly knownBytes: number;
}

/**
 * Where the plaintext of a run comes from, three numbers for each stretch of one file: entry, offset in the file, bytes.
 * Flat, because it crosses threads with every batch.
 */
export type Spans = readonly number[];

/** A run before compression. */
export interface ScannedRun {
  /** Byte range in the batch. */
  readonly start: number;
  readonly end: number;
  readonly chunks: number;
  readonly spans: Spans;
}

/** What the scan gives; `bytes` is given with it. */
export interface ScannedBatch extends BatchCost {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly runs: readonly ScannedRun[];
  /** New chunks in order: BLAKE3-256, u8[chunks, 32], and lengths. */
  readonly chunkHashes: Uint8Array<ArrayBuffer>;
  readonly chunkBytes: readonly number[];
  readonly events: readonly EntryEvent[];
}

/** A run as it goes into the packs; `bytes` is given. */
export interface CompressedRun {
  readonly codec: Codec;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly plainBytes: number;
  readonly chunks: number;
  readonly spans: Spans;
}

/** What the sender takes. */
export interface CompressedBatch extends BatchCost {
  /** The codec that was tried; a run that it did not help is stored all the same. */
  readonly codec: Codec;
  readonly compressMs: number;
  readonly runs: readonly CompressedRun[];
  readonly chunkHashes: Uint8Array<ArrayBuffer>;
  readonly chunkBytes: readonly number[];
  readonly events: readonly EntryEvent[];
}

/** Gives compressed batches one after the other; `undefined` at the end. Pulled by the sender, so it sets the pace. */
export interface BatchSource {
  next(codec: Codec): Promise<CompressedBatch | undefined>;
  /** The bytes of the batch's runs are not needed any more and may be written over. */
  recycle(batch: CompressedBatch): void;
}

/** A run that was sent, as a journal tells of it. */
export interface RunSource {
  readonly codec: Codec;
  readonly storedBytes: number;
  /** BLAKE3-256 of its chunks, u8[chunks, 32], and their plaintext lengths. */
  readonly chunkHashes: Uint8Array;
  readonly chunkBytes: readonly number[];
  readonly spans: Spans;
}

/** Makes runs again from their files, byte for byte. */
export interface Repeater {
  /**
   * @param engine which engine's LZ4; all else is the same on both
   * @returns the runs as they lay in the packs, given; one has another length when the engine is not the one that made it
   * @throws Failure `file/absent` | `file/changed` | `file/unreadable` | `pack/unrepeatable` without such an engine
   */
  repeat(runs: readonly RunSource[], engine: "cpu" | "gpu"): Promise<readonly Uint8Array<ArrayBuffer>[]>;
}

/** Decompresses a run and verifies every chunk of it. */
export interface Expander {
  /**
   * @param stored takes: the run's bytes as they lay in the packs
   * @param ends   ends of the chunks in the plaintext, u32[chunks]; the last is the plaintext's length
   * @param hashes BLAKE3-256 of each, u8[chunks, 32]
   * @returns the plaintext, verified; given
   * @throws Failure `chunk/mismatch`
   */
  expand(
    stored: Uint8Array<ArrayBuffer>,
    codec: Codec,
    ends: Uint32Array<ArrayBuffer>,
    hashes: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer>>;
}
