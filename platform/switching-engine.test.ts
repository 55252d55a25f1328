import { describe, expect, it } from "vitest";
import type { Engine } from "../core/ports/engine.ts";
import type { EngineStage } from "../core/transfer/snapshot.ts";
import { SwitchingEngine } from "./switching-engine.ts";

const BYTES = new Uint8Array(1);
const SIZES = { minBytes: 1, averageBytes: 1, maxBytes: 1 };

/** An engine that notes what it is asked for. */
function noting(kind: "cpu" | "gpu", batchBytes: number, calls: string[]): Engine {
  const note = <T>(stage: string, result: T): Promise<T> => {
    calls.push(`${stage} on ${kind}`);
    return Promise.resolve(result);
  };
  return {
    kind,
    batchBytes,
    cut: () => note("cut", []),
    compress: () => note("compress", []),
    decompress: () => note("decompress", BYTES),
    hash: () => note("hash", BYTES),
    createFileHasher: () => {
      calls.push(`file on ${kind}`);
      return { update: () => {}, digest: () => BYTES };
    },
  };
}

/** Who does what, and how much at once, when the GPU is given these stages. */
async function ask(stages: readonly EngineStage[] | undefined): Promise<unknown[]> {
  const calls: string[] = [];
  const engine = new SwitchingEngine(noting("cpu", 4, calls));
  if (stages !== undefined) engine.use(noting("gpu", 16, calls), stages);
  await engine.cut(BYTES, [], SIZES);
  await engine.compress(BYTES, [], "lz4");
  await engine.decompress(BYTES, "lz4", 1);
  await engine.hash(BYTES, Uint32Array.of(1));
  engine.createFileHasher();
  return [engine.kind, engine.batchBytes, ...calls.map((call) => call.endsWith("gpu") && call.split(" ")[0])];
}

describe("an engine that is exchanged stage by stage", () => {
  it("does all with the first until there is another one", async () => {
    expect(await ask(undefined)).toEqual(["cpu", 4, false, false, false, false, false]);
  });

  it("gives the other one its stages, and takes its measure where they want whole batches", async () => {
    expect(await ask(["cut"])).toEqual(["gpu", 16, "cut", false, false, false, false]);
    expect(await ask(["compress"])).toEqual(["gpu", 16, false, "compress", false, false, false]);
    expect(await ask(["hash", "decompress"])).toEqual(["gpu", 4, false, false, "decompress", "hash", false]);
    expect(await ask(["cut", "compress", "decompress", "hash"])).toEqual([
      "gpu",
      16,
      "cut",
      "compress",
      "decompress",
      "hash",
      false,
    ]);
  });
});
