/**
 * How far to follow a new plan: of the packs that are not started, which are given to other edges, so that the transfer ends
 * sooner by enough and few packs move. Pure.
 *
 * A strategy is a level: work is taken from edges that end later than it, for edges that the new plan gives more.
 * *Cost-optimal* goes down to the new plan's finish, *minimum disruption* stops a fifth above it, *hybrid* in between by its
 * weight. *Greedy* has no level: it takes the moves that help most at once. The bounds hold for all: where the level would
 * move too many packs, the lowest level is taken that does not; where the gain is too small, nothing moves.
 *
 * What an edge cannot carry any more (it is lost, or not allowed) is not disrupted by being moved: that is done first,
 * outside the bounds, and counted apart.
 *
 * @module
 */
import { assert } from "../failure.ts";
import { NEVER_US } from "../schedule/model.ts";

/** How much above the new plan's finish minimum disruption stops. */
const TOLERANCE = 0.2;
/** A greedy move must end a pack sooner by this share. */
const GREEDY_GAIN = 0.05;
/** Steps of the search for the lowest level that the bounds allow: to a ten-thousandth. */
const LEVEL_STEPS = 14;
/** Sweeps over the moves of one level: what an edge takes it may have to give to another. */
const SWEEPS = 4;

/** What one re-plan may do, as shares of the packs that are not started, and of the time that is left. */
export interface Bounds {
  readonly minGain: number;
  readonly maxDisruption: number;
}

/** At least a twentieth gained, at most three tenths moved. */
export const BOUNDS: Bounds = { minGain: 0.05, maxDisruption: 0.3 };

/** How a new plan is followed; the hybrid's weight is 0 (cost-optimal) to 1 (minimum disruption). */
export type Strategy =
  | { readonly kind: "greedy" | "minimum-disruption" | "cost-optimal" }
  | { readonly kind: "hybrid"; readonly weight: number };
/** Its name. */
export type StrategyKind = Strategy["kind"];

/** One class of packs; the four arrays have one element for each holder. */
export interface ClassShares {
  /** Its number, for the moves. */
  readonly classIndex: number;
  /** Numbers of the edges that hold the packs. */
  readonly edges: ArrayLike<number>;
  /** Weighted microseconds that a pack takes of the edge's time; `NEVER_US` or more where it cannot be used. */
  readonly packUs: ArrayLike<number>;
  /** Packs, not started, that the edge has now: fractions are fine. */
  readonly current: ArrayLike<number>;
  /** What the new plan gives it; only the proportions count. */
  readonly planned: ArrayLike<number>;
}

/** The classes whose packs may move, and what the edges have to do besides (by edge number, microseconds). */
export interface Spread {
  readonly classes: readonly ClassShares[];
  readonly baseUs: ArrayLike<number>;
}

/** Packs of one class that go from one edge to another; a fraction where a class is small. */
export interface Move {
  readonly classIndex: number;
  readonly from: number;
  readonly to: number;
  readonly packs: number;
}

/** What one re-plan moves, and what that is worth. */
export interface MoveSet {
  readonly strategy: StrategyKind;
  /** Off edges that cannot carry them. */
  readonly rescues: readonly Move[];
  /** For the gain. */
  readonly moves: readonly Move[];
  /** When the last edge ends after the rescues, and after the moves too. */
  readonly beforeUs: number;
  readonly afterUs: number;
  /** (before − after) ÷ before. */
  readonly gain: number;
  /** Packs in `moves` ÷ all packs. */
  readonly disruption: number;
  /** All packs of these classes that are not started. */
  readonly packs: number;
}

/** A possible move, with what a pack costs at either end. */
interface Step extends Move {
  readonly fromUs: number;
  readonly toUs: number;
}

type Taken = readonly (readonly [step: Step, packs: number])[];

