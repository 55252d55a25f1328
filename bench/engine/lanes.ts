/**
 * The CPU engine on all cores: one thread for each.
 *
 * @module
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Contest } from "./contest.ts";
import type { LaneTask } from "./lane.ts";

/** The contests of all threads together, each with its own copy of `bytes`; the threads end with the process. */
export function laneContests(bytes: Uint8Array<ArrayBuffer>): Contest[] {
  const lanes = Array.from({ length: availableParallelism() }, () => {
    const lane = new Worker(new URL("./lane.ts", import.meta.url), { workerData: bytes });
    lane.unref();
    return lane;
  });
  const contest = (name: string, work: LaneTask["work"]): Contest => {
    const sample = async (leastMs: number) => {
      const speeds = await Promise.all(lanes.map((lane) => ask(lane, { work, leastMs })));
      return { wall: speeds.reduce((sum, speed) => sum + speed, 0) };
    };
    return { part: "cpu", name: `${name}, ${lanes.length} threads`, data: "text", sample };
  };
  return [contest("cut + hash", "cut"), contest("lz4", "lz4")];
}

function ask(lane: Worker, task: LaneTask): Promise<number> {
  return new Promise((resolve, reject) => {
    lane.once("error", reject);
    lane.once("message", (speed: number) => {
      lane.off("error", reject);
      resolve(speed);
    });
    lane.postMessage(task);
  });
}
