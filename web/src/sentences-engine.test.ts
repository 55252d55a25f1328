import { describe, expect, it } from "vitest";
import type { EngineStatus } from "../../core/transfer/snapshot.ts";
import { chosenEngineSentence, engineSentence } from "./sentences-engine.ts";

const CPU: EngineStatus = { kind: "cpu", gpuStages: [], reason: "no-webgpu", adapter: null, figures: null };
const FIGURES: EngineStatus["figures"] = {
  version: 1,
  adapter: "test",
  measuredAtMs: 0,
  cpu: { cut: 600.4, compress: 450, compressMoved: 450, decompress: 2000, hash: 900 },
  gpu: { cut: 4000, compress: 9999.6, compressMoved: 5000, decompress: 1500, hash: 3000 },
};
const MEASURED: EngineStatus = { ...CPU, kind: "gpu", reason: "measured-faster", adapter: "test", figures: FIGURES };

describe("sentences of an engine", () => {
  it("say which one and why", () => {
    expect(engineSentence(CPU, "send")).toBe("CPU engine: this browser offers no GPU.");
    expect(chosenEngineSentence(CPU, "setting")).toBe("CPU engine: this browser offers no GPU.");
    const forced = { ...CPU, reason: "forced" } as const;
    expect(chosenEngineSentence(forced, "address")).toBe("CPU engine: this page's address asks for it.");
  });

  it("say the figures behind it, of the stages that count", () => {
    expect(engineSentence({ ...MEASURED, gpuStages: ["cut", "compress"] }, "send")).toBe(
      "GPU engine: it was measured to be faster here (cutting and hashing GPU 4,000\u00a0MB/s, CPU 600\u00a0MB/s, compressing GPU 10,000\u00a0MB/s, CPU 450\u00a0MB/s).",
    );
    const slow = { ...CPU, reason: "measured-faster", figures: { ...FIGURES, gpu: null } } as const;
    expect(engineSentence(slow, "receive")).toBe(
      "CPU engine: it was measured to be faster here (decompressing GPU too slow to tell, CPU 2,000\u00a0MB/s, verifying GPU too slow to tell, CPU 900\u00a0MB/s).",
    );
  });

  it("say who does what where both work", () => {
    expect(engineSentence({ ...MEASURED, gpuStages: ["hash"] }, "receive")).toMatch(
      /^GPU for verifying; CPU for decompressing: each was measured to be faster there \(/,
    );
    expect(chosenEngineSentence({ ...MEASURED, gpuStages: ["cut", "compress", "hash"] }, "setting")).toBe(
      "GPU for cutting and hashing, compressing, and verifying; CPU for decompressing: each was measured to be faster there.",
    );
  });
});
