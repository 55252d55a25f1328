/**
 * Faults of a GPU, and that none of them costs a byte.
 *
 * @module
 */
import { beforeAll, describe, expect, it, vi } from "vitest";
import { cutSizesFor } from "../../core/chunk/cut-sizes.ts";
import { Failure } from "../../core/failure.ts";
import type { Engine } from "../../core/ports/engine.ts";
import { noise, prose } from "../../tests/support/bytes.ts";
import { testGpu } from "../../tests/support/gpu.ts";
import { loadEngine } from "../../tests/support/kernels.ts";
import { openGpu } from "./device.ts";
import { createGpuEngine } from "./gpu-engine.ts";
import { createGuardedEngine, type GuardOptions } from "./guarded-engine.ts";
import { selfTest } from "./self-test.ts";

const SIZES = cutSizesFor(0);
const BYTES = prose(400_000, 1);
const PIECES = [
  { start: 0, end: 150_000, final: true },
  { start: 150_000, end: 150_000, final: true },
  { start: 150_000, end: 400_000, final: false },
];
const RUNS = [
  { start: 0, end: 130_000 },
  { start: 130_000, end: 390_000 },
];
const NEVER = new Promise<Failure>(() => {});

let cpu: Engine;
/** A second CPU engine, which plays the GPU. */
let twin: Engine;
beforeAll(async () => {
  [cpu, twin] = await Promise.all([loadEngine(), loadEngine()]);
});

/** A GPU that is right but for what is told. */
function stub(faults: Partial<Engine> = {}): Engine {
  return {
    kind: "gpu",
    batchBytes: 7,
    cut: (...args) => twin.cut(...args),
    hash: (...args) => twin.hash(...args),
    compress: (...args) => twin.compress(...args),
    decompress: (...args) => twin.decompress(...args),
    createFileHasher: () => twin.createFileHasher(),
    ...faults,
  };
}

function guard(gpu: Engine, lost: Promise<Failure> = NEVER, options: GuardOptions = {}) {
  const onFallback = vi.fn<(reason: Failure) => void>();
  return { engine: createGuardedEngine(gpu, cpu, lost, { onFallback, ...options }), onFallback };
}

async function expectAllRight(engine: Engine): Promise<void> {
  expect(await engine.cut(BYTES, PIECES, SIZES)).toEqual(await cpu.cut(BYTES, PIECES, SIZES));
  const ends = Uint32Array.of(5, 100_000, BYTES.length);
  expect(await engine.hash(BYTES, ends)).toEqual(await cpu.hash(BYTES, ends));
  const frames = await engine.compress(BYTES, RUNS, "lz4");
  for (const [i, { start, end }] of RUNS.entries()) {
    const frame = frames[i];
    if (frame === undefined) throw new Error("prose is compressible");
    const plain = BYTES.subarray(start, end);
    expect(Buffer.compare(await cpu.decompress(frame, "lz4", plain.length), plain)).toBe(0);
    expect(Buffer.compare(await engine.decompress(frame, "lz4", plain.length), plain)).toBe(0);
  }
}

const throws = async (): Promise<never> => {
  throw new Error("device gone");
};
const silent = (): Promise<never> => new Promise(() => {});

/** Changes a byte of a fresh array. */
function spoilt(bytes: Uint8Array<ArrayBuffer>, at: number): Uint8Array<ArrayBuffer> {
  bytes[at] = (bytes[at] ?? 0) ^ 0x40;
  return bytes;
}

