/**
 * How far an edge can be relied on, 0 to 1: 0.4 success + 0.3 uptime + 0.3 consistency, over its last 100 outcomes and
 * checks, none older than an hour. Pure: time is given.
 *
 * What was not tried yet is taken for good, so that it is tried: each part begins with one good outcome that nobody saw.
 * Newer outcomes weigh more (half as much for every five that came after), or an edge that has served a hundred packs well
 * could fail seventy before it counts as unhealthy; so it is twelve, and three for one that never served any. A part that
 * only successes have (how steady their times are) is multiplied by success: an edge that always fails is not consistent.
 *
 * @module
 */
import { assert } from "../failure.ts";

/** Outcomes that are looked at, and for how long. */
export const HEALTH_OUTCOMES = 100;
export const HEALTH_WINDOW_MS = 3_600_000;
/** Below the first an edge is unhealthy; it has recovered from the second on. */
export const UNHEALTHY = 0.5;
export const RECOVERED = 0.7;

const HALF_LIFE_OUTCOMES = 5;
const DECAY = 0.5 ** (1 / HALF_LIFE_OUTCOMES);
/** Times vary by this much, relative to their mean, on any network; beyond it they are less and less consistent. */
const USUAL_VARIATION = 0.25;
/** Successes below which their times say nothing. */
const MIN_TIMES = 5;

interface Outcome {
  readonly atMs: number;
  readonly isGood: boolean;
  /** How long a success took. */
  readonly tookMs: number;
}

/** What health is made of, each 0 to 1. */
export interface HealthParts {
  /** Of what was asked of the edge, how much it did. */
  readonly success: number;
  /** Of the times that it was looked for, how often it was there. */
  readonly uptime: number;
  /** How steadily and how surely it answers. */
  readonly consistency: number;
}

/** The last hundred of something, oldest first. */
class Window {
  #outcomes: Outcome[] = [];

  add(outcome: Outcome): void {
    this.#outcomes.push(outcome);
    if (this.#outcomes.length > HEALTH_OUTCOMES) this.#outcomes.shift();
  }

  since(fromMs: number): readonly Outcome[] {
    while ((this.#outcomes[0]?.atMs ?? fromMs) < fromMs) this.#outcomes.shift();
    return this.#outcomes;
  }
}

/** Share of good ones, newer ones counting more, and one good one that nobody saw. */
function goodShare(outcomes: readonly Outcome[]): number {
  let good = 0;
  let all = 0;
  for (const { isGood } of outcomes) {
    good = good * DECAY + (isGood ? 1 : 0);
    all = all * DECAY + 1;
  }
  return (good + 1) / (all + 1);
}

/** 1 where times vary as they do everywhere, 0 where they vary by more than their mean on top of that. */
function steadiness(outcomes: readonly Outcome[]): number {
  const times = outcomes.filter(({ isGood }) => isGood).map(({ tookMs }) => tookMs);
  if (times.length < MIN_TIMES) return 1;
  const mean = times.reduce((sum, ms) => sum + ms, 0) / times.length;
  if (mean === 0) return 1;
  const variance = times.reduce((sum, ms) => sum + (ms - mean) ** 2, 0) / times.length;
  return 1 - Math.min(1, Math.max(0, Math.sqrt(variance) / mean - USUAL_VARIATION));
}

/** The health of one edge. Times do not go back. */
export class Health {
  readonly #outcomes = new Window();
  readonly #checks = new Window();

  /** Something of the usual size was done in `tookMs`. */
  succeeded(tookMs: number, nowMs: number): void {
    assert(tookMs >= 0, "work takes time");
    this.#outcomes.add({ atMs: nowMs, isGood: true, tookMs });
  }

  /** Something was not done. */
  failed(nowMs: number): void {
    this.#outcomes.add({ atMs: nowMs, isGood: false, tookMs: 0 });
  }

  /** The edge was looked for, and was there or not. */
  checked(isThere: boolean, nowMs: number): void {
    this.#checks.add({ atMs: nowMs, isGood: isThere, tookMs: 0 });
  }

  parts(nowMs: number): HealthParts {
    const outcomes = this.#outcomes.since(nowMs - HEALTH_WINDOW_MS);
    const success = goodShare(outcomes);
    const uptime = goodShare(this.#checks.since(nowMs - HEALTH_WINDOW_MS));
    return { success, uptime, consistency: success * steadiness(outcomes) };
  }

  /** 0 to 1; 1 for an edge of which nothing is known. */
  value(nowMs: number): number {
    const { success, uptime, consistency } = this.parts(nowMs);
    return 0.4 * success + 0.3 * uptime + 0.3 * consistency;
  }
}

/** Remembers on which side of a gap a value was last, so that what hovers in the gap is told once. */
export class Hysteresis {
  readonly #low: number;
  readonly #high: number;
  #isLow = false;

  /** It falls below `low`, and rises at `high` or more. */
  constructor(low = UNHEALTHY, high = RECOVERED) {
    assert(low < high, "a gap has two sides");
    this.#low = low;
    this.#high = high;
  }

  get isLow(): boolean {
    return this.#isLow;
  }

  /** @returns what this value changed, if anything */
  update(value: number): "fell" | "rose" | undefined {
    if (this.#isLow ? value < this.#high : value >= this.#low) return undefined;
    this.#isLow = !this.#isLow;
    return this.#isLow ? "fell" : "rose";
  }
}
