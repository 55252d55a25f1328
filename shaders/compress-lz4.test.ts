/**
 * Blocks are standard LZ4: decoded by an independent decoder and by the CPU kernel. Both variants.
 *
 * @module
 */
import { globSync, readFileSync } from "node:fs";
import { decompress as lz4jsDecompress } from "lz4js";
import { beforeAll, describe, expect, it } from "vitest";
import { LZ4_BLOCK_BYTES, writeLz4Frame } from "../core/compress/lz4-frame.ts";
import type { Kernels } from "../kernels/loader.ts";
import { noise, prose } from "../tests/support/bytes.ts";
import { openTestGpu, POISON, runShader } from "../tests/support/gpu.ts";
import { loadKernels } from "../tests/support/kernels.ts";
import { compressLz4 } from "./compress-lz4.ts";

const SHORT = [
  ...Array.from({ length: 20 }, (_, i) => i + 1),
  63,
  64,
  65,
  66,
  127,
  129,
  255,
  256,
  257,
  4095,
  4096,
  4097,
];

const period = (length: number, of: number): Uint8Array => {
  const unit = noise(of, of);
  return Uint8Array.from({ length }, (_, i) => unit[i % of] ?? 0);
};
const letters = (length: number, count: number): Uint8Array =>
  noise(length, `${length} ${count}`).map((byte) => 97 + (byte % count));

/** A kind of content by its length. */
const KINDS: Readonly<Record<string, (length: number) => Uint8Array>> = {
  zeros: (length) => new Uint8Array(length),
  noise: (length) => noise(length, length),
  text: (length) => prose(length, length),
  "period 2": (length) => period(length, 2),
  "period 3": (length) => period(length, 3),
  "period 4": (length) => period(length, 4),
  "period 7": (length) => period(length, 7),
  "period 64": (length) => period(length, 64),
  "period 700": (length) => period(length, 700),
  "two letters": (length) => letters(length, 2),
  "five letters": (length) => letters(length, 5),
  "forty letters": (length) => letters(length, 40),
  "long literals, long matches": (length) => {
    const bytes = noise(length, length);
    for (let at = 900; at + 500 < length; at += 1700) bytes.copyWithin(at, at - 850, at - 350);
    return bytes.fill(7, length >> 1, (length >> 1) + 300);
  },
};

/** Where the last match begins (-1: nowhere) and how many literals follow it; decoders do not check the rules for these. */
function endOf(packed: Uint8Array): { lastMatch: number; literals: number } {
  let at = 0;
  let plain = 0;
  let lastMatch = -1;
  const lengthOf = (nibble: number): number => {
    let length = nibble;
    for (let more = nibble === 15 ? 255 : 0; more === 255; length += more) more = packed[at++] ?? 0;
    return length;
  };
  while (true) {
    const token = packed[at++] ?? 0;
    const literals = lengthOf(token >> 4);
    at += literals;
    if (at >= packed.length) return { lastMatch, literals };
    at += 2;
    lastMatch = plain + literals;
    plain = lastMatch + lengthOf(token & 15) + 4;
  }
}

/** Those in which LZ4 finds little or nothing. */
const HARD = new Set(["noise", "forty letters"]);

