/**
 * What people may prefer (speed, money, battery, quiet hours), as one multiplier of an edge's cost. Pure.
 *
 * @module
 */
import { WEIGHT_ONE } from "../schedule/model.ts";
import type { WeekHours } from "./time-window.ts";

/** `quiet` also stops all transfers inside its hours. */
export type Policy =
  | { readonly kind: "performance" | "balanced" | "eco" | "cheap" }
  | { readonly kind: "quiet"; readonly hours: readonly WeekHours[] };

/** How dear an edge is now, in each respect: 1 is neutral and what is unknown; 2 is twice as dear. */
export interface Aspects {
  readonly time: number;
  readonly money: number;
  readonly power: number;
}

/** How much of each respect counts. */
const SHARES: Readonly<Record<Policy["kind"], Aspects>> = {
  performance: { time: 0.1, money: 0.1, power: 0.1 },
  balanced: { time: 0.3, money: 0.3, power: 0.3 },
  eco: { time: 0.2, money: 0.2, power: 0.6 },
  cheap: { time: 0.2, money: 0.6, power: 0.2 },
  quiet: { time: 0.5, money: 0.2, power: 0.3 },
};

/** Health below which an edge is no dearer: it must stay worth a try where nothing else is left. */
const MIN_HEALTH = 0.05;
/** Weights fit in 16 bits. */
const MAX_WEIGHT = 2 ** 16 - 1;

/** One multiplier, > 0: 1 where every aspect is neutral, whatever the policy. */
export function multiplierOf({ kind }: Policy, aspects: Aspects): number {
  const shares = SHARES[kind];
  return 1 + shares.time * (aspects.time - 1) + shares.money * (aspects.money - 1) + shares.power * (aspects.power - 1);
}

/** `EdgeView.weight` of an edge that may be used: 1/256 steps, 1 to 65,535. @param health 0 to 1 */
export function weightOf(health: number, multiplier: number): number {
  const weight = Math.round((WEIGHT_ONE / Math.max(MIN_HEALTH, health)) * multiplier);
  return Math.min(MAX_WEIGHT, Math.max(1, weight));
}
