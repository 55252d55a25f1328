/**
 * The GPU engine against the CPU engine: what must be equal is, and what may differ decodes to the same.
 *
 * @module
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cutRule, cutSizesFor } from "../../core/chunk/cut-sizes.ts";
import { GEAR } from "../../core/chunk/gear.ts";
import { writeLz4Frame } from "../../core/compress/lz4-frame.ts";
import type { CutSizes, Engine, Piece, RunRange } from "../../core/ports/engine.ts";
import { readFigures } from "../../core/transfer/engine-figures.ts";
import { KIB, MIB } from "../../core/units.ts";
import { noise, prose } from "../../tests/support/bytes.ts";
import { testGpu } from "../../tests/support/gpu.ts";
import { loadEngine } from "../../tests/support/kernels.ts";
import { SwitchingEngine } from "../switching-engine.ts";
import { type GpuDevice, openGpu } from "./device.ts";
import { createGpuEngine } from "./gpu-engine.ts";
import { measureEngines } from "./measure-engines.ts";
import { mixture } from "./mixture.ts";
import { selfTest } from "./self-test.ts";

const SMALL = cutSizesFor(0);
const TINY: CutSizes = { minBytes: 64, averageBytes: 1024, maxBytes: 4096 };

let cpu: Engine;
let device: GpuDevice;
let engine: Engine;

beforeAll(async () => {
  cpu = await loadEngine();
  const opened = await openGpu(await testGpu());
  if (opened === undefined) throw new Error("no adapter");
  device = opened;
  engine = await createGpuEngine(device, unused(cpu));
}, 60_000);
afterAll(() => device.destroy());

/** The CPU engine as far as the GPU engine may lean on it for what it should do itself: not at all. */
function unused(behind: Engine): Engine {
  const never = (): never => {
    throw new Error("the CPU was asked");
  };
  return { ...behind, kind: "cpu", batchBytes: 0, cut: never, hash: never, compress: never, decompress: never };
}

/** Pieces of the given lengths, one behind the other. */
function piecesOf(lengths: readonly number[], isFinal: (i: number) => boolean): Piece[] {
  let end = 0;
  return lengths.map((length, i) => {
    end += length;
    return { start: end - length, end, final: isFinal(i) };
  });
}

async function expectSameCuts(
  bytes: Uint8Array<ArrayBuffer>,
  pieces: readonly Piece[],
  sizes: CutSizes,
  by: Engine = engine,
) {
  const [ours, theirs] = [await by.cut(bytes, pieces, sizes), await cpu.cut(bytes, pieces, sizes)];
  const plain = (results: typeof ours) =>
    results.map(({ ends, hashes }) => ({ ends: [...ends], hashes: Buffer.from(hashes).toString("hex") }));
  expect(plain(ours)).toEqual(plain(theirs));
  return ours;
}

async function expectDecodes(bytes: Uint8Array<ArrayBuffer>, runs: readonly RunRange[], by = engine) {
  const packed = await by.compress(bytes, runs, "lz4");
  expect(packed).toHaveLength(runs.length);
  for (const [i, { start, end }] of runs.entries()) {
    const frame = packed[i];
    if (frame === undefined) continue;
    expect(frame.length).toBeLessThanOrEqual(0.97 * (end - start));
    expect(Buffer.compare(await cpu.decompress(frame, "lz4", end - start), bytes.subarray(start, end)), `${i}`).toBe(0);
  }
  return packed;
}

