/**
 * What turns plaintext into cuts, hashes and compressed bytes, and back. CPU and GPU engines serve this one port
 * with identical cuts and hashes; compressed bytes may differ between engines and decode to the same.
 *
 * Every `Uint8Array` parameter is *borrowed*: the caller may reuse it after the promise settles. Every returned
 * array is *given*: a fresh buffer that the caller owns and may transfer.
 *
 * @module
 */

/** How the bytes of a run are stored. `lz4` is a standard LZ4 frame of independent 64 KiB blocks, `zstd` a Zstandard frame. */
export type Codec = "none" | "lz4" | "zstd";

/** The size class of chunks, in bytes; see docs/protocol.md CHUNK rules. */
export interface CutSizes {
  readonly minBytes: number;
  readonly averageBytes: number;
  readonly maxBytes: number;
}

/** Chunks of a piece, in order. */
export interface CutResult {
  /** Ends of the chunks found, relative to the start of the piece, ascending. u32[chunkCount] */
  readonly ends: Uint32Array<ArrayBuffer>;
  /** BLAKE3-256 of each chunk. u8[chunkCount, 32] row-major */
  readonly hashes: Uint8Array<ArrayBuffer>;
}

/** Consecutive bytes of one file, starting at a chunk boundary. */
export interface Piece {
  /** Byte range in the buffer that holds it. */
  readonly start: number;
  readonly end: number;
  /** True when it reaches the end of its file: the rest becomes the last chunk. */
  readonly final: boolean;
}

/** Byte range of a run in the buffer that holds it. */
export interface RunRange {
  readonly start: number;
  readonly end: number;
}

/** One engine of one thread. */
export interface Engine {
  readonly kind: "cpu" | "gpu";

  /** Bytes with which one call of `cut` is quickest; a call may bring more, up to MAX_BATCH_BYTES. */
  readonly batchBytes: number;

  /**
   * Cuts pieces and hashes every chunk that surely ends inside its piece.
   *
   * @param bytes  borrowed, at most MAX_BATCH_BYTES; holds the pieces, which follow each other and do not overlap.
   *               `compress` for ranges of the same, unchanged bytes may follow and then need not move them again.
   * @returns for each piece its ends, relative to its start, and their hashes. The last end is the piece's length when it
   *          is final (an empty one has no chunk); otherwise the bytes behind the last end are to be given again with what
   *          follows them
   * @throws Failure `engine/failed`
   */
  cut(bytes: Uint8Array<ArrayBuffer>, pieces: readonly Piece[], sizes: CutSizes): Promise<readonly CutResult[]>;

  /**
   * BLAKE3-256 of consecutive slices: slice i is `bytes[ends[i-1] .. ends[i])`.
   * @returns u8[ends.length, 32]
   */
  hash(bytes: Uint8Array, ends: Uint32Array): Promise<Uint8Array<ArrayBuffer>>;

  /**
   * Compresses runs, each at most MAX_CHUNK_BYTES. A run gives undefined when the result would not be smaller by the engine's minimum gain,
   * or when the entropy probe says that it is incompressible: then it is stored.
   *
   * @param bytes borrowed, holds the runs
   */
  compress(
    bytes: Uint8Array<ArrayBuffer>,
    runs: readonly RunRange[],
    codec: Exclude<Codec, "none">,
  ): Promise<readonly (Uint8Array<ArrayBuffer> | undefined)[]>;

  /**
   * Decompresses one run into exactly `plainBytes` bytes.
   * @throws Failure `chunk/mismatch` when the input is malformed or gives any other length; never allocates more
   */
  decompress(bytes: Uint8Array, codec: Exclude<Codec, "none">, plainBytes: number): Promise<Uint8Array<ArrayBuffer>>;

  /** Streaming BLAKE3-256 over a whole file (equal to `b3sum`); for display on demand. */
  createFileHasher(): FileHasher;
}

/** One running hash. */
export interface FileHasher {
  /** borrowed */
  update(bytes: Uint8Array): void;
  /** BLAKE3-256, u8[32]; the hasher must not be used afterwards. */
  digest(): Uint8Array<ArrayBuffer>;
}
