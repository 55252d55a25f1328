/**
 * Measures one world: solving, writing out, planning again, memory, and how near to the least time everybody comes.
 *
 * @module
 */
import type { EdgeView } from "../../core/schedule/model.ts";
import { Plan } from "../../core/schedule/plan.ts";
import { median } from "../lib/stats.ts";
import { leastMakespanUs } from "./flow-bound.ts";
import { makespanUs, RIVALS } from "./rivals.ts";
import type { World } from "./worlds.ts";

/** Milliseconds of single calls, after calls that are not counted. */
export interface Times {
  readonly what: string;
  readonly medianMs: number;
  readonly p99Ms: number;
  /** Processor time of a call, all calls together divided by their number: neighbours lengthen it less than the clock. */
  readonly cpuMs: number;
  readonly calls: number;
}

export interface WorldSample {
  readonly name: string;
  readonly packs: number;
  readonly pairs: number;
  readonly times: readonly Times[];
  readonly bytesPerPack: number;
  /** Makespan divided by the least one: ours as shares, ours as written, then the rivals. */
  readonly ratios: readonly { readonly who: string; readonly ratio: number }[];
  /** The same for plans that were made again: the worst of a sample of edges. */
  readonly worstReplanRatio: number;
  /** Classes that a lost edge moves, in the middle and at most. */
  readonly movedClasses: { readonly median: number; readonly most: number };
}

export interface Effort {
  readonly warmUps: number;
  readonly solves: number;
  readonly writes: number;
  /** Every edge is changed this often, and its least time counts, so that a neighbour's burst is not taken for ours. */
  readonly tries: number;
  /** Of how many edges the plan made again is compared with the least time. */
  readonly compared: number;
}

const COMPARED_TOLERANCE = 1e-4;

export function measureWorld(world: World, effort: Effort): WorldSample {
  const { name, classes, edges, inRanges, shuffled } = world;
  const out = new Uint16Array(inRanges.length);
  const plan = new Plan(classes, edges);
  const build = timed("new plan and solve", effort.warmUps, effort.solves, () => new Plan(classes, edges).solve());
  const solve = timed("solve", effort.warmUps, effort.solves, () => plan.solve());
  const write = (what: string, classOf: Uint16Array): Times => {
    const fresh = Array.from({ length: effort.warmUps + effort.writes }, () => new Plan(classes, edges));
    for (const each of fresh) each.solve();
    return timed(what, effort.warmUps, effort.writes, () => fresh.pop()?.writeAll(classOf, out));
  };
  const writes = [write("write all", inRanges), write("write all, shuffled", shuffled)];
  const least = leastUs(world, edges);
  plan.writeAll(inRanges, out);
  const ratios = [
    { who: "plan, as shares", ratio: lastUs(plan, edges.length) / least },
    { who: "plan, written", ratio: makespanUs(world, out) / least },
    ...RIVALS.map(({ name: who, assign }) => {
      assign(world, out);
      return { who, ratio: makespanUs(world, out) / least };
    }),
  ];
  const slow = (view: EdgeView): EdgeView => ({ ...view, bytesPerSec: view.bytesPerSec / 2 });
  const fast = (view: EdgeView): EdgeView => ({ ...view, bytesPerSec: view.bytesPerSec * 2 });
  const lost = (view: EdgeView): EdgeView => ({ ...view, weight: 0 });
  const replans = [
    replanned("replan: rate halved", world, plan, slow, effort),
    replanned("replan: rate doubled", world, plan, fast, effort),
    replanned("replan: lost", world, plan, lost, effort),
  ];
  const moved = replans[2]?.moved ?? [0];
  return {
    name,
    packs: inRanges.length,
    pairs: classes.reduce((sum, each) => sum + each.edges.length, 0),
    times: [build, solve, ...writes, ...replans.map(({ times }) => times)],
    bytesPerPack: (plan.memoryBytes + inRanges.byteLength + out.byteLength) / inRanges.length,
    ratios,
    worstReplanRatio: Math.max(...[slow, fast, lost].map((change) => worstRatio(world, plan, change, effort.compared))),
    movedClasses: { median: median(moved), most: Math.max(...moved) },
  };
}

function timed(what: string, warmUps: number, calls: number, work: () => void): Times {
  for (let call = 0; call < warmUps; call++) work();
  const before = process.threadCpuUsage();
  const times = Array.from({ length: calls }, () => clockMs(work));
  const { user, system } = process.threadCpuUsage(before);
  return { what, ...spread(times), cpuMs: (user + system) / 1000 / calls, calls };
}

/** Changes one edge after the other, each from a plan with all edges as they were. */
function replanned(
  what: string,
  { edges }: World,
  plan: Plan,
  change: (view: EdgeView) => EdgeView,
  { tries }: Effort,
): { times: Times; moved: number[] } {
  const moved: number[] = [];
  let cpuMs = 0;
  const times = edges.map((view, edge) => {
    let least = Number.POSITIVE_INFINITY;
    // planning back and forth need not come back to the same plan
    plan.solve();
    for (let run = 0; run < tries; run++) {
      const before = process.threadCpuUsage();
      least = Math.min(
        least,
        clockMs(() => moved.push(plan.replan([edge], [change(view)]).length)),
      );
      const { user, system } = process.threadCpuUsage(before);
      cpuMs += (user + system) / 1000;
      plan.replan([edge], [view]);
    }
    return least;
  });
  plan.solve();
  return { times: { what, ...spread(times), cpuMs: cpuMs / edges.length / tries, calls: edges.length * tries }, moved };
}

/** The worst makespan of a plan made again, of some edges, as a ratio to the least one. */
function worstRatio(world: World, plan: Plan, change: (view: EdgeView) => EdgeView, compared: number): number {
  const step = Math.max(1, Math.floor(world.edges.length / compared));
  let worst = 0;
  for (let edge = 0; edge < world.edges.length; edge += step) {
    const view = world.edges[edge];
    if (view === undefined) continue;
    const edges = world.edges.with(edge, change(view));
    plan.solve();
    plan.replan([edge], [change(view)]);
    worst = Math.max(worst, lastUs(plan, edges.length) / leastUs(world, edges));
    plan.replan([edge], [view]);
  }
  return worst;
}

function lastUs(plan: Plan, edges: number): number {
  let last = 0;
  for (let edge = 0; edge < edges; edge++) if (plan.loadUs(edge) > 0) last = Math.max(last, plan.finishUs(edge));
  return last;
}

function leastUs({ classes }: World, edges: readonly EdgeView[]): number {
  return leastMakespanUs(
    {
      demandBytes: classes.map(({ packs, packBytes }) => packs * packBytes),
      holders: classes.map((each) => each.edges),
      freeUs: edges.map(({ rttUs }) => rttUs),
      bytesPerUs: edges.map(({ bytesPerSec, weight }) => (weight > 0 ? bytesPerSec / 1e6 : 0)),
    },
    COMPARED_TOLERANCE,
  );
}

function clockMs(work: () => void): number {
  const before = performance.now();
  work();
  return performance.now() - before;
}

function spread(times: readonly number[]): { medianMs: number; p99Ms: number } {
  const sorted = times.toSorted((a, b) => a - b);
  return { medianMs: median(sorted), p99Ms: sorted[Math.ceil(0.99 * sorted.length) - 1] ?? Number.NaN };
}
