/**
 * Blocks of three encoders decode; whatever else a block holds, the shader's verdict is the CPU kernel's and nothing
 * outside the block's own range changes.
 *
 * @module
 */
import * as lz4js from "lz4js";
import { beforeAll, describe, expect, it } from "vitest";
import type { Kernels } from "../kernels/loader.ts";
import { noise, prose } from "../tests/support/bytes.ts";
import { openTestGpu, POISON, runShader } from "../tests/support/gpu.ts";
import { loadKernels } from "../tests/support/kernels.ts";
import { compressLz4 } from "./compress-lz4.ts";
import { decompressLz4 } from "./decompress-lz4.ts";

declare module "lz4js" {
  /** Encodes an LZ4 frame; up to 4 MiB go into one block. */
  function compress(plain: Uint8Array): Uint8Array;
}

interface Case {
  readonly packed: Uint8Array;
  /** What it is to give, in bytes. */
  readonly length: number;
}

/** Words between the outputs of two blocks. */
const GAP_WORDS = 3;

const letters = (length: number, count: number): Uint8Array =>
  noise(length, `${length} ${count}`).map((byte) => 97 + (byte % count));

/** Noise, repeats from near and far, and runs. */
function mixture(length: number): Uint8Array {
  const bytes = noise(length, length);
  for (let at = 700; at + 900 < length; at += 1300) {
    bytes.copyWithin(at, at >> 1, (at >> 1) + 600);
    bytes.fill(at, at + 600, at + 800);
    bytes.copyWithin(at + 805, at + 802, at + 890);
  }
  return bytes;
}

const SAMPLES = [1, 2, 12, 13, 14, 63, 64, 65, 255, 1000, 4097, 20_001, 65_533, 65_536].flatMap((length) =>
  [new Uint8Array(length), prose(length, 1), letters(length, 2), mixture(length)].filter(
    (_, i) => length !== 65_533 || i % 2 === 1,
  ),
);