describe("guarded engine", () => {
  it("stays on a GPU that is right", async () => {
    const { engine, onFallback } = guard(stub());
    for (let i = 0; i < 5; i++) await expectAllRight(engine);
    expect([engine.kind, engine.batchBytes, engine.reason]).toEqual(["gpu", 7, undefined]);
    expect(onFallback).not.toHaveBeenCalled();
  });

  const faults: Record<string, [Partial<Engine>, string | undefined]> = {
    "cut throws": [{ cut: throws }, undefined],
    "hash throws": [{ hash: throws }, undefined],
    "compress throws": [{ compress: throws }, undefined],
    "decompress throws": [{ decompress: throws }, undefined],
    "cut is silent": [{ cut: silent }, "late"],
    "compress is silent": [{ compress: silent }, "late"],
    "wrong hashes": [
      {
        cut: async (...args) =>
          (await twin.cut(...args)).map((result) => ({
            ...result,
            hashes: result.hashes.map((byte) => byte ^ 1),
          })),
      },
      "wrong-bytes",
    ],
    "wrong ends": [
      {
        cut: async (...args) =>
          (await twin.cut(...args)).map((result) => ({ ...result, ends: result.ends.map((end) => end - 1) })),
      },
      "wrong-bytes",
    ],
    "a cut left out": [
      {
        cut: async (...args) =>
          (await twin.cut(...args)).map(({ ends, hashes }) => ({
            ends: ends.slice(-1),
            hashes: hashes.slice(-32 * Math.min(1, ends.length)),
          })),
      },
      "wrong-bytes",
    ],
    "a piece left out": [{ cut: async (...args) => (await twin.cut(...args)).slice(1) }, "wrong-bytes"],
    "wrong LZ4": [
      {
        compress: async (...args) =>
          (await twin.compress(...args)).map((frame) => frame?.map((byte, i) => (i > 20 ? byte ^ 0x11 : byte))),
      },
      "wrong-bytes",
    ],
    "a frame cut short": [
      { compress: async (...args) => (await twin.compress(...args)).map((frame) => frame?.slice(0, -1)) },
      "wrong-bytes",
    ],
    "wrong plain bytes": [
      { decompress: async (...args) => (await twin.decompress(...args)).map((byte) => byte ^ 1) },
      "wrong-bytes",
    ],
    "good input called bad": [
      {
        decompress: async () => {
          throw new Failure("chunk/mismatch");
        },
      },
      "wrong-bytes",
    ],
    "wrong slices": [{ hash: async (...args) => (await twin.hash(...args)).map((byte) => byte ^ 1) }, "wrong-bytes"],
  };
  it.each(Object.entries(faults))("does the call again on the CPU and stays there: %s", async (_, [fault, what]) => {
    const { engine, onFallback } = guard(stub(fault), NEVER, { limitMs: 200 });
    await expectAllRight(engine);
    expect([engine.kind, engine.batchBytes]).toEqual(["cpu", cpu.batchBytes]);
    expect(engine.reason?.code).toBe("engine/failed");
    expect(engine.reason?.details["what"]).toBe(what);
    await expectAllRight(engine);
    expect(onFallback.mock.calls).toEqual([[engine.reason]]);
  });

  it("finds a single wrong hash or block within some batches", async () => {
    let batches = 0;
    const cut: Engine["cut"] = async (...args) => {
      batches += 1;
      const results = await twin.cut(...args);
      const hashes = results[0]?.hashes;
      return hashes === undefined
        ? results
        : [{ ends: results[0]?.ends ?? new Uint32Array(), hashes: spoilt(hashes, 3) }, ...results.slice(1)];
    };
    const { engine } = guard(stub({ cut }));
    while (engine.reason === undefined && batches < 200) await engine.cut(BYTES, PIECES, SIZES);
    expect(engine.reason?.details).toEqual({ what: "wrong-bytes", where: "hash" });
  });

  it("takes what is malformed for malformed, not for a fault", async () => {
    const { engine } = guard(stub());
    const mismatch = expect.objectContaining({ code: "chunk/mismatch" });
    await expect(engine.decompress(noise(1000, 2), "lz4", 5000)).rejects.toEqual(mismatch);
    await expect(engine.decompress(noise(1000, 2), "zstd", 5000)).rejects.toEqual(mismatch);
    expect(engine.kind).toBe("gpu");
  });

  it("finishes the call that is in work when the device is lost", async () => {
    let lose: (failure: Failure) => void = () => {};
    const lost = new Promise<Failure>((resolve) => {
      lose = resolve;
    });
    const { engine, onFallback } = guard(stub({ cut: silent, compress: silent }), lost);
    const [cut, compressed] = [engine.cut(BYTES, PIECES, SIZES), engine.compress(BYTES, RUNS, "lz4")];
    lose(new Failure("engine/failed", { what: "lost" }));
    expect(await cut).toEqual(await cpu.cut(BYTES, PIECES, SIZES));
    expect(await compressed).toEqual(await cpu.compress(BYTES, RUNS, "lz4"));
    expect(onFallback).toHaveBeenCalledTimes(1);
    expect(engine.reason?.details["what"]).toBe("lost");
  });

  it("finishes on the CPU when a real device is destroyed in the middle", async () => {
    const device = await openGpu(await testGpu());
    if (device === undefined) throw new Error("no adapter");
    const gpu = await createGpuEngine(device, cpu);
    const { engine, onFallback } = guard(gpu, device.lost, { limitMs: 50_000 });
    await expectAllRight(engine);
    expect(engine.kind).toBe("gpu");
    const [cut, compressed] = [engine.cut(BYTES, PIECES, SIZES), engine.compress(BYTES, RUNS, "lz4")];
    setTimeout(() => device.destroy(), 5);
    expect(await cut).toEqual(await cpu.cut(BYTES, PIECES, SIZES));
    for (const [i, frame] of (await compressed).entries()) {
      const { start, end } = RUNS[i] ?? { start: 0, end: 0 };
      const plain = frame && (await cpu.decompress(frame, "lz4", end - start));
      expect(plain && Buffer.compare(plain, BYTES.subarray(start, end))).toBe(0);
    }
    await expectAllRight(engine);
    expect(engine.kind).toBe("cpu");
    expect(onFallback).toHaveBeenCalledTimes(1);
    await expect(selfTest(gpu, cpu)).rejects.toEqual(expect.objectContaining({ code: "engine/failed" }));
  }, 60_000);
});

describe("known answers", () => {
  it.each(["wrong hashes", "wrong ends", "wrong LZ4", "wrong plain bytes"].map((name) => [name]))(
    "find %s",
    async (name) => {
      const wrong: Record<string, Partial<Engine>> = {
        "wrong hashes": {
          cut: async (...args) => (await twin.cut(...args)).map((r) => ({ ...r, hashes: spoilt(r.hashes, 40) })),
        },
        "wrong ends": { cut: async (...args) => (await twin.cut(...args)).slice(1) },
        "wrong LZ4": { compress: async (bytes, runs) => runs.map(() => bytes.slice()) },
        "wrong plain bytes": { decompress: async (...args) => spoilt(await twin.decompress(...args), 500_000) },
      };
      await selfTest(stub(), cpu);
      await expect(selfTest(stub(wrong[name]), cpu)).rejects.toThrow(Failure);
    },
  );
});
