/**
 * The processor in the same run: the CPU engine on one thread.
 *
 * @module
 */
import type { Engine } from "../../core/ports/engine.ts";
import { MIB } from "../../core/units.ts";
import type { Kernels } from "../../kernels/loader.ts";
import type { KernelData } from "../kernels/data.ts";
import { HASH_OWN, LZ4_OWN } from "./aims.ts";
import { type Contest, repeated } from "./contest.ts";
import { rangesOf } from "./data.ts";
import { cutAndCompress, cutWhole, MAX_BATCH_MIB } from "./pipeline.ts";
import { ratioOf, twinCompress } from "./twin.ts";

/** Bytes of each slice that is hashed, and of each run that is compressed. */
export const PART_BYTES = MIB;
/** The data sets that become smaller. */
export const COMPRESSED = ["text", "code"] as const;

/** Something on one thread that goes through `bytes`. */
export function cpuContest(
  name: string,
  data: string,
  bytes: Uint8Array,
  work: () => unknown,
  smaller?: number,
): Contest {
  const sample = (leastMs: number) => repeated([work], bytes.length, leastMs);
  return { part: "cpu", name, data, sample, ...(smaller !== undefined && { smaller }) };
}

/**
 * Everything on one thread; `data` is borrowed, `twins` are for what needs no timing.
 * @param peers others at the same work; each stands behind its kind
 */
export async function cpuContests(
  engine: Engine,
  twins: Kernels,
  data: KernelData,
  peers: readonly Contest[],
): Promise<Contest[]> {
  const { random } = data;
  const batch = data.text.slice(0, MAX_BATCH_MIB * MIB);
  const ends = Uint32Array.from(rangesOf(random.length, PART_BYTES), ({ end }) => end);
  const others = (kind: "hash" | "lz4", of: string): Contest[] => {
    return peers.filter(({ name, data: own }) => name.startsWith(kind) && own === of);
  };
  return [
    cpuContest(HASH_OWN, "random", random, () => engine.hash(random, ends)),
    ...others("hash", "random"),
    cpuContest("cut + hash", "text", batch, () => cutWhole(engine, batch)),
    cpuContest("cut + hash + lz4", "text", batch, () => cutAndCompress(engine, batch)),
    ...COMPRESSED.flatMap((name) => {
      const plain = data[name];
      const runs = rangesOf(plain.length, PART_BYTES);
      const compress = () => engine.compress(plain, runs, "lz4");
      return [cpuContest(LZ4_OWN, name, plain, compress, ratioOf(twinCompress(twins, plain))), ...others("lz4", name)];
    }),
  ];
}
