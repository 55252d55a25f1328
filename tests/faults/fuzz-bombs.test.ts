/**
 * Decompression bombs against the engine that every receiver has.
 *
 * @module
 */
import { beforeAll, describe, expect, it } from "vitest";
import { Failure } from "../../core/failure.ts";
import type { Engine } from "../../core/ports/engine.ts";
import { MAX_CHUNK_BYTES, MIB } from "../../core/units.ts";
import { prose } from "../support/bytes.ts";
import { compressRun, loadEngine } from "../support/kernels.ts";
import { type Bomb, bombs } from "./fuzz/bombs.ts";
import { MAX_CALL_MS, usedBytes } from "./fuzz/judge.ts";

const MAX_EXTRA_BYTES = 16 * MIB;

let engine: Engine;
beforeAll(async () => {
  engine = await loadEngine();
  // Both codecs have the memory that the largest honest run takes.
  const plain = prose(MAX_CHUNK_BYTES, "warm");
  for (const codec of ["lz4", "zstd"] as const) {
    const packed = await compressRun(engine, plain, codec);
    if (packed !== undefined) await engine.decompress(packed, codec, plain.length);
  }
});

/** Processor milliseconds of the quickest of several tries, and how it failed. */
async function explode({ codec, frame, plainBytes }: Bomb): Promise<{ code: string; ms: number }> {
  let [code, ms] = ["decoded", Number.POSITIVE_INFINITY];
  for (let tries = 0; tries < 3; tries++) {
    const before = process.threadCpuUsage();
    await engine.decompress(frame, codec, plainBytes).catch((error: unknown) => {
      code = error instanceof Failure ? error.code : String(error);
    });
    const { user, system } = process.threadCpuUsage(before);
    ms = Math.min(ms, (user + system) / 1000);
  }
  return { code, ms };
}

describe("S10: a decompression bomb is refused at the size that was promised, soon and without memory:", () => {
  it.each(bombs().map((bomb) => [`${bomb.codec}: ${bomb.what}`, bomb] as const))("%s", async (_what, bomb) => {
    const before = { used: usedBytes(), rss: process.memoryUsage().rss };
    const { code, ms } = await explode(bomb);
    const rss = process.memoryUsage().rss - before.rss;
    expect(code).toBe("chunk/mismatch");
    expect(ms).toBeLessThan(MAX_CALL_MS);
    expect(rss).toBeLessThan(MAX_EXTRA_BYTES);
    expect(usedBytes() - before.used).toBeLessThan(MAX_EXTRA_BYTES);
  });

  it("and honest runs are decoded as before", async () => {
    const plain = prose(300_000, "after");
    for (const codec of ["lz4", "zstd"] as const) {
      const packed = await compressRun(engine, plain, codec);
      if (packed === undefined) throw new Error("prose is compressible");
      expect(Buffer.compare(await engine.decompress(packed, codec, plain.length), plain)).toBe(0);
    }
  });
});
