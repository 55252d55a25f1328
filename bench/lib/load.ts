/**
 * How busy the machine was with other people's work while a sample ran. A sample with much foreign load is kept and
 * flagged: leaving it out silently would be worse.
 *
 * @module
 */
import { availableParallelism } from "node:os";
import { busyTicks, listProcesses, type ProcessStat, treeOf } from "./proc.ts";

/** Foreign load above this is flagged, in percent of the whole machine. */
export const FOREIGN_LIMIT_PERCENT = 12;
const TICKS_PER_SECOND = 100;
/** The kernel's own threads work for whoever writes to the disk. */
const KERNEL_THREADS = 2;

export interface Load {
  /** Percent of all cores that processes outside this bench used. */
  readonly foreignPercent: number;
  /** Seconds of processor time that this bench and everything it started used. */
  readonly ownSeconds: number;
  /** The same by group, as the caller sorts processes; those of no group are left out. */
  readonly groupSeconds: Readonly<Record<string, number>>;
}

/** Which group a process of this bench belongs to. */
export type Grouping = (pid: number) => string | undefined;

interface Mark {
  readonly ms: number;
  readonly busy: number;
  readonly own: ReadonlyMap<number, number>;
}

/** Ticks used between two marks by processes that lived at the second one. */
export function ticksBetween(before: ReadonlyMap<number, number>, after: ReadonlyMap<number, number>): number {
  let sum = 0;
  for (const [pid, ticks] of after) sum += ticks - (before.get(pid) ?? 0);
  return sum;
}

function ownTicks(processes: readonly ProcessStat[]): Map<number, number> {
  return new Map(treeOf([process.pid, KERNEL_THREADS], processes).map(({ pid, ticks }) => [pid, ticks]));
}

function mark(): Mark | undefined {
  const busy = busyTicks();
  if (busy === undefined) return undefined;
  return { ms: performance.now(), busy, own: ownTicks(listProcesses()) };
}

/** Sums `after - before` by group. */
export function groupTicks(
  before: ReadonlyMap<number, number>,
  after: ReadonlyMap<number, number>,
  grouping: Grouping,
): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [pid, ticks] of after) {
    const group = grouping(pid);
    if (group !== undefined) sums[group] = (sums[group] ?? 0) + ticks - (before.get(pid) ?? 0);
  }
  return sums;
}

/** Starts measuring; the returned function gives the load since then, or undefined where there is no /proc. */
export function measureLoad(grouping: Grouping = () => undefined): () => Load | undefined {
  const before = mark();
  return () => {
    const after = mark();
    if (before === undefined || after === undefined) return undefined;
    const own = ticksBetween(before.own, after.own);
    const foreign = Math.max(0, after.busy - before.busy - own);
    const capacity = ((after.ms - before.ms) / 1000) * TICKS_PER_SECOND * availableParallelism();
    const groups = Object.entries(groupTicks(before.own, after.own, grouping));
    return {
      foreignPercent: (100 * foreign) / Math.max(1, capacity),
      ownSeconds: own / TICKS_PER_SECOND,
      groupSeconds: Object.fromEntries(groups.map(([name, ticks]) => [name, ticks / TICKS_PER_SECOND])),
    };
  };
}

const LOOK_MS = 300;

/** Foreign load just now, while this bench does nothing; waits up to `patienceMs` for it to fall below the limit. */
export async function idleLoad(patienceMs: number): Promise<Load | undefined> {
  for (const start = performance.now(); ; ) {
    const load = measureLoad();
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const seen = load();
    const isQuiet = seen === undefined || seen.foreignPercent <= FOREIGN_LIMIT_PERCENT;
    if (isQuiet || performance.now() - start >= patienceMs) return seen;
  }
}
