/**
 * The processor in the same run: the CPU engine on one thread, the best packages for the same work, and `b3sum`.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { hash as jitHash } from "blake3-jit";
import { createBLAKE3 } from "hash-wasm";
import { compress as lz4WasmCompress } from "lz4-wasm/lz4_wasm.js";
import type { Engine } from "../../core/ports/engine.ts";
import { MIB } from "../../core/units.ts";
import type { Kernels } from "../../kernels/loader.ts";
import type { KernelData } from "../kernels/data.ts";
import { temporaryFolder } from "../lib/cleanup.ts";
import { megabytesPerSecond } from "../lib/stats.ts";
import { HASH_OWN, HASH_PEERS, HASH_PROGRAM, LZ4_OWN, LZ4_PEER } from "./aims.ts";
import { type Contest, repeated } from "./contest.ts";
import { rangesOf, repeatedTo } from "./data.ts";
import { cutAndCompress, cutWhole, MAX_BATCH_MIB } from "./pipeline.ts";
import { assertSame } from "./stages.ts";
import { programRatio, ratioOf, twinCompress } from "./twin.ts";

/** Bytes of each slice that is hashed, and of each run that is compressed. */
const PART_BYTES = MIB;
/** So much that starting the program weighs little. */
const FILE_PARTS = 8;

/** Everything on one thread; `data` is borrowed, `twins` are for what needs no timing. */
export async function cpuContests(engine: Engine, twins: Kernels, data: KernelData): Promise<Contest[]> {
  const { random } = data;
  const batch = data.text.slice(0, MAX_BATCH_MIB * MIB);
  const contest = (name: string, bytes: Uint8Array, work: () => unknown, more: Partial<Contest> = {}): Contest => {
    const sample = (leastMs: number) => repeated([work], bytes.length, leastMs);
    return { part: "cpu", name, data: "random", sample, ...more };
  };
  const slices = rangesOf(random.length, PART_BYTES).map(({ start, end }) => random.subarray(start, end));
  const ends = Uint32Array.from(rangesOf(random.length, PART_BYTES), ({ end }) => end);
  const hashWasm = await createBLAKE3();
  const viaHashWasm = (slice: Uint8Array) => hashWasm.init().update(slice).digest("binary");
  const own = await engine.hash(random, ends);
  for (const hash of [jitHash, viaHashWasm]) assertSame("package", Buffer.concat(slices.map((s) => hash(s))), own);
  return [
    contest(HASH_OWN, random, () => engine.hash(random, ends)),
    contest(HASH_PEERS[0], random, () => slices.map((slice) => jitHash(slice))),
    contest(HASH_PEERS[1], random, () => slices.map(viaHashWasm)),
    ...(await programContests(random)),
    contest("cut + hash", batch, () => cutWhole(engine, batch), { data: "text" }),
    contest("cut + hash + lz4", batch, () => cutAndCompress(engine, batch), { data: "text" }),
    ...(["text", "code"] as const).flatMap((name) => {
      const plain = data[name];
      const runs = rangesOf(plain.length, PART_BYTES);
      const parts = runs.map(({ start, end }) => plain.subarray(start, end));
      const packed = parts.reduce((sum, part) => sum + lz4WasmCompress(part).length, 0);
      const smallerByProgram = programRatio(plain);
      const facts = { data: name, smaller: ratioOf(twinCompress(twins, plain)), smallerByProgram };
      const peerFacts = { data: name, smaller: plain.length / packed, smallerByProgram };
      return [
        contest(LZ4_OWN, plain, () => engine.compress(plain, runs, "lz4"), facts),
        contest(LZ4_PEER, plain, () => parts.map((part) => lz4WasmCompress(part)), peerFacts),
      ];
    }),
  ];
}

/** The program for BLAKE3, where it is installed, on a file that lies in the system's cache; less its own start. */
async function programContests(bytes: Uint8Array): Promise<Contest[]> {
  if (spawnSync("b3sum", ["--version"]).status !== 0) return [];
  const folder = await temporaryFolder("engine");
  const [file, empty] = [join(folder, "file"), join(folder, "empty")];
  const length = FILE_PARTS * bytes.length;
  writeFileSync(file, repeatedTo(bytes, length));
  writeFileSync(empty, "");
  const milliseconds = (path: string): number => {
    const began = performance.now();
    const { status } = spawnSync("b3sum", ["--num-threads", "1", path], { stdio: "ignore" });
    if (status !== 0) throw new Error("b3sum failed");
    return performance.now() - began;
  };
  const sample = () => {
    const start = Math.min(milliseconds(empty), milliseconds(empty));
    return { wall: megabytesPerSecond(length, milliseconds(file) - start) };
  };
  return [{ part: "cpu", name: HASH_PROGRAM, data: "random", sample }];
}
