/**
 * Files of any size that take no room: what stands at a place follows from the place.
 *
 * @module
 */
import { setTimeout } from "node:timers/promises";
import { Failure } from "../../../core/failure.ts";
import type { Entry } from "../../../core/manifest/entry.ts";
import type { SourceFile } from "../../../core/ports/byte-source.ts";
import type { Clock } from "../../../core/ports/clock.ts";
import type { CutResult, CutSizes, Engine, Piece } from "../../../core/ports/engine.ts";
import type { FileWriter, Sink } from "../../../core/ports/sink.ts";
import { GIB, MIB } from "../../../core/units.ts";
import { noise } from "../../support/bytes.ts";

/** Bytes of its own that a place has, in files that are zeros elsewhere. */
const ISLAND_BYTES = MIB + 12_345;
const ZEROS = new Uint8Array(4 * MIB);

/** A file of zeros with islands of noise at its beginning, around 2^32 and at its end. */
export class SparseFile implements SourceFile {
  readonly kind = "file";
  readonly path: string;
  readonly size: number;
  readonly mtimeMs = 1_700_000_000_000;
  readonly #islands: { readonly at: number; readonly bytes: Uint8Array }[];

  constructor(path: string, size: number) {
    this.path = path;
    this.size = size;
    const places = [0, 2 ** 31 - 7, 2 ** 32 - ISLAND_BYTES / 3, 4.5 * GIB, 50 * GIB + 1, size - ISLAND_BYTES];
    const fitting = [...new Set(places.map(Math.floor))].filter((at) => at >= 0 && at + ISLAND_BYTES <= size);
    this.#islands = fitting.map((at) => ({ at, bytes: noise(ISLAND_BYTES, `${path} ${at}`) }));
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(length);
    for (const { at, bytes: island } of this.#islands) {
      const [from, to] = [Math.max(at, offset), Math.min(at + ISLAND_BYTES, offset + length)];
      if (from < to) bytes.set(island.subarray(from - at, to - at), from - offset);
    }
    return bytes;
  }

  /** True when these are the bytes at `offset`. */
  has(offset: number, bytes: Uint8Array): boolean {
    let at = offset;
    const isZero = (to: number) => {
      for (; at < to; ) {
        const take = Math.min(ZEROS.length, to - at);
        if (Buffer.compare(bytes.subarray(at - offset, at - offset + take), ZEROS.subarray(0, take)) !== 0)
          return false;
        at += take;
      }
      return true;
    };
    const end = offset + bytes.length;
    for (const { at: start, bytes: island } of this.#islands) {
      const [from, to] = [Math.max(start, offset), Math.min(start + ISLAND_BYTES, end)];
      if (from >= to) continue;
      if (!isZero(from)) return false;
      const got = bytes.subarray(from - offset, to - offset);
      if (Buffer.compare(got, island.subarray(from - start, to - start)) !== 0) return false;
      at = to;
    }
    return isZero(end);
  }
}

/** Compares what is written with what was sent, and keeps nothing. */
export class ComparingSink implements Sink {
  readonly kind = "private";
  readonly #files: ReadonlyMap<string, SparseFile>;
  /** Files that arrived whole. */
  readonly equal = new Set<string>();
  isFinished = false;

  constructor(files: readonly SparseFile[]) {
    this.#files = new Map(files.map((file) => [file.path, file]));
  }

  async begin(): Promise<void> {}
  async createDirectory(): Promise<void> {}
  async openFile({ path, size }: Entry): Promise<FileWriter> {
    const file = this.#files.get(path);
    let at = 0;
    return {
      write: async (bytes) => {
        if (file?.has(at, bytes) !== true) throw new Error(`${path} differs after byte ${at}`);
        at += bytes.length;
      },
      close: async () => {
        if (at === size && size === file?.size) this.equal.add(path);
      },
      abort: async () => {},
    };
  }
  async finish(): Promise<void> {
    this.isFinished = true;
  }
  async abort(): Promise<void> {}
}

/** Real time: a clock that hurries would have a page sent with every batch. */
export const realClock: Clock = {
  now: () => performance.now(),
  sleep: async (ms, signal) => {
    try {
      await setTimeout(ms, undefined, { ...(signal && { signal }) });
    } catch {
      throw new Failure("cancelled");
    }
  },
};

/** An engine that looks up what it knows: pieces of nothing but zeros are cut and hashed once for each length. */
export function rememberingZeros(engine: Engine): Engine {
  const known = new Map<string, CutResult>();
  const isZeros = (piece: Uint8Array) => {
    for (let at = 0; at < piece.length; at += ZEROS.length) {
      const part = piece.subarray(at, at + ZEROS.length);
      if (Buffer.compare(part, ZEROS.subarray(0, part.length)) !== 0) return false;
    }
    return true;
  };
  const cutOne = async (bytes: Uint8Array<ArrayBuffer>, piece: Piece, sizes: CutSizes): Promise<CutResult> => {
    const key = `${piece.end - piece.start} ${piece.final} ${sizes.maxBytes}`;
    const isKnown = isZeros(bytes.subarray(piece.start, piece.end));
    const found = isKnown ? known.get(key) : undefined;
    if (found !== undefined) return { ends: found.ends.slice(), hashes: found.hashes.slice() };
    const [result] = await engine.cut(bytes, [piece], sizes);
    if (result === undefined) throw new Error("no result");
    if (isKnown) known.set(key, { ends: result.ends.slice(), hashes: result.hashes.slice() });
    return result;
  };
  return {
    kind: engine.kind,
    batchBytes: 16 * MIB,
    cut: (bytes, pieces, sizes) => Promise.all(pieces.map((piece) => cutOne(bytes, piece, sizes))),
    hash: (bytes, ends) => engine.hash(bytes, ends),
    compress: (bytes, runs, codec) => engine.compress(bytes, runs, codec),
    decompress: (bytes, codec, plainBytes) => engine.decompress(bytes, codec, plainBytes),
    createFileHasher: () => engine.createFileHasher(),
  };
}
