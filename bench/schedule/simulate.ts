/**
 * The dispatcher and simpler policies on the same simulated worlds. `simulateRows` is for the schedule bench to print and
 * store. Only virtual time is measured, so the numbers are the same on every machine.
 *
 * @module
 */
import { carriedBytes, lowerBoundMs } from "../../tests/support/simulator/bound.ts";
import { POLICIES } from "../../tests/support/simulator/policies.ts";
import { randomWorld, type WorldKind } from "../../tests/support/simulator/random-world.ts";
import type { Policy } from "../../tests/support/simulator/scheduler.ts";
import { simulate } from "../../tests/support/simulator/simulate.ts";
import type { World } from "../../tests/support/simulator/world.ts";
import { cell, formatTable } from "../lib/table.ts";

/** One policy in one kind of world. */
export interface SimulateRow {
  readonly world: string;
  readonly policy: string;
  /** Finish divided by the linear program's bound: the median of the worlds, and the worst. Infinity where it never ended. */
  readonly finishRatio: number;
  readonly worstRatio: number;
  /** Worlds in which it ended, in percent. */
  readonly finishedPercent: number;
  /** Useful bytes in percent of what the honest edges and the line could have carried until the end: median. */
  readonly goodputPercent: number;
  /** Copies in percent of packs. */
  readonly duplicatesPercent: number;
  /** From the loss of an edge to the first byte of its packs from another one: median and most. Undefined where none was lost. */
  readonly failoverMs: number | undefined;
  readonly failoverMostMs: number | undefined;
}

const STEADY: WorldKind = { packs: [500, 700], edges: [3, 10], spread: 20 };
const HOSTILE: WorldKind = { ...STEADY, packs: [200, 400], isUnsteady: true, isPartial: true, isHostile: true };

const WORLDS: Readonly<Record<string, (seed: number) => World>> = {
  "rates up to 20 : 1": (seed) => randomWorld(STEADY, seed),
  "holders of parts": (seed) => randomWorld({ ...STEADY, isPartial: true }, seed),
  "unsteady rates": (seed) => randomWorld({ ...STEADY, isUnsteady: true }, seed),
  "shared line": (seed) => randomWorld({ ...STEADY, shared: 1 }, seed),
  "in order, 14 packs": (seed) => randomWorld({ ...STEADY, spread: 4, inOrder: 1 }, seed),
  "one edge killed": killed,
  "failing and lying": (seed) => randomWorld(HOSTILE, seed),
};

/** Edge 0 is killed after a third of the time that it would take with it. */
function killed(seed: number): World {
  const world = randomWorld({ ...STEADY, spread: 4 }, seed);
  const atMs = lowerBoundMs(world) / 3;
  const edges = world.edges.map((edge, number) => ({
    ...edge,
    faults: number === 0 ? [{ kind: "lost" as const, atMs }] : [],
  }));
  return { ...world, edges };
}

/** Every policy in `count` worlds of every kind: seconds of work. */
export function simulateRows(count = 15): SimulateRow[] {
  return Object.entries(WORLDS).flatMap(([world, make]) => {
    const worlds = Array.from({ length: count }, (_, i) => {
      const made = make(i + 1);
      return { made, boundMs: lowerBoundMs(made) };
    });
    return Object.entries(POLICIES).map(([name, policy]) => rowOf(world, name, worlds, policy));
  });
}

function rowOf(
  world: string,
  name: string,
  worlds: readonly { made: World; boundMs: number }[],
  policy: Policy,
): SimulateRow {
  const ratios: number[] = [];
  const goodputs: number[] = [];
  const failovers: number[] = [];
  let duplicates = 0;
  for (const { made, boundMs } of worlds) {
    const outcome = simulate(made, policy);
    ratios.push(outcome.finishMs / boundMs);
    goodputs.push((made.packs * made.packBytes * 100) / mostBytes(made, outcome.finishMs));
    failovers.push(...outcome.failoverMs);
    duplicates += outcome.duplicates;
  }
  const packs = worlds.reduce((sum, { made }) => sum + made.packs, 0);
  return {
    world,
    policy: name,
    finishRatio: middle(ratios) ?? 0,
    worstRatio: Math.max(...ratios),
    finishedPercent: (100 * ratios.filter(Number.isFinite).length) / ratios.length,
    goodputPercent: middle(goodputs) ?? 0,
    duplicatesPercent: (100 * duplicates) / packs,
    failoverMs: middle(failovers),
    failoverMostMs: failovers.length === 0 ? undefined : Math.max(...failovers),
  };
}

function mostBytes({ edges, lineBytesPerSec = Number.POSITIVE_INFINITY }: World, ms: number): number {
  const byEdges = edges.reduce((sum, edge) => sum + (edge.lie === undefined ? carriedBytes(edge, ms) : 0), 0);
  return Math.min(byEdges, (lineBytesPerSec * ms) / 1_000);
}

function middle(numbers: readonly number[]): number | undefined {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

/** The rows as a table for the terminal. */
export function formatSimulateRows(rows: readonly SimulateRow[]): string {
  const head = ["simulated", "finish ÷ bound", "worst", "ended %", "goodput %", "copies %", "failover ms", "most"];
  return formatTable(
    head,
    rows.map((row) => [
      `${row.world}: ${row.policy}`,
      cell(row.finishRatio, 3),
      cell(row.worstRatio, 3),
      cell(row.finishedPercent),
      cell(row.goodputPercent, 1),
      cell(row.duplicatesPercent, 2),
      cell(row.failoverMs),
      cell(row.failoverMostMs),
    ]),
  );
}
