import { describe, expect, it } from "vitest";
import { gpuStagesOf, stagesOf } from "./engine-split.ts";
import type { EngineSpeeds } from "./snapshot.ts";

const CPU: EngineSpeeds = { cut: 600, compress: 400, compressMoved: 400, decompress: 2000, hash: 1000 };

describe("the stages that the GPU does", () => {
  it.each<[string, Partial<EngineSpeeds>, readonly string[]]>([
    ["none where it is slower in everything", { cut: 500, compress: 300, compressMoved: 200 }, []],
    ["none where it is as quick", {}, []],
    ["cutting alone", { cut: 4000, compress: 300, compressMoved: 200 }, ["cut"]],
    [
      "compressing alone, when moving the bytes there pays too",
      { cut: 100, compress: 4000, compressMoved: 2000 },
      ["compress"],
    ],
    [
      "nothing, when only moving the bytes makes it the slower one",
      { cut: 100, compress: 4000, compressMoved: 390 },
      [],
    ],
    ["both", { cut: 4000, compress: 2000, compressMoved: 1000 }, ["cut", "compress"]],
    // Each is slower alone; but what is cut there need not be moved there to be compressed.
    ["both, when that only pays together", { cut: 590, compress: 4000, compressMoved: 300 }, ["cut", "compress"]],
  ])("of a send: %s", (_, gpu, stages) => {
    expect(gpuStagesOf("send", { cpu: CPU, gpu: { ...CPU, ...gpu } })).toEqual(stages);
  });

  it("of a receive: each for itself", () => {
    const of = (gpu: Partial<EngineSpeeds>) => gpuStagesOf("receive", { cpu: CPU, gpu: { ...CPU, ...gpu } });
    expect(of({ cut: 9000, compress: 9000 })).toEqual([]);
    expect(of({ decompress: 2500 })).toEqual(["decompress"]);
    expect(of({ hash: 5000, decompress: 100 })).toEqual(["hash"]);
    expect(of({ hash: 5000, decompress: 5000 })).toEqual(["decompress", "hash"]);
  });

  it("are none where it did not answer", () => {
    for (const work of ["send", "receive", "both"] as const)
      expect(gpuStagesOf(work, { cpu: CPU, gpu: null })).toEqual([]);
  });

  it("of both are those of a send and those of a receive", () => {
    const gpu = { ...CPU, cut: 4000, hash: 5000 };
    expect(gpuStagesOf("both", { cpu: CPU, gpu })).toEqual(["cut", "hash"]);
    expect(stagesOf("both")).toEqual([...stagesOf("send"), ...stagesOf("receive")]);
  });
});