describe.each([
  ["large table", 32_768],
  ["small table", 16_384],
] as const)("compress-lz4, %s", (_title, workgroupStorageLimit) => {
  const shader = compressLz4(workgroupStorageLimit);
  let device: GPUDevice;
  let kernels: Kernels;
  beforeAll(async () => {
    device = await openTestGpu(workgroupStorageLimit === 16_384 ? "least" : "adapter");
    kernels = await loadKernels();
  });

  /** What the shader makes of each block, undefined where it is to be stored. The gaps put them at odd offsets. */
  const compress = async (plain: readonly Uint8Array[], gap = 1, strideWords = 0) => {
    const stride = strideWords || Math.ceil(Math.max(...plain.map(({ length }) => length)) / 4);
    const data = new Uint8Array(plain.reduce((sum, { length }) => sum + length + gap, gap));
    let at = gap;
    const blocks = plain.flatMap((block) => {
      data.set(block, at);
      at += block.length + gap;
      return [at - block.length - gap, block.length];
    });
    const room = 4 * (stride * plain.length + 100);
    const params = Uint32Array.of(plain.length, stride, 0, 0);
    const [packed, sizes] = await runShader(
      device,
      shader,
      [data, Uint32Array.from(blocks), room, 4 * (plain.length + 8), params],
      [3, Math.ceil(plain.length / 3)],
    );
    if (packed === undefined || sizes === undefined) throw new Error("no result");
    expect(sizes.subarray(plain.length).every((word) => word === POISON)).toBe(true);
    expect(packed.subarray(stride * plain.length).every((word) => word === POISON)).toBe(true);
    return plain.map((block, i) => {
      const slot = packed.subarray(i * stride, (i + 1) * stride);
      const size = sizes[i] ?? 0;
      const isStored = size >= block.length;
      const used = Math.ceil((isStored ? block.length : size) / 4);
      expect(
        slot.subarray(used).every((word) => word === POISON),
        `behind ${block.length} bytes`,
      ).toBe(true);
      return isStored ? undefined : new Uint8Array(slot.buffer, slot.byteOffset, size);
    });
  };

  const expectDecodes = (packed: Uint8Array, plain: Uint8Array, what: string): void => {
    const { bytes, call, input, output } = kernels;
    expect(Buffer.compare(lz4jsDecompress(writeLz4Frame([{ bytes: packed, stored: false }])), plain), what).toBe(0);
    const { lastMatch, literals } = endOf(packed);
    expect(literals, what).toBeGreaterThanOrEqual(5);
    expect(lastMatch, what).toBeLessThanOrEqual(plain.length - 12);
    bytes.set(packed, input);
    expect(call.decompressLz4(input, packed.length, output, plain.length), what).toBe(1);
    expect(Buffer.compare(bytes.subarray(output, output + plain.length), plain), what).toBe(0);
  };

  it("makes standard blocks of every length and kind", async () => {
    for (const [lengths, stride] of [
      [SHORT, 0],
      [[65_535, 65_536], 17_000],
    ] as const) {
      const cases = Object.entries(KINDS).flatMap(([kind, make], k) =>
        lengths
          .filter((length, i) => length < 65_000 || (k % 2 === i && (k % 3 === 2 || workgroupStorageLimit > 16_384)))
          .map((length) => ({ kind, plain: make(length) })),
      );
      const packed = await compress(
        cases.map(({ plain }) => plain),
        1,
        stride,
      );
      for (const [i, { kind, plain }] of cases.entries()) {
        const block = packed[i];
        if (block !== undefined) expectDecodes(block, plain, `${kind}, ${plain.length}`);
        if (kind === "noise") expect(block, `noise, ${plain.length}`).toBeUndefined();
        if (kind === "zeros" && plain.length > 64) expect(block?.length).toBeLessThan(16 + plain.length / 250);
        if (plain.length > 4000 && !HARD.has(kind)) expect(block?.length, kind).toBeLessThan(0.9 * plain.length);
      }
    }
  });

  it("gives the same for the same bytes, wherever they lie", async () => {
    const plain = [prose(20_000, 1), letters(9001, 5)];
    const [first, second] = [await compress(plain, 4), await compress(plain, 3)];
    expect(first).toEqual(second);
  });

  it("asks for a block to be stored that does not fit its stride", async () => {
    const plain = prose(5000, 2);
    expect(await compress([plain], 1, 40)).toEqual([undefined]);
  });

  it("saves nearly as much as the CPU kernel", async () => {
    const read = (pattern: string): Buffer =>
      Buffer.concat(
        globSync(pattern, { cwd: new URL("..", import.meta.url).pathname })
          .sort()
          .map((path) => readFileSync(new URL(`../${path}`, import.meta.url))),
      );
    const sample = ["docs/protocol.md", "package-lock.json", "core/**/*.ts"].map((pattern) =>
      read(pattern).subarray(0, 160 * 1024),
    );
    const plain = new Uint8Array(Buffer.concat(sample));
    const blocks = Array.from({ length: Math.ceil(plain.length / LZ4_BLOCK_BYTES) }, (_, i) =>
      plain.subarray(i * LZ4_BLOCK_BYTES, (i + 1) * LZ4_BLOCK_BYTES),
    );
    const packed = await compress(blocks, 0);
    const size = packed.reduce((sum, block, i) => sum + (block ?? blocks[i] ?? []).length, 0);
    const { bytes, call, input, output, table } = kernels;
    bytes.set(plain, input);
    const count = call.compressLz4(input, plain.length, output, table);
    const sizes = new Uint32Array(bytes.slice(table, table + 4 * count).buffer);
    const twin = sizes.reduce((sum, one) => sum + one, 0);
    expect(sizes.every((one) => one > 0)).toBe(true);
    expect((plain.length - size) / (plain.length - twin)).toBeGreaterThan(0.95);
  });
});
