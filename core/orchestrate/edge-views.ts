/**
 * What plans and the dispatcher count on: the planned rate of each edge, under what the user prefers and what holds now.
 *
 * @module
 */
import { type Conditions, UNKNOWN_DEVICE } from "../edge/constraints.ts";
import type { Policy } from "../edge/policy.ts";
import type { EdgeView } from "../schedule/model.ts";
import type { EdgeWatch } from "./edge-watch.ts";

/** What an edge counts for that was never measured, where no other was either; bytes per second. */
const ASSUMED_BYTES_PER_SEC = 8_000_000;

/** What a user prefers, and how the user's device is. */
export interface UserRules {
  /** Performance by default. */
  readonly policy?: Policy;
  /** What holds now; nothing is known by default. */
  readonly conditions?: () => Conditions;
}

/** Views of the edges of one orchestrator. */
export class EdgeViews {
  readonly #watches: readonly EdgeWatch[];
  readonly #rules: UserRules;

  /** @param watches by the edges' numbers; they may grow */
  constructor(watches: readonly EdgeWatch[], rules: UserRules) {
    this.#watches = watches;
    this.#rules = rules;
  }

  /** Of one edge, now: weight 0 where it is not there. */
  viewOf(watch: EdgeWatch, nowMs: number): EdgeView {
    const { policy = { kind: "performance" }, conditions } = this.#rules;
    const unknown = { epochMs: 0, utcOffsetMinutes: 0, here: UNKNOWN_DEVICE, there: UNKNOWN_DEVICE };
    return watch.view(this.#rateOf(watch), policy, conditions?.() ?? unknown, nowMs);
  }

  /** Views as the plan had them that still counted on the edges that are lost now. */
  withLost(views: readonly EdgeView[], lost: readonly number[], nowMs: number): EdgeView[] {
    return views.map((view, edge) => {
      const watch = this.#watches[edge];
      if (watch === undefined || !lost.includes(edge)) return view;
      return { ...this.viewOf(watch, nowMs), weight: Math.max(1, ...views.map(({ weight }) => weight)) };
    });
  }

  /** What an edge was planned with; one that was not measured is taken for as good as the others, so that it is tried. */
  #rateOf({ plannedBytesPerSec }: EdgeWatch): number {
    if (plannedBytesPerSec !== undefined) return plannedBytesPerSec;
    const known = this.#watches.flatMap((watch) => watch.plannedBytesPerSec ?? []);
    if (known.length === 0) return ASSUMED_BYTES_PER_SEC;
    return known.reduce((sum, rate) => sum + rate, 0) / known.length;
  }
}
