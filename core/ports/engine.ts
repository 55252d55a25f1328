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

/** One engine in one thread; calls do not overlap. */
export interface Engine {
  readonly kind: "cpu" | "gpu";

  /**
   * Cuts a piece that starts at a chunk boundary and hashes every chunk that surely ends inside it.
   *
   * @param piece borrowed. At most `maxPieceBytes`. It starts where the previous chunk of the same file ended.
   * @param final true when the piece reaches the end of the file: the rest becomes the last chunk.
   *              When false, the bytes after the last returned end belong to the next piece and must be given again.
   * @returns ends and hashes; the last end is `piece.length` when `final` (an empty final piece has no chunk)
   */
  cut(piece: Uint8Array, sizes: CutSizes, final: boolean): Promise<CutResult>;

  /**
   * BLAKE3-256 of consecutive slices: slice i is `bytes[ends[i-1] .. ends[i])`.
   * @returns u8[ends.length, 32]
   */
  hash(bytes: Uint8Array, ends: Uint32Array): Promise<Uint8Array<ArrayBuffer>>;

  /**
   * Compresses one run. Returns undefined when the result would not be smaller than `bytes` by the
   * engine's minimum gain, or when the entropy probe says that the run is incompressible: then it is stored.
   */
  compress(bytes: Uint8Array, codec: Exclude<Codec, "none">): Promise<Uint8Array<ArrayBuffer> | undefined>;

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