/** Pairs what edges have too much, by the new plan, with what others have too little; the latest edges with the earliest. */
function stepsOf({ classes }: Spread, loadsUs: Float64Array): { rescues: Step[]; moves: Step[] } {
  const rescues: Step[] = [];
  const moves: Step[] = [];
  for (const { classIndex, edges, packUs, current, planned } of classes) {
    const holders = Array.from(edges, (edge, i) => ({
      edge,
      us: packUs[i] ?? NEVER_US,
      has: current[i] ?? 0,
      isUsable: (packUs[i] ?? NEVER_US) < NEVER_US,
      wants: (packUs[i] ?? NEVER_US) < NEVER_US ? (planned[i] ?? 0) : 0,
    }));
    const wanted = holders.reduce((sum, { wants }) => sum + wants, 0);
    // No holder can be used: its packs wait where they are.
    if (wanted === 0) continue;
    const scale = holders.reduce((sum, { has }) => sum + has, 0) / wanted;
    const over = holders.map((h) => ({ ...h, left: h.has - h.wants * scale })).filter(({ left }) => left > 0);
    const under = holders.map((h) => ({ ...h, left: h.wants * scale - h.has })).filter(({ left }) => left > 0);
    const loadOf = (edge: number) => loadsUs[edge] ?? 0;
    over.sort((a, b) => loadOf(b.edge) - loadOf(a.edge) || a.edge - b.edge);
    under.sort((a, b) => loadOf(a.edge) - loadOf(b.edge) || a.edge - b.edge);
    for (let i = 0, j = 0; ; ) {
      const source = over[i];
      const target = under[j];
      if (source === undefined || target === undefined) break;
      const packs = Math.min(source.left, target.left);
      const step = { classIndex, from: source.edge, to: target.edge, packs, fromUs: source.us, toUs: target.us };
      (source.isUsable ? moves : rescues).push(step);
      source.left -= packs;
      target.left -= packs;
      if (source.left <= 0) i++;
      if (target.left <= 0) j++;
    }
  }
  return { rescues, moves };
}

/** What each edge has to do, by the current shares. Packs where they cannot be carried count nowhere. */
function loadsOf({ classes, baseUs }: Spread): Float64Array {
  const loadsUs = Float64Array.from(baseUs);
  for (const { edges, packUs, current } of classes) {
    for (let i = 0; i < edges.length; i++) {
      const us = packUs[i] ?? NEVER_US;
      const edge = edges[i] ?? 0;
      if (us < NEVER_US) loadsUs[edge] = (loadsUs[edge] ?? 0) + us * (current[i] ?? 0);
    }
  }
  return loadsUs;
}

function apply(loadsUs: Float64Array, { from, to, fromUs, toUs }: Step, packs: number): void {
  if (fromUs < NEVER_US) loadsUs[from] = (loadsUs[from] ?? 0) - packs * fromUs;
  loadsUs[to] = (loadsUs[to] ?? 0) + packs * toUs;
}

const latest = (loadsUs: Float64Array): number => loadsUs.reduce((most, us) => Math.max(most, us), 0);

/**
 * Takes from edges above the level what brings them down to it. An edge that is brought above it gives as much away in the
 * next sweep: by the plan, all end below. Changes `loadsUs`.
 */
function takeToLevel(steps: readonly Step[], loadsUs: Float64Array, levelUs: number): Taken {
  const left = Float64Array.from(steps, ({ packs }) => packs);
  for (let sweep = 0, isMoving = true; sweep < SWEEPS && isMoving; sweep++) {
    isMoving = false;
    for (const [i, step] of steps.entries()) {
      const excess = ((loadsUs[step.from] ?? 0) - levelUs) / step.fromUs;
      const packs = Math.min(left[i] ?? 0, excess);
      if (packs <= 0) continue;
      apply(loadsUs, step, packs);
      left[i] = (left[i] ?? 0) - packs;
      isMoving = true;
    }
  }
  return steps.map((step, i) => [step, step.packs - (left[i] ?? 0)] as const).filter(([, packs]) => packs > 0);
}

