/**
 * Compressed frames that lie about what they hold: a little that says it is little and gives much, that says it is much,
 * that asks for memory, that never ends.
 *
 * @module
 */
import { constants, zstdCompressSync } from "node:zlib";
import { type Lz4Block, writeLz4Frame } from "../../../core/compress/lz4-frame.ts";
import type { Codec } from "../../../core/ports/engine.ts";
import { KIB, MAX_CHUNK_BYTES, MIB } from "../../../core/units.ts";
import { noise } from "../../support/bytes.ts";

/** A frame, and how many bytes the manifest promises of it. */
export interface Bomb {
  readonly what: string;
  readonly codec: Exclude<Codec, "none">;
  readonly frame: Uint8Array<ArrayBuffer>;
  readonly plainBytes: number;
}

const bytes = (...parts: readonly (number | Uint8Array)[]) =>
  new Uint8Array(Buffer.concat(parts.map((part) => (typeof part === "number" ? Uint8Array.of(part) : part))));

function little(value: number | bigint, width: number): Uint8Array {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, BigInt(value), true);
  return out.subarray(0, width);
}

/** A block of one byte and then the same byte again, `extra` times 255. */
function longMatch(extra: number): Lz4Block {
  return { bytes: bytes(0x1f, 7, 1, 0, new Uint8Array(extra).fill(255), 0), stored: false };
}

const LZ4_MAGIC = Uint8Array.of(0x04, 0x22, 0x4d, 0x18);
const LZ4_HEADER = bytes(LZ4_MAGIC, 0x60, 0x40, 0x82);

function lz4Bombs(): Bomb[] {
  const block = longMatch(1000);
  const full = Array.from({ length: MAX_CHUNK_BYTES / (64 * KIB) }, () => longMatch(60_000));
  const honest = writeLz4Frame([{ bytes: noise(1000, 1), stored: true }]);
  const far = { bytes: bytes(0x1f, 7, 0xff, 0xff, new Uint8Array(300).fill(255), 0), stored: false };
  const cases: [string, Uint8Array<ArrayBuffer>, number][] = [
    ["a block that gives 255 KiB where 64 KiB were promised", writeLz4Frame([block]), 64 * KIB],
    ["a block that gives 255 KiB where one byte was promised", writeLz4Frame([block]), 1],
    ["64 blocks that give 15 MiB each", writeLz4Frame(full), MAX_CHUNK_BYTES],
    ["60,000 blocks where one was promised", writeLz4Frame(Array.from({ length: 60_000 }, () => longMatch(250))), 4096],
    ["a promise of 2^32 bytes", writeLz4Frame([block]), 2 ** 32],
    ["a promise of 2^53 bytes", writeLz4Frame([block]), 2 ** 53],
    ["a block of 2^31 - 1 bytes", bytes(LZ4_HEADER, little(0x7fff_ffff, 4), noise(100, 2)), 64 * KIB],
    ["a stored block of 2^31 - 1 bytes", bytes(LZ4_HEADER, little(0xffff_ffff, 4), noise(100, 3)), 64 * KIB],
    ["a header that declares 2^63 bytes", bytes(LZ4_MAGIC, 0x68, 0x40, little(2n ** 63n, 8), 0x82), 64 * KIB],
    ["a header with blocks of 4 MiB", bytes(LZ4_MAGIC, 0x60, 0x70, 0x82, little(4, 4), noise(4, 4)), 64 * KIB],
    ["blocks that refer to each other", bytes(LZ4_MAGIC, 0x40, 0x40, 0xc0, little(4, 4), noise(4, 5)), 64 * KIB],
    ["a chain of 1,000 frames", bytes(...Array.from({ length: 1000 }, () => honest)), 1000],
    ["a frame to skip of 4 GiB", bytes(little(0x184d_2a50, 4), little(0xffff_ffff, 4), honest), 1000],
    ["a frame of the old kind", bytes(little(0x184c_2102, 4), little(0xffff, 4), noise(100, 6)), 64 * KIB],
    ["a match that begins before the frame", writeLz4Frame([far]), 64 * KIB],
  ];
  return cases.map(([what, frame, plainBytes]) => ({ what, codec: "lz4", frame, plainBytes }));
}

const ZSTD_MAGIC = little(0xfd2f_b528, 4);
const RLE = 1;

