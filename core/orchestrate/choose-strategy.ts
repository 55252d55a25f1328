/**
 * Which strategy follows a new plan. Pure.
 *
 * @module
 */
import type { Strategy } from "./strategies.ts";

/** What is known when a strategy is chosen. */
export interface Situation {
  /** An edge is lost, or may not be used any more. */
  readonly hasLost: boolean;
  /** Somebody asked, or the whole plan is off. */
  readonly isWhole: boolean;
  /** Until the last edge ends, as things are. */
  readonly finishMs: number;
}

/** So close to the end, packs that move are a large part of what is left. */
const SHORT_MS = 10_000;

/**
 * The strategy for a situation: greedy where an edge is gone (quick, and the rescues have moved much already), minimum
 * disruption near the end, cost-optimal where all is planned anew, and half-way otherwise.
 */
export function chooseStrategy({ hasLost, isWhole, finishMs }: Situation): Strategy {
  if (hasLost) return { kind: "greedy" };
  if (finishMs < SHORT_MS) return { kind: "minimum-disruption" };
  return isWhole ? { kind: "cost-optimal" } : { kind: "hybrid", weight: 0.5 };
}
