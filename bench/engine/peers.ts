/**
 * Others at the work of the CPU engine, in Node: the best packages, and `b3sum`.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { hash as jitHash } from "blake3-jit";
import { createBLAKE3 } from "hash-wasm";
import { compress as lz4WasmCompress } from "lz4-wasm/lz4_wasm.js";
import { concat } from "../../core/bytes.ts";
import type { Engine } from "../../core/ports/engine.ts";
import type { KernelData } from "../kernels/data.ts";
import { temporaryFolder } from "../lib/cleanup.ts";
import { megabytesPerSecond } from "../lib/stats.ts";
import { HASH_PEERS, HASH_PROGRAM, LZ4_PEER } from "./aims.ts";
import type { Contest } from "./contest.ts";
import { COMPRESSED, cpuContest, PART_BYTES } from "./cpu.ts";
import { rangesOf, repeatedTo } from "./data.ts";
import { assertSame } from "./stages.ts";

/** So much that starting the program weighs little. */
const FILE_PARTS = 8;

/** Everybody on one thread; `data` is borrowed, `engine` says what hashes are right. */
export async function peerContests(engine: Engine, data: KernelData): Promise<Contest[]> {
  const { random } = data;
  const ranges = rangesOf(random.length, PART_BYTES);
  const slices = ranges.map(({ start, end }) => random.subarray(start, end));
  const hashWasm = await createBLAKE3();
  const viaHashWasm = (slice: Uint8Array) => hashWasm.init().update(slice).digest("binary");
  const own = await engine.hash(
    random,
    Uint32Array.from(ranges, ({ end }) => end),
  );
  for (const hash of [jitHash, viaHashWasm]) assertSame("package", concat(slices.map((s) => hash(s))), own);
  return [
    cpuContest(HASH_PEERS[0], "random", random, () => slices.map((slice) => jitHash(slice))),
    cpuContest(HASH_PEERS[1], "random", random, () => slices.map(viaHashWasm)),
    ...(await programContests(random)),
    ...COMPRESSED.map((name) => {
      const plain = data[name];
      const parts = rangesOf(plain.length, PART_BYTES).map(({ start, end }) => plain.subarray(start, end));
      const compress = () => parts.map((part) => lz4WasmCompress(part));
      const packed = compress().reduce((sum, { length }) => sum + length, 0);
      return cpuContest(LZ4_PEER, name, plain, compress, plain.length / packed);
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
