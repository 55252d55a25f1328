/**
 * The CPU engine: the kernels and Zstandard behind the engine port. Cutting and hashing are fused: a chunk is hashed as
 * soon as its end is found, while its bytes are still in the core's cache. Every call runs to its end at once; what the
 * kernels' memory holds between calls means nothing.
 *
 * @module
 */
import { MAX_BATCH_BYTES } from "../core/chunk/cut-sizes.ts";
import { cutEnds, type FindCandidate, STRICT_CANDIDATE } from "../core/chunk/select-cuts.ts";
import { isWorthwhile, looksIncompressible } from "../core/compress/entropy.ts";
import { LZ4_BLOCK_BYTES, type Lz4Block, readLz4Frame, writeLz4Frame } from "../core/compress/lz4-frame.ts";
import { assert, Failure } from "../core/failure.ts";
import type { Codec, CutResult, CutSizes, Engine, FileHasher, Piece, RunRange } from "../core/ports/engine.ts";
import { MAX_CHUNK_BYTES, MIB } from "../core/units.ts";
import { createFileHasher } from "./file-hasher.ts";
import type { Kernels } from "./loader.ts";
import type { Zstd } from "./zstd.ts";

const HASH_BYTES = 32;
const HISTOGRAM_ENTRIES = 256;

/** An engine over one instance of each; neither may be used by anyone else. `loadZstd` is called once, when needed. */
export function createCpuEngine(kernels: Kernels, loadZstd: () => Promise<Zstd>): Engine {
  assert(kernels.inputBytes >= MAX_CHUNK_BYTES, "a chunk fits the kernels' memory");
  return new CpuEngine(kernels, loadZstd);
}

class CpuEngine implements Engine {
  readonly kind = "cpu";
  readonly batchBytes = 4 * MIB;
  readonly #kernels: Kernels;
  readonly #loadZstd: () => Promise<Zstd>;
  #zstd: Promise<Zstd> | undefined;

  constructor(kernels: Kernels, loadZstd: () => Promise<Zstd>) {
    this.#kernels = kernels;
    this.#loadZstd = loadZstd;
  }