const packsOf = (taken: Taken): number => taken.reduce((sum, [, packs]) => sum + packs, 0);

/** The lowest level, not below the wanted one, that moves no more packs than the budget. */
function byLevel(steps: readonly Step[], loadsUs: Float64Array, wantedUs: number, budget: number): Taken {
  const at = (levelUs: number) => takeToLevel(steps, loadsUs.slice(), levelUs);
  const wanted = at(wantedUs);
  if (packsOf(wanted) <= budget) return wanted;
  let best: Taken = [];
  let low = wantedUs;
  let high = latest(loadsUs);
  for (let step = 0; step < LEVEL_STEPS; step++) {
    const middle = (low + high) / 2;
    const taken = at(middle);
    if (packsOf(taken) > budget) low = middle;
    else {
      high = middle;
      best = taken;
    }
  }
  return best;
}

/** The moves that end packs soonest, first. */
function greedily(steps: readonly Step[], loadsUs: Float64Array, budget: number): Taken {
  const loads = loadsUs.slice();
  const gainUs = ({ from, to }: Step) => (loadsUs[from] ?? 0) - (loadsUs[to] ?? 0);
  let left = budget;
  const taken: (readonly [Step, number])[] = [];
  for (const step of steps.toSorted((a, b) => gainUs(b) - gainUs(a))) {
    // So many that the last of them still ends sooner by enough.
    const soonerUs = (1 - GREEDY_GAIN) * (loads[step.from] ?? 0) - (loads[step.to] ?? 0);
    const useful = soonerUs / ((1 - GREEDY_GAIN) * step.fromUs + step.toUs);
    const packs = Math.min(step.packs, useful, left);
    if (packs <= 0) continue;
    apply(loads, step, packs);
    left -= packs;
    taken.push([step, packs]);
  }
  return taken;
}

function toMove({ classIndex, from, to }: Step, packs: number): Move {
  return { classIndex, from, to, packs };
}

/** What to move. The same input gives the same moves. */
export function planMoves(spread: Spread, strategy: Strategy, bounds: Bounds = BOUNDS): MoveSet {
  assert(strategy.kind !== "hybrid" || (strategy.weight >= 0 && strategy.weight <= 1), "a weight is 0 to 1");
  const packs = spread.classes.reduce((sum, { current }) => sum + Array.from(current).reduce((a, b) => a + b, 0), 0);
  const loadsUs = loadsOf(spread);
  const { rescues, moves } = stepsOf(spread, loadsUs);
  for (const step of rescues) apply(loadsUs, step, step.packs);
  const beforeUs = latest(loadsUs);
  const plannedUs = loadsUs.slice();
  for (const step of moves) apply(plannedUs, step, step.packs);
  const weights = { "cost-optimal": 0, "minimum-disruption": 1 };
  const budget = bounds.maxDisruption * packs;
  const weight = strategy.kind === "hybrid" ? strategy.weight : strategy.kind === "greedy" ? 0 : weights[strategy.kind];
  const taken =
    strategy.kind === "greedy"
      ? greedily(moves, loadsUs, budget)
      : byLevel(moves, loadsUs, latest(plannedUs) * (1 + weight * TOLERANCE), budget);
  const afterLoadsUs = loadsUs.slice();
  for (const [step, count] of taken) apply(afterLoadsUs, step, count);
  const afterUs = latest(afterLoadsUs);
  const gain = beforeUs === 0 ? 0 : (beforeUs - afterUs) / beforeUs;
  const isWorth = gain >= bounds.minGain;
  return {
    strategy: strategy.kind,
    rescues: rescues.map((step) => toMove(step, step.packs)),
    moves: isWorth ? taken.map(([step, count]) => toMove(step, count)) : [],
    beforeUs,
    afterUs: isWorth ? afterUs : beforeUs,
    gain: isWorth ? gain : 0,
    disruption: isWorth && packs > 0 ? packsOf(taken) / packs : 0,
    packs,
  };
}