describe("decompress-lz4", () => {
  let device: GPUDevice;
  let kernels: Kernels;
  beforeAll(async () => {
    device = await openTestGpu();
    kernels = await loadKernels();
  });

  /** The CPU kernel's answer: undefined for a malformed block. */
  const decodeCpu = ({ packed, length }: Case): Uint8Array | undefined => {
    const { bytes, call, input, output } = kernels;
    bytes.set(packed, input);
    const isGood = call.decompressLz4(input, packed.length, output, length) !== 0;
    return isGood ? bytes.slice(output, output + length) : undefined;
  };

  /** The shader's answers; the blocks lie one after the other, so that reading on would not go unnoticed. */
  const decode = async (cases: readonly Case[]): Promise<(Uint8Array | undefined)[]> => {
    const data = new Uint8Array(Buffer.concat(cases.map(({ packed }) => packed)));
    let from = 0;
    let to = 4 * GAP_WORDS;
    const blocks = cases.map(({ packed, length }) => {
      const block = [from, packed.length, to, length] as const;
      from += packed.length;
      to += 4 * (Math.ceil(length / 4) + GAP_WORDS);
      return block;
    });
    const [plain, status] = await runShader(
      device,
      decompressLz4,
      [data, Uint32Array.from(blocks.flat()), to, 4 * cases.length + 16, Uint32Array.of(cases.length, 0, 0, 0)],
      [7, Math.ceil(cases.length / 7)],
    );
    if (plain === undefined || status === undefined) throw new Error("no result");
    expect(status.subarray(cases.length).every((word) => word === POISON)).toBe(true);
    const ends = [0, ...blocks.map(([, , at, length]) => at / 4 + Math.ceil(length / 4))];
    for (const end of ends) {
      expect(
        plain.subarray(end, end + GAP_WORDS).every((word) => word === POISON),
        `behind word ${end}`,
      ).toBe(true);
    }
    return blocks.map(([, , at, length], i) => {
      expect(status[i]).toBeLessThan(2);
      return status[i] === 1 ? new Uint8Array(plain.buffer).slice(at, at + length) : undefined;
    });
  };

  const expectSame = (got: readonly (Uint8Array | undefined)[], cases: readonly Case[]): number => {
    let good = 0;
    for (const [i, one] of cases.entries()) {
      const expected = decodeCpu(one);
      if (expected === undefined) {
        if (got[i] !== undefined) expect.fail(`accepts ${Buffer.from(one.packed).toString("hex")} as ${one.length}`);
        continue;
      }
      good++;
      const result = got[i] ?? expect.fail(`refuses ${Buffer.from(one.packed).toString("hex")} as ${one.length}`);
      expect(Buffer.compare(result, expected), Buffer.from(one.packed).toString("hex")).toBe(0);
    }
    return good;
  };

  const packCpu = (plain: Uint8Array): Uint8Array | undefined => {
    const { bytes, call, input, output, table } = kernels;
    bytes.set(plain, input);
    call.compressLz4(input, plain.length, output, table);
    const size = new DataView(bytes.buffer).getUint32(table, true);
    return size === 0 ? undefined : bytes.slice(output, output + size);
  };

  /** The one block of lz4js's frame, behind a header of 7 bytes and its size; undefined when it is stored. */
  const packLz4js = (plain: Uint8Array): Uint8Array | undefined => {
    const frame = lz4js.compress(plain);
    const size = new DataView(frame.buffer, frame.byteOffset).getUint32(7, true);
    return size >= 0x8000_0000 ? undefined : frame.slice(11, 11 + size);
  };

  const packGpu = async (plain: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> => {
    let end = 0;
    const blocks = plain.flatMap(({ length }) => {
      end += length;
      return [end - length, length];
    });
    const data = new Uint8Array(Buffer.concat(plain));
    const [packed, sizes] = await runShader(
      device,
      compressLz4(device.limits.maxComputeWorkgroupStorageSize),
      [data, Uint32Array.from(blocks), 65_536 * plain.length, 4 * plain.length, Uint32Array.of(plain.length, 16_384)],
      plain.length,
    );
    return plain.map(({ length }, i) => {
      const size = sizes?.[i] ?? length;
      return size < length ? new Uint8Array(packed?.buffer ?? []).slice(65_536 * i, 65_536 * i + size) : undefined;
    });
  };

  it("decodes what each encoder makes", async () => {
    const gpu = await packGpu(SAMPLES);
    for (const pack of [packCpu, packLz4js, (_: Uint8Array, i: number) => gpu[i]]) {
      const packed = SAMPLES.map(pack);
      const pairs = SAMPLES.flatMap((plain, i) => {
        const block = packed[i];
        return block === undefined ? [] : [{ plain, packed: block, length: plain.length }];
      });
      expect(pairs.length).toBeGreaterThan(SAMPLES.length / 2);
      const decoded = await decode(pairs);
      for (const [i, { plain }] of pairs.entries()) {
        expect(Buffer.compare(decoded[i] ?? new Uint8Array(), plain), `${plain.length} bytes`).toBe(0);
      }
    }
  });

  it("decodes every distance and length of overlapping matches", async () => {
    const cases: Case[] = [];
    for (let distance = 1; distance <= 40; distance++) {
      for (const length of [4, 5, 15, 18, 19, 20, 33, 100, 273, 274, 529]) {
        const extra = length < 19 ? [] : [...Array(Math.floor((length - 19) / 255)).fill(255), (length - 19) % 255];
        const more = distance >= 15 ? [distance - 15] : [];
        const token = (Math.min(15, distance) << 4) | Math.min(15, length - 4);
        const block = [token, ...more, ...noise(distance, distance), distance, 0, ...extra, 0x10, 7];
        cases.push({ packed: Uint8Array.from(block), length: distance + length + 1 });
      }
    }
    expect(expectSame(await decode(cases), cases)).toBe(cases.length);
  });

  it("follows matches of matches of matches", async () => {
    // Each match repeats the end of the one before: 300 sequences without a literal between.
    const links = Array.from({ length: 300 }, (_, i) => [i % 7, 1 + (i % 5), 0]).flat();
    const length = 9 + 300 * 4 + links.filter((_, i) => i % 3 === 0).reduce((sum, more) => sum + more, 0) + 5;
    const packed = Uint8Array.from([0x50, 1, 2, 3, 4, 5, 1, 0, ...links, 0x50, 1, 2, 3, 4, 5]);
    // Of the other lengths some end within a match, with many sequences to come.
    const lengths = [length, length + 1, ...Array.from({ length: 12 }, (_, i) => 400 + i)];
    const cases = lengths.map((one) => ({ packed, length: one }));
    expect(expectSame(await decode(cases), cases)).toBe(1);
  });

  it("judges hostile blocks as the CPU kernel does", async () => {
    const plain = [prose(600, 5), letters(900, 2), mixture(3001), new Uint8Array(5000), letters(64, 3), mixture(1000)];
    const blocks = plain.map((bytes) => ({ packed: packCpu(bytes) ?? new Uint8Array(), length: bytes.length }));
    const draws = new DataView(noise(200_000, "hostile").buffer);
    let drawn = 0;
    const draw = (below: number): number => draws.getUint32(4 * drawn++, true) % below;
    const hostile: Case[] = Array.from({ length: 2400 }, (_, i) => {
      const { packed, length } = blocks[draw(blocks.length)] ?? expect.fail("no block");
      const copy = packed.slice();
      if (i % 6 === 0) return { packed: noise(1 + draw(300), i), length: 1 + draw(3000) };
      if (i % 6 === 1) return { packed: copy.subarray(0, draw(copy.length)), length };
      if (i % 6 === 2) return { packed: copy, length: Math.max(1, length + draw(5) - 2) };
      // Short random blocks of small numbers are often good for some length.
      if (i % 6 === 3) return { packed: noise(1 + draw(12), i).map((byte) => byte & 0x33), length: 1 + draw(20) };
      for (let edits = 1 + draw(3); edits > 0; edits--) copy[draw(copy.length)] = i % 6 === 4 ? draw(256) : draw(3);
      return { packed: copy, length };
    });
    // A distance of 0, one before the start, lengths that do not end or run over.
    for (const packed of [
      [0x10, 1, 0, 0, 0x50, 1, 2, 3, 4, 5],
      [0x10, 1, 2, 0, 0x50, 1, 2, 3, 4, 5],
      [0x10, 1, 1, 0, 0x50, 1, 2, 3, 4, 5],
      [0xf0],
      [0xf0, ...Array(2000).fill(255)],
      [0x1f, 9, 1, 0, ...Array(2000).fill(255)],
      [0x1f, 9, 1, 0, ...Array(2000).fill(255), 0, 0],
      [0x10],
      [0x10, 1, 1],
      [0x00],
      [],
    ]) {
      for (const length of [1, 5, 10, 4000, 65_536]) hostile.push({ packed: Uint8Array.from(packed), length });
    }
    let good = 0;
    for (let at = 0; at < hostile.length; at += 700) {
      const some = hostile.slice(at, at + 700);
      good += expectSame(await decode(some), some);
    }
    expect(good).toBeGreaterThan(300);
    expect(good).toBeLessThan(hostile.length - 1000);
  });
});
