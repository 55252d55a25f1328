import { afterEach, describe, expect, it, vi } from "vitest";
import type { EngineFigures, EngineSpeeds, EngineStatus } from "../../../core/transfer/snapshot.ts";
import { askedEngine, automaticEngine, rememberedSetting, rememberSetting, withSetting } from "./engine-setting.ts";

const SLOW = { cut: 600, compress: 400, compressMoved: 400, decompress: 2000, hash: 1000 };
const FAST = { cut: 4000, compress: 2000, compressMoved: 1500, decompress: 9000, hash: 8000 };

const ON_CPU = { kind: "cpu", gpuStages: [] } as const;

const figures = (cpu: EngineSpeeds = SLOW, gpu: EngineSpeeds | null = FAST): EngineFigures => {
  return { version: 1, adapter: "test", measuredAtMs: 1, cpu, gpu };
};

function useStorage(kept: Record<string, string> = {}): Record<string, string> {
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept[key] ?? null,
    setItem: (key: string, value: string) => {
      kept[key] = value;
    },
    removeItem: (key: string) => {
      delete kept[key];
    },
  });
  return kept;
}

afterEach(() => vi.unstubAllGlobals());

describe("the engine setting", () => {
  it("is automatic until something else is chosen, and is kept", () => {
    const kept = useStorage();
    expect(rememberedSetting()).toBe("auto");
    rememberSetting("gpu");
    expect(kept).toEqual({ engine: "gpu" });
    expect(rememberedSetting()).toBe("gpu");
  });

  it("leaves nothing behind when it is automatic again", () => {
    const kept = useStorage({ engine: "cpu" });
    rememberSetting("auto");
    expect(kept).toEqual({});
  });

  it("takes nothing that it does not know", () => {
    useStorage({ engine: "quantum" });
    expect(rememberedSetting()).toBe("auto");
  });

  it("does without a storage that is forbidden", () => {
    const refuse = () => {
      throw new DOMException("no", "SecurityError");
    };
    vi.stubGlobal("localStorage", { getItem: refuse, setItem: refuse, removeItem: refuse });
    expect(rememberedSetting()).toBe("auto");
    rememberSetting("gpu");
    rememberSetting("auto");
  });

  it("gives way to the address, and leaves the path as it is", () => {
    expect(withSetting({ engine: "cpu" }, "gpu")).toEqual({ engine: "cpu" });
    expect(withSetting({ path: "tcp" }, "gpu")).toEqual({ engine: "gpu", path: "tcp" });
    expect(withSetting({ path: "tcp" }, "auto")).toEqual({ path: "tcp" });
  });
});

describe("the choice", () => {
  it("is the CPU as long as nothing was measured", () => {
    expect(automaticEngine(null)).toEqual({ ...ON_CPU, reason: "not-measured", adapter: null, figures: null });
  });

  it("is the faster engine, stage by stage", () => {
    const all = ["cut", "compress", "decompress", "hash"];
    expect(automaticEngine(figures())).toMatchObject({ kind: "gpu", gpuStages: all, adapter: "test" });
    expect(automaticEngine(figures(FAST, SLOW))).toMatchObject({ ...ON_CPU, reason: "measured-faster" });
    const partly = figures(SLOW, { ...SLOW, hash: 9000 });
    expect(automaticEngine(partly)).toMatchObject({ kind: "gpu", gpuStages: ["hash"], reason: "measured-faster" });
  });

  it("is the CPU when the GPU did not answer in time", () => {
    expect(automaticEngine(figures(SLOW, null))).toMatchObject(ON_CPU);
  });

  it("follows what is asked for by name, but not to a GPU that cannot be had", () => {
    const automatic = automaticEngine(figures());
    expect(askedEngine(automatic, undefined)).toBe(automatic);
    expect(askedEngine(automatic, "cpu")).toEqual({ ...automatic, ...ON_CPU, reason: "forced" });
    const none: EngineStatus = { ...ON_CPU, reason: "no-webgpu", adapter: null, figures: null };
    expect(askedEngine(none, "gpu")).toBe(none);
    expect(askedEngine(none, "cpu")).toEqual({ ...none, reason: "forced" });
    expect(askedEngine({ ...none, reason: "software-gpu" }, "gpu")).toMatchObject({
      kind: "gpu",
      gpuStages: ["cut", "compress", "decompress", "hash"],
      reason: "forced",
    });
  });
});
