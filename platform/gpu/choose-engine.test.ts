/**
 * CPU or GPU: what is decided from what, and how it is measured.
 *
 * @module
 */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Engine } from "../../core/ports/engine.ts";
import { readFigures } from "../../core/transfer/engine-figures.ts";
import type { EngineFigures } from "../../core/transfer/snapshot.ts";
import { RUN_BYTES } from "../../core/units.ts";
import { FIGURES } from "../../tests/support/engine-figures.ts";
import { chooseEngine, decideByFigures, decideEarly } from "./choose-engine.ts";
import type { GpuInfo } from "./device.ts";
import { measureEngines } from "./measure-engines.ts";

const CARD: GpuInfo = { vendor: "maker", architecture: "arch", description: "", isFallback: false };
const SOFT: GpuInfo = { ...CARD, isFallback: true };
const ON_CPU = { kind: "cpu", gpuStages: [] } as const;

/** An engine whose calls take so many milliseconds and give next to nothing. */
function slow(kind: "cpu" | "gpu", milliseconds: number, calls: string[] = []): Engine {
  const wait = async <T>(name: string, result: T): Promise<T> => {
    calls.push(`${kind} ${name}`);
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    return result;
  };
  return {
    kind,
    batchBytes: RUN_BYTES,
    cut: (_, pieces) =>
      wait(
        "cut",
        pieces.map(({ start, end }) => ({ ends: Uint32Array.of(end - start), hashes: new Uint8Array(32) })),
      ),
    compress: (_, runs) =>
      wait(
        "compress",
        runs.map(() => new Uint8Array(1)),
      ),
    hash: () => wait("hash", new Uint8Array()),
    decompress: () => wait("decompress", new Uint8Array()),
    createFileHasher: () => {
      throw new Error("not used");
    },
  };
}

describe("decision", () => {
  it("does what is asked for, where it can", () => {
    const onGpu = { kind: "gpu", gpuStages: ["cut", "compress"], reason: "forced" };
    expect(decideEarly("send", "cpu", CARD)).toEqual({ ...ON_CPU, reason: "forced" });
    expect(decideEarly("send", "gpu", CARD)).toEqual(onGpu);
    expect(decideEarly("send", "gpu", SOFT)).toEqual(onGpu);
    expect(decideEarly("receive", "gpu", SOFT)?.gpuStages).toEqual(["decompress", "hash"]);
    expect(decideEarly("send", "gpu", undefined)).toEqual({ ...ON_CPU, reason: "no-webgpu" });
  });

  it("never takes a software adapter by itself, and measures only a real one", () => {
    expect(decideEarly("send", undefined, SOFT)).toEqual({ ...ON_CPU, reason: "software-gpu" });
    expect(decideEarly("send", undefined, undefined)).toEqual({ ...ON_CPU, reason: "no-webgpu" });
    expect(decideEarly("receive", undefined, CARD)).toBeUndefined();
  });

  it("takes the GPU for the stages in which that is quicker, and else not at all", () => {
    const measured = (work: "send" | "receive", figures: EngineFigures) => decideByFigures(work, figures);
    expect(measured("send", FIGURES)).toEqual({
      kind: "gpu",
      gpuStages: ["cut", "compress"],
      reason: "measured-faster",
    });
    expect(measured("receive", FIGURES)).toMatchObject({ kind: "gpu", gpuStages: ["hash"] });
    const none = { ...ON_CPU, reason: "measured-faster" };
    expect(measured("send", { ...FIGURES, gpu: FIGURES.cpu })).toEqual(none);
    expect(measured("receive", { ...FIGURES, gpu: null })).toEqual(none);
  });
});

/** What `work` gives, with all the time it takes. */
async function timed<T>(work: Promise<T>): Promise<T> {
  await vi.runAllTimersAsync();
  return work;
}

describe("choice", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("measures nothing when it remembers or need not", async () => {
    const calls: string[] = [];
    const [cpu, engine] = [slow("cpu", 0, calls), slow("gpu", 0, calls)];
    const choose = (override: "cpu" | "gpu" | undefined, info: GpuInfo, remembered: EngineFigures | null) =>
      chooseEngine({ work: "send", override, gpu: { engine, info }, cpu, remembered });
    const onGpu = { kind: "gpu", gpuStages: ["cut", "compress"] };
    expect(await choose(undefined, CARD, FIGURES)).toEqual({ ...onGpu, reason: "measured-faster", figures: FIGURES });
    expect(await choose("cpu", CARD, FIGURES)).toEqual({ ...ON_CPU, reason: "forced", figures: FIGURES });
    expect(await choose("gpu", SOFT, null)).toEqual({ ...onGpu, reason: "forced", figures: null });
    expect(await choose(undefined, SOFT, null)).toEqual({ ...ON_CPU, reason: "software-gpu", figures: null });
    const without = { work: "send", override: "gpu", gpu: undefined, cpu, remembered: FIGURES } as const;
    expect(await chooseEngine(without)).toEqual({ ...ON_CPU, reason: "no-webgpu", figures: null });
    expect(calls).toEqual([]);
    // Of another adapter.
    await timed(choose(undefined, CARD, { ...FIGURES, adapter: "another" }));
    expect(calls).toContain("gpu cut");
  });

  it("measures both and takes the quicker", async () => {
    for (const [gpuMs, kind] of [
      [1, "gpu"],
      [20, "cpu"],
    ] as const) {
      const gpu = { engine: slow("gpu", gpuMs), info: CARD };
      const choice = await timed(
        chooseEngine({ work: "both", override: undefined, gpu, cpu: slow("cpu", 12), remembered: null }),
      );
      expect([choice.kind, choice.reason, choice.figures?.adapter]).toEqual([kind, "measured-faster", "maker arch"]);
      expect(choice.gpuStages).toEqual(kind === "gpu" ? ["cut", "compress", "decompress", "hash"] : []);
      expect(readFigures(JSON.parse(JSON.stringify(choice.figures)))).toEqual(choice.figures);
    }
  });

  it("gives a GPU up that is silent, fails, or is hopeless", async () => {
    const began = performance.now();
    const silent = measureEngines(slow("cpu", 1), slow("gpu", 60_000), "x");
    await vi.advanceTimersByTimeAsync(310);
    expect((await silent).gpu).toBeNull();
    expect(performance.now() - began).toBeLessThan(320);
    const failing: Engine = { ...slow("gpu", 0), compress: () => Promise.reject(new Error("no")) };
    expect((await timed(measureEngines(slow("cpu", 1), failing, "x"))).gpu).toBeNull();
    const calls: string[] = [];
    const hopeless = await timed(measureEngines(slow("cpu", 1), slow("gpu", 40, calls), "x"));
    expect(calls).toEqual(["gpu cut", "gpu compress", "gpu compress", "gpu decompress", "gpu hash"]);
    expect(hopeless.gpu?.cut).toBeLessThan(300);
  });
});
