/**
 * What all edges of a transfer do together, for the triggers: how loaded each is, and how far they are with what was planned.
 *
 * @module
 */
import type { RangeSet } from "../chunk/range-set.ts";
import type { EdgeWatch } from "./edge-watch.ts";
import type { EdgeLoad } from "./triggers.ts";

/** Packs' worth of planned work below which nothing is said of it. */
const MIN_WORK_PACKS = 4;

/** Done ÷ planned bytes in the time that edges had something to carry, whoever kept them waiting; undefined for too little. */
export function workRatio(usable: readonly EdgeWatch[], packBytes: number): number | undefined {
  const planned = usable.filter(({ plannedBytesPerSec }) => plannedBytesPerSec !== undefined);
  const dueBytes = planned.reduce((sum, watch) => sum + watch.dueBytes, 0);
  if (dueBytes <= MIN_WORK_PACKS * packBytes) return undefined;
  return planned.reduce((sum, watch) => sum + watch.doneBytes, 0) / dueBytes;
}

/** @param held by the edges' numbers. @param rest packs that are still to come, `[start, end)` */
export function edgeLoads(
  usable: readonly EdgeWatch[],
  held: readonly RangeSet[],
  [start, end]: readonly [start: number, end: number],
): EdgeLoad[] {
  return usable.map(({ edge, active, facts }) => ({
    edge,
    load: Math.min(1, active / facts.maxActive),
    // It holds the next pack, at least.
    canTake: held[edge]?.missing(end, start).next().value?.[0] !== start,
  }));
}