describe("GPU engine", () => {
  it("says what it is, and passes the known answers", async () => {
    expect([engine.kind, engine.batchBytes]).toEqual(["gpu", 16 * MIB]);
    await selfTest(engine, cpu);
  });

  it("cuts and hashes many small pieces as the CPU does", async () => {
    const lengths = [0, 1, 63, 64, 65, 0, 1023, 1024, 1025, 2048, 4095, 4096, 4097, 31, 32, 33, 10_000, 70_001, 3, 0];
    const total = lengths.reduce((sum, length) => sum + length, 0);
    for (const [i, bytes] of [noise(total, 1), prose(total, 2), mixture(total, 3), new Uint8Array(total)].entries()) {
      await expectSameCuts(
        bytes,
        piecesOf(lengths, () => true),
        TINY,
      );
      await expectSameCuts(
        bytes,
        piecesOf(lengths, (piece) => (piece + i) % 3 !== 0),
        TINY,
      );
    }
  });

  it("cuts one large piece that goes on, in the real size class, from any place in a buffer", async () => {
    const buffer = mixture(MIB + 13, 4);
    const bytes = buffer.subarray(13);
    const [whole] = await expectSameCuts(bytes, [{ start: 0, end: MIB, final: false }], SMALL);
    expect(whole?.ends.length).toBeGreaterThan(5);
    expect(whole?.ends.at(-1)).toBeLessThan(MIB);
    await expectSameCuts(bytes, [{ start: 100_001, end: 700_000, final: false }], SMALL);
  });

  it("finds repeated data again, and gives nothing for nothing", async () => {
    const part = noise(50_000, 5);
    const bytes = new Uint8Array(3 * part.length);
    for (let i = 0; i < 3; i++) bytes.set(part, i * part.length);
    const [a, b, c] = await expectSameCuts(
      bytes,
      piecesOf([50_000, 50_000, 50_000], () => true),
      TINY,
    );
    expect([b?.hashes, c?.hashes]).toEqual([a?.hashes, a?.hashes]);
    await expectSameCuts(new Uint8Array(0), [], TINY);
    await expectSameCuts(
      new Uint8Array(0),
      piecesOf([0, 0], () => true),
      TINY,
    );
  });

  it("reads a long list in a second round and leaves one that is too long to the CPU", async () => {
    const sizes = { minBytes: 64, averageBytes: 256, maxBytes: 1024 };
    // One value repeated makes every position a candidate, or none.
    const value = GEAR.findIndex((g) => -g >>> (32 - cutRule(sizes).looseBits) === 0);
    expect(value).toBeGreaterThanOrEqual(0);
    const many = new Uint8Array(60_000).fill(value);
    await expectSameCuts(
      many,
      [
        { start: 0, end: 30_000, final: true },
        { start: 30_000, end: 60_000, final: false },
      ],
      sizes,
    );
    const tooMany = new Uint8Array(70_000).fill(value);
    const pieces = [{ start: 0, end: tooMany.length, final: true }];
    await expect(engine.cut(tooMany, pieces, sizes)).rejects.toThrow("the CPU was asked");
    const helped = await createGpuEngine(device, cpu);
    expect(await helped.cut(tooMany, pieces, sizes)).toEqual(await cpu.cut(tooMany, pieces, sizes));
  });

  it("refuses pieces that do not follow each other", async () => {
    const overlapping = [
      { start: 0, end: 10, final: true },
      { start: 9, end: 20, final: true },
    ];
    await expect(engine.cut(new Uint8Array(20), overlapping, SMALL)).rejects.toThrow("assertion failed");
  });

  it("compresses what was cut, and what was not, to what decodes to it", async () => {
    const text = prose(300_000, 7);
    await engine.cut(text, [{ start: 0, end: text.length, final: true }], SMALL);
    const runs = [
      { start: 0, end: 65_536 },
      { start: 65_536, end: 65_536 },
      { start: 70_001, end: 70_002 },
      { start: 80_003, end: 300_000 },
    ];
    const cut = await expectDecodes(text, runs);
    expect(cut.map((frame) => frame !== undefined)).toEqual([true, false, false, true]);
    const other = mixture(200_000, 8);
    await expectDecodes(other, [{ start: 1, end: 200_000 }]);
    await expectDecodes(other.subarray(7, 150_000), [{ start: 3, end: 149_000 }]);
    expect(await engine.compress(noise(200_000, 9), [{ start: 0, end: 200_000 }], "lz4")).toEqual([undefined]);
    expect(await engine.compress(text, [], "lz4")).toEqual([]);
  });

  it("compresses more runs than it has room for at once", async () => {
    const bytes = prose(150_000, 12);
    const runs = Array.from({ length: 600 }, (_, i) => ({ start: 250 * i, end: 250 * i + (i % 250) }));
    const packed = await expectDecodes(bytes, runs);
    const byCpu = await cpu.compress(bytes, runs, "lz4");
    const gained = (frames: readonly unknown[]) => frames.filter((frame) => frame !== undefined).length;
    expect(gained(packed)).toBeGreaterThan(0.8 * gained(byCpu));
  });

  it("never uses bytes that a buffer held before", async () => {
    const pool = new Uint8Array(100_000);
    for (let round = 0; round < 4; round++) {
      pool.set(prose(pool.length, round));
      const other = prose(50_000, round + 10);
      const calls = [expectSameCuts(pool, [{ start: 0, end: pool.length, final: true }], SMALL)];
      if (round > 1) calls.push(expectSameCuts(other, [{ start: 0, end: other.length, final: true }], SMALL));
      await Promise.all(calls);
      const [packed] = await expectDecodes(pool, [{ start: 0, end: pool.length }]);
      expect(packed).toBeDefined();
    }
  });

  it("does calls that overlap", async () => {
    const batches = Array.from({ length: 5 }, (_, i) => mixture(120_000 + i, i));
    await Promise.all(
      batches.map(async (bytes) => {
        await expectSameCuts(bytes, [{ start: 0, end: bytes.length, final: true }], TINY);
        await expectDecodes(bytes, [{ start: 0, end: bytes.length }]);
      }),
    );
  });

  it.each([["cut"], ["compress"]] as const)("shares a batch with the CPU, itself doing only: %s", async (stage) => {
    const shared = new SwitchingEngine(cpu);
    shared.use(engine, [stage]);
    for (const seed of [20, 21]) {
      const bytes = mixture(2 * MIB + 7, seed);
      const runs = [
        { start: 0, end: 800_000 },
        { start: 800_000, end: bytes.length },
      ];
      await expectSameCuts(bytes, [{ start: 0, end: bytes.length, final: true }], SMALL, shared);
      const packed = await expectDecodes(bytes, runs, shared);
      const own = await (stage === "cut" ? cpu : engine).compress(bytes, runs, "lz4");
      expect(packed.map((frame) => frame?.length)).toEqual(own.map((frame) => frame?.length));
    }
  });

  it("hashes slices as the CPU does, empty ones too", async () => {
    const bytes = noise(MIB + 5, 10);
    const ends = Uint32Array.of(0, 1, 1025, 1025, 65_537, 500_000, 1_000_001, MIB + 5);
    expect(Buffer.compare(await engine.hash(bytes, ends), await cpu.hash(bytes, ends))).toBe(0);
  });

  it("decompresses a frame with stored blocks, and finds a broken one as the CPU does", async () => {
    const plain = mixture(600 * KIB + 11, 11);
    const [frame] = await cpu.compress(plain, [{ start: 0, end: plain.length }], "lz4");
    if (frame === undefined) throw new Error("the mixture is compressible");
    const inside = new Uint8Array(frame.length + 3);
    inside.set(frame, 3);
    expect(Buffer.compare(await engine.decompress(inside.subarray(3), "lz4", plain.length), plain)).toBe(0);
    const stored = writeLz4Frame(Array.from({ length: 8 }, (_, i) => ({ bytes: noise(64 * KIB, i), stored: true })));
    const whole = await cpu.decompress(stored, "lz4", 512 * KIB);
    expect(Buffer.compare(await engine.decompress(stored, "lz4", 512 * KIB), whole)).toBe(0);
    const mismatch = expect.objectContaining({ code: "chunk/mismatch" });
    const broken = frame.slice();
    broken.fill(0xff, 70_000, 70_100);
    await expect(cpu.decompress(broken, "lz4", plain.length)).rejects.toEqual(mismatch);
    await expect(engine.decompress(broken, "lz4", plain.length)).rejects.toEqual(mismatch);
    await expect(engine.decompress(frame, "lz4", plain.length - 1)).rejects.toEqual(mismatch);
    expect(Buffer.compare(await engine.decompress(frame, "lz4", plain.length), plain)).toBe(0);
  });

  // The last, as a measurement that was given up goes on on the device.
  it("is measured in every stage, or was too slow, and what was measured may be kept", async () => {
    const figures = await measureEngines(cpu, engine, "soft");
    expect(readFigures(structuredClone(figures))).toEqual(figures);
  });
});
