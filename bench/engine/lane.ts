/**
 * One thread of "all cores": an engine and data of its own, which works for as long as each message says and answers with
 * its speed in MB/s.
 *
 * @module
 */
import { parentPort, workerData } from "node:worker_threads";
import { loadEngine } from "../../tests/support/kernels.ts";
import { repeated } from "./contest.ts";
import { compressWhole, cutWhole } from "./pipeline.ts";

/** What a thread is to do. */
export interface LaneTask {
  readonly work: "cut" | "lz4";
  readonly leastMs: number;
}

const bytes: Uint8Array<ArrayBuffer> = workerData;
const engine = await loadEngine();

parentPort?.on("message", async ({ work, leastMs }: LaneTask) => {
  const call = work === "cut" ? () => cutWhole(engine, bytes) : () => compressWhole(engine, bytes);
  parentPort?.postMessage((await repeated([call], bytes.length, leastMs)).wall);
});