function zstdBlock(type: number, size: number, last: boolean, content: Uint8Array): Uint8Array {
  return bytes(little((size << 3) | (type << 1) | (last ? 1 : 0), 3), content);
}

/** Runs of 128 KiB of one byte: four bytes each. */
function runs(count: number): Uint8Array {
  const each = (i: number) => zstdBlock(RLE, 128 * KIB, i === count - 1, Uint8Array.of(7));
  return bytes(...Array.from({ length: count }, (_, i) => each(i)));
}

/** A header with a window and a declared size of eight bytes. */
function windowed(window: number, declared: number | bigint, blocks: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes(ZSTD_MAGIC, 0xc0, window, little(declared, 8), blocks);
}

/** The real thing: so many zeros by the reference library, with its declared size written over. */
function patched(zeroBytes: number, declared: number): Uint8Array<ArrayBuffer> {
  const packed = zstdCompressSync(new Uint8Array(zeroBytes), {
    params: { [constants.ZSTD_c_windowLog]: 27, [constants.ZSTD_c_contentSizeFlag]: 1 },
    pledgedSrcSize: zeroBytes,
  });
  const flags = packed[4] ?? 0;
  const at = (flags & 0x20) === 0 ? 6 : 5;
  const width = [0, 2, 4, 8][flags >>> 6] ?? 0;
  packed.set(little(declared, width), at);
  return new Uint8Array(packed);
}

function zstdBombs(): Bomb[] {
  const small = zstdBlock(RLE, 1000, true, Uint8Array.of(1));
  const honest = bytes(ZSTD_MAGIC, 0xa0, little(1000, 4), small);
  const cases: [string, Uint8Array<ArrayBuffer>, number][] = [
    ["32 KiB that give 1 GiB", windowed(0x58, MAX_CHUNK_BYTES, runs(8192)), MAX_CHUNK_BYTES],
    ["320 KiB that give 10 GiB", windowed(0x58, MAX_CHUNK_BYTES, runs(81_920)), MAX_CHUNK_BYTES],
    ["1 KiB that gives 32 MiB where one byte was promised", windowed(0x58, 1, runs(256)), 1],
    ["a declared size of 10 GiB", windowed(0x58, 10 * 2 ** 30, runs(256)), MAX_CHUNK_BYTES],
    ["a declared and promised size of 2^50", windowed(0x58, 2 ** 50, runs(256)), 2 ** 50],
    ["a declared size of 2^64 - 1", windowed(0x58, 2n ** 64n - 1n, runs(256)), MAX_CHUNK_BYTES],
    ["a window of 2 GiB", windowed(0xa8, MAX_CHUNK_BYTES, runs(256)), MAX_CHUNK_BYTES],
    ["a window of 2 GiB that gives less than promised", windowed(0xa8, MAX_CHUNK_BYTES, runs(2)), MAX_CHUNK_BYTES],
    ["a window of 3.75 TiB", windowed(0xff, MAX_CHUNK_BYTES, runs(256)), MAX_CHUNK_BYTES],
    ["64 MiB of real zeros that say 4 MiB", patched(64 * MIB, MAX_CHUNK_BYTES), MAX_CHUNK_BYTES],
    ["64 MiB of real zeros that say one byte more than they give", patched(64 * MIB, 64 * MIB + 1), MAX_CHUNK_BYTES],
    ["no declared size", bytes(ZSTD_MAGIC, 0x00, 0x58, runs(8192)), MAX_CHUNK_BYTES],
    ["a chain of 1,000 frames", bytes(...Array.from({ length: 1000 }, () => honest)), 1000],
    ["a frame to skip of 4 GiB", bytes(little(0x184d_2a50, 4), little(0xffff_ffff, 4), honest), 1000],
    ["a dictionary", bytes(ZSTD_MAGIC, 0xa3, little(7, 4), little(1000, 4), small), 1000],
    ["a block of 2 MiB", bytes(ZSTD_MAGIC, 0xa0, little(1000, 4), zstdBlock(RLE, 2 ** 21 - 1, true, small)), 1000],
    ["a million empty blocks, and too little", windowed(0x58, 2000, bytes(new Uint8Array(3_000_000), small)), 2000],
  ];
  return cases.map(([what, frame, plainBytes]) => ({ what, codec: "zstd", frame, plainBytes }));
}

export function bombs(): Bomb[] {
  return [...lz4Bombs(), ...zstdBombs()];
}
