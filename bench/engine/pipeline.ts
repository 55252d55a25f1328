/**
 * The GPU engine as the product uses it: bytes of the host in, cuts, digests and compressed runs out.
 *
 * @module
 */
import { cutSizesFor } from "../../core/chunk/cut-sizes.ts";
import type { Engine } from "../../core/ports/engine.ts";
import { MIB, RUN_BYTES } from "../../core/units.ts";
import { type Contest, repeated } from "./contest.ts";
import { rangesOf } from "./data.ts";
import { assertSame } from "./stages.ts";

/** MiB of the batches that are tried. */
export const BATCH_MIB = [1, 4, 16] as const;
/** The largest of them. */
export const MAX_BATCH_MIB = 16;

type Bytes = Uint8Array<ArrayBuffer>;

/** Cuts and hashes a whole file. */
export function cutWhole(engine: Engine, bytes: Bytes): ReturnType<Engine["cut"]> {
  return engine.cut(bytes, [{ start: 0, end: bytes.length, final: true }], cutSizesFor(0));
}

/** Compresses it in runs of the usual size. */
export function compressWhole(engine: Engine, bytes: Bytes): ReturnType<Engine["compress"]> {
  return engine.compress(bytes, rangesOf(bytes.length, RUN_BYTES), "lz4");
}

/** Both, one after the other: the bytes move to the device only once. */
export async function cutAndCompress(engine: Engine, bytes: Bytes): Promise<void> {
  await cutWhole(engine, bytes);
  await compressWhole(engine, bytes);
}

/** @throws Error when the engine's results are not the CPU's, or do not decode to what went in */
async function verify(engine: Engine, cpu: Engine, bytes: Bytes): Promise<void> {
  const [[ours], [theirs]] = [await cutWhole(engine, bytes), await cutWhole(cpu, bytes)];
  const ends = (found: Uint32Array = new Uint32Array(0)): Uint8Array => new Uint8Array(found.slice().buffer);
  assertSame("cut", ends(ours?.ends), ends(theirs?.ends));
  assertSame("cut's hashes", ours?.hashes, theirs?.hashes ?? new Uint8Array(0));
  const frames = await compressWhole(engine, bytes);
  for (const [i, { start, end }] of rangesOf(bytes.length, RUN_BYTES).entries()) {
    const frame = frames[i];
    if (frame === undefined) continue;
    assertSame("compress", await cpu.decompress(frame, "lz4", end - start), bytes.subarray(start, end));
  }
}

/** The engine's calls on batches of each size, one in flight and two; `bytes` are borrowed. */
export async function pipelineContests(
  engine: Engine,
  cpu: Engine,
  bytes: Bytes,
  mebibytes: readonly number[],
): Promise<Contest[]> {
  const contests: Contest[] = [];
  for (const mib of mebibytes) {
    const length = mib * MIB;
    // Two buffers: the engine keeps calls for one buffer in one place.
    const batches = [bytes.slice(0, length), bytes.slice(-length)];
    for (const batch of batches) await verify(engine, cpu, batch);
    for (const inFlight of [1, 2]) {
      const contest = (name: string, call: (batch: Bytes) => Promise<unknown>): void => {
        const calls = batches.slice(0, inFlight).map((batch) => () => call(batch));
        const sample = (leastMs: number) => repeated(calls, length, leastMs);
        contests.push({ part: "pipeline", name, data: "text", mib, inFlight, sample });
      };
      contest("cut + hash", (batch) => cutWhole(engine, batch));
      contest("cut + hash + lz4", (batch) => cutAndCompress(engine, batch));
    }
  }
  return contests;
}
