/**
 * CPU or GPU: what is decided from what, and how it is measured.
 *
 * @module
 */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CutResult, Engine } from "../../core/ports/engine.ts";
import type { EngineFigures } from "../../core/transfer/snapshot.ts";
import {
  adapterName,
  CALIBRATION_VERSION,
  chooseEngine,
  decideByFigures,
  decideEarly,
  measureEngines,
  readFigures,
} from "./choose-engine.ts";
import type { GpuInfo } from "./device.ts";

const CARD: GpuInfo = { vendor: "maker", architecture: "arch", description: "", isFallback: false };
const SOFT: GpuInfo = { ...CARD, isFallback: true };
const FIGURES: EngineFigures = {
  version: CALIBRATION_VERSION,
  adapter: "maker arch",
  measuredAtMs: 5,
  cpu: { cut: 1000, compress: 500 },
  gpu: { cut: 2000, compress: 600 },
};

/** An engine whose calls take so many milliseconds and give nothing. */
function slow(kind: "cpu" | "gpu", milliseconds: number, calls: string[] = []): Engine {
  const wait = async <T>(name: string, result: T): Promise<T> => {
    calls.push(`${kind} ${name}`);
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    return result;
  };
  return {
    kind,
    batchBytes: 1,
    cut: () => wait<CutResult[]>("cut", []),
    compress: () => wait("compress", []),
    hash: () => wait("hash", new Uint8Array()),
    decompress: () => wait("decompress", new Uint8Array()),
    createFileHasher: () => {
      throw new Error("not used");
    },
  };
}

describe("decision", () => {
  it("does what is asked for, where it can", () => {
    expect(decideEarly("cpu", CARD)).toEqual({ kind: "cpu", reason: "forced" });
    expect(decideEarly("gpu", CARD)).toEqual({ kind: "gpu", reason: "forced" });
    expect(decideEarly("gpu", SOFT)).toEqual({ kind: "gpu", reason: "forced" });
    expect(decideEarly("gpu", undefined)).toEqual({ kind: "cpu", reason: "no-webgpu" });
  });

  it("never takes a software adapter by itself, and measures only a real one", () => {
    expect(decideEarly(undefined, SOFT)).toEqual({ kind: "cpu", reason: "software-gpu" });
    expect(decideEarly(undefined, undefined)).toEqual({ kind: "cpu", reason: "no-webgpu" });
    expect(decideEarly(undefined, CARD)).toBeUndefined();
  });

  it("takes the GPU only when both stages together are quicker", () => {
    expect(decideByFigures(FIGURES).kind).toBe("gpu");
    expect(decideByFigures({ ...FIGURES, gpu: FIGURES.cpu }).kind).toBe("cpu");
    expect(decideByFigures({ ...FIGURES, gpu: { cut: 9000, compress: 300 } }).kind).toBe("cpu");
    expect(decideByFigures({ ...FIGURES, gpu: null }).kind).toBe("cpu");
  });

  it("believes only figures that are whole, and of this version and adapter", () => {
    expect(readFigures(structuredClone(FIGURES), "maker arch")).toEqual(FIGURES);
    expect(readFigures({ ...FIGURES, gpu: null }, "maker arch")?.gpu).toBeNull();
    const { gpu: _, ...without } = FIGURES;
    for (const bad of [
      null,
      undefined,
      7,
      {},
      without,
      { ...FIGURES, version: CALIBRATION_VERSION + 1 },
      { ...FIGURES, adapter: "another" },
      { ...FIGURES, measuredAtMs: "now" },
      { ...FIGURES, cpu: { cut: 1 } },
      { ...FIGURES, gpu: { cut: Number.NaN, compress: 1 } },
      { ...FIGURES, gpu: { cut: 0, compress: 1 } },
    ]) {
      expect(readFigures(bad, "maker arch")).toBeUndefined();
    }
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
    const choose = (override: "cpu" | "gpu" | undefined, info: GpuInfo, remembered: unknown) =>
      chooseEngine({ override, gpu: { engine, info }, cpu, remembered });
    expect(await choose(undefined, CARD, FIGURES)).toEqual({
      kind: "gpu",
      reason: "measured-faster",
      figures: FIGURES,
    });
    expect(await choose("cpu", CARD, FIGURES)).toEqual({ kind: "cpu", reason: "forced", figures: FIGURES });
    expect(await choose("gpu", SOFT, null)).toEqual({ kind: "gpu", reason: "forced", figures: null });
    expect(await choose(undefined, SOFT, null)).toEqual({ kind: "cpu", reason: "software-gpu", figures: null });
    expect(await chooseEngine({ override: "gpu", gpu: undefined, cpu, remembered: FIGURES })).toEqual({
      kind: "cpu",
      reason: "no-webgpu",
      figures: null,
    });
    expect(calls).toEqual([]);
  });

  it("measures both and takes the quicker", async () => {
    for (const [gpuMs, kind] of [
      [1, "gpu"],
      [20, "cpu"],
    ] as const) {
      const gpu = { engine: slow("gpu", gpuMs), info: CARD };
      const choice = await timed(
        chooseEngine({ override: undefined, gpu, cpu: slow("cpu", 12), remembered: undefined }),
      );
      expect([choice.kind, choice.reason, choice.figures?.adapter]).toEqual([kind, "measured-faster", "maker arch"]);
      expect(readFigures(JSON.parse(JSON.stringify(choice.figures)), adapterName(CARD))).toEqual(choice.figures);
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
    expect(calls).toEqual(["gpu cut", "gpu compress"]);
    expect(hopeless.gpu?.cut).toBeLessThan(300);
  });
});