  /** Zstandard is loaded when it is first needed: most transfers never do, and the first chunk must not wait for it. */
  #openZstd(): Promise<Zstd> {
    this.#zstd ??= this.#loadZstd();
    return this.#zstd;
  }

  async cut(bytes: Uint8Array<ArrayBuffer>, pieces: readonly Piece[], sizes: CutSizes): Promise<readonly CutResult[]> {
    assert(bytes.length <= MAX_BATCH_BYTES, "a batch is at most MAX_BATCH_BYTES");
    return pieces.map(({ start, end, final }) => this.#cutPiece(bytes.subarray(start, end), sizes, final));
  }

  #cutPiece(piece: Uint8Array, sizes: CutSizes, final: boolean): CutResult {
    const { call, bytes, input, inputBytes, table } = this.#kernels;
    const ends: number[] = [];
    const hashes = new Uint8Array((Math.ceil(piece.length / sizes.minBytes) + 1) * HASH_BYTES);
    // The input holds piece bytes [base, loaded); a chunk never needs what lies before it.
    let base = 0;
    let loaded = 0;
    const load = (start: number, limit: number): void => {
      if (limit <= loaded) return;
      if (limit - base > inputBytes) base = loaded = start;
      bytes.set(piece.subarray(loaded, limit), input + loaded - base);
      loaded = limit;
    };
    const find: FindCandidate = (from, to, bits) => {
      const at = input - base;
      if (from >= to || call.cutCandidates(input, at + from, at + to, bits, bits, table, 1) === 0) return -1;
      return base + (readU32(bytes, table) & ~STRICT_CANDIDATE);
    };
    let start = 0;
    for (const end of cutEnds(find, piece.length, sizes, final, load)) {
      hashes.set(this.#hashSlice(input + start - base, end - start), ends.length * HASH_BYTES);
      ends.push(end);
      start = end;
    }
    return { ends: Uint32Array.from(ends), hashes: hashes.slice(0, ends.length * HASH_BYTES) };
  }

  async hash(bytes: Uint8Array, ends: Uint32Array): Promise<Uint8Array<ArrayBuffer>> {
    const { input, inputBytes } = this.#kernels;
    const hashes = new Uint8Array(ends.length * HASH_BYTES);
    let start = 0;
    for (const [i, end] of ends.entries()) {
      assert(end >= start && end <= bytes.length && end - start <= inputBytes, "slices lie in the bytes, in order");
      this.#kernels.bytes.set(bytes.subarray(start, end), input);
      hashes.set(this.#hashSlice(input, end - start), i * HASH_BYTES);
      start = end;
    }
    return hashes;
  }

  async compress(
    bytes: Uint8Array<ArrayBuffer>,
    runs: readonly RunRange[],
    codec: Exclude<Codec, "none">,
  ): Promise<readonly (Uint8Array<ArrayBuffer> | undefined)[]> {
    const zstd = codec === "zstd" ? await this.#openZstd() : undefined;
    return runs.map(({ start, end }) => this.#compressRun(bytes.subarray(start, end), zstd));
  }

  #compressRun(run: Uint8Array, zstd: Zstd | undefined): Uint8Array<ArrayBuffer> | undefined {
    assert(run.length <= MAX_CHUNK_BYTES, "a run is at most MAX_CHUNK_BYTES");
    this.#kernels.bytes.set(run, this.#kernels.input);
    if (this.#isIncompressible(run.length)) return undefined;
    const packed = zstd === undefined ? this.#compressLz4(run) : zstd.compress(run);
    if (!isWorthwhile(run.length, packed.length)) return undefined;
    return zstd === undefined ? packed : packed.slice();
  }

  async decompress(
    bytes: Uint8Array,
    codec: Exclude<Codec, "none">,
    plainBytes: number,
  ): Promise<Uint8Array<ArrayBuffer>> {
    if (!Number.isInteger(plainBytes) || plainBytes < 0 || plainBytes > MAX_CHUNK_BYTES) {
      throw new Failure("chunk/mismatch", { codec, what: "size" });
    }
    return codec === "lz4"
      ? this.#decompressLz4(bytes, plainBytes)
      : (await this.#openZstd()).decompress(bytes, plainBytes);
  }

  createFileHasher(): FileHasher {
    return createFileHasher(this.#kernels);
  }

  /** A view that is good until the next call. */
  #hashSlice(at: number, length: number): Uint8Array {
    const { call, bytes, table } = this.#kernels;
    call.hashSlice(at, length, 0n, 1, table);
    return bytes.subarray(table, table + HASH_BYTES);
  }

  /** Judges the run in the input. */
  #isIncompressible(length: number): boolean {
    const { call, bytes, input, table } = this.#kernels;
    const sampledBytes = call.probeEntropy(input, length, table);
    const histogram = Uint32Array.from({ length: HISTOGRAM_ENTRIES }, (_, byte) => readU32(bytes, table + 4 * byte));
    return looksIncompressible({ histogram, repeats: readU32(bytes, table + 4 * HISTOGRAM_ENTRIES), sampledBytes });
  }

  /** The run in the input, which `plain` equals, as a frame. */
  #compressLz4(plain: Uint8Array): Uint8Array<ArrayBuffer> {
    const { call, bytes, input, output, table, lz4SlotBytes } = this.#kernels;
    const count = call.compressLz4(input, plain.length, output, table);
    const blocks = Array.from({ length: count }, (_, i): Lz4Block => {
      const size = readU32(bytes, table + 4 * i);
      const slot = output + i * lz4SlotBytes;
      return size === 0
        ? { bytes: plain.subarray(i * LZ4_BLOCK_BYTES, (i + 1) * LZ4_BLOCK_BYTES), stored: true }
        : { bytes: bytes.subarray(slot, slot + size), stored: false };
    });
    return writeLz4Frame(blocks);
  }

  #decompressLz4(frame: Uint8Array, plainBytes: number): Uint8Array<ArrayBuffer> {
    const { call, bytes, input, output } = this.#kernels;
    let plain = 0;
    for (const block of readLz4Frame(frame, plainBytes)) {
      const blockBytes = Math.min(LZ4_BLOCK_BYTES, plainBytes - plain);
      bytes.set(block.bytes, block.stored ? output + plain : input);
      if (!block.stored && call.decompressLz4(input, block.bytes.length, output + plain, blockBytes) === 0) {
        throw new Failure("chunk/mismatch", { codec: "lz4", what: "data" });
      }
      plain += blockBytes;
    }
    return bytes.slice(output, output + plainBytes);
  }
}

/** WASM memory is little-endian everywhere. */
function readU32(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
}
