/**
 * Puts together what a plan is told of an edge, from its estimates and its constraints. Pure.
 *
 * @module
 */
import type { EdgeView } from "../schedule/model.ts";
import type { EdgeRules, Verdict } from "./constraints.ts";
import { weightOf } from "./policy.ts";

/** What was measured of one direction of an edge, or is assumed of one that was never tried. */
export interface EdgeEstimate {
  /** Bytes per second, > 0. */
  readonly bytesPerSec: number;
  readonly rttMs: number;
  readonly backlogBytes: number;
  /** Packs that the link itself takes at once, ≥ 1. */
  readonly maxActive: number;
  /** 0 to 1. */
  readonly health: number;
}

/** A plan's view of one edge: weight 0 where it is not allowed, its rate and packs at once no more than its rules say. */
export function viewOf(estimate: EdgeEstimate, rules: EdgeRules, verdict: Verdict): EdgeView {
  return {
    bytesPerSec: Math.min(estimate.bytesPerSec, rules.maxBytesPerSec ?? estimate.bytesPerSec),
    rttUs: Math.round(estimate.rttMs * 1000),
    backlogBytes: estimate.backlogBytes,
    maxActive: Math.min(estimate.maxActive, rules.maxActive ?? estimate.maxActive),
    weight: verdict.allowed ? weightOf(estimate.health, verdict.multiplier) : 0,
  };
}
