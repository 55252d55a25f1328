/**
 * Sentences for people about a plan and its re-plans. A new word of a snapshot does not compile until it has its words here.
 *
 * @module
 */
import type { StrategyKind } from "../../core/orchestrate/strategies.ts";
import type { Cause } from "../../core/orchestrate/triggers.ts";
import type { ReplanSnapshot } from "../../core/transfer/edges-snapshot.ts";
import { formatDuration, formatPlural } from "./lib/format.ts";
import { namesOf } from "./sentences-edges.ts";

const percent = (share: number) => `${Math.round(share * 100)}\u00a0%`;

/** Why a plan was looked at again; `who` is the edges, never empty where the cause is about edges. */
export const CAUSES = {
  drift: (who, value) => `${who} carries ${percent(value)} of what was planned`,
  "transfer-drift": (_, value) => `all together did ${percent(value)} of what was planned`,
  "edge-lost": (who) => `${who} was lost`,
  "edge-new": (who) => `${who} joined`,
  "edge-degraded": (who, value) => `the health of ${who} fell to ${percent(value)}`,
  "edge-recovered": (who, value) => `the health of ${who} rose to ${percent(value)}`,
  imbalance: (who) => `the work was uneven between ${who}`,
  stale: (_, value) => `the plan was ${formatDuration(value / 1000)} old and did not hold any more`,
  manual: () => "somebody asked for it",
} as const satisfies Record<Cause, (who: string, value: number) => string>;

export const STRATEGIES = {
  greedy: "what helps most at once",
  "minimum-disruption": "as few moves as possible",
  "cost-optimal": "the earliest end",
  hybrid: "an early end with few moves",
} as const satisfies Record<StrategyKind, string>;

/** "Because relay-b.example was lost; peer 1 joined." */
export function replanReason({ causes }: ReplanSnapshot, names: ReadonlyMap<number, string>): string {
  const reasons = causes.map(({ cause, edges, value }) => CAUSES[cause](namesOf(edges, names) || "an edge", value));
  return `Because ${reasons.join("; ")}.`;
}

/** "Planned again in part: 12 packs moved, saves 18 % of the time that was left. Aim: the earliest end." */
export function replanOutcome({ kind, strategy, gain, movedPacks }: ReplanSnapshot): string {
  if (kind === "nothing") return "Nothing was left to move.";
  const parts = [
    movedPacks === null || movedPacks === 0 ? "no pack moved" : `${formatPlural(movedPacks, "pack")} moved`,
    gain !== null && gain >= 0.005 ? `saves ${percent(gain)} of the time that was left` : null,
  ].filter((part) => part !== null);
  const goal = strategy === null ? "" : ` Aim: ${STRATEGIES[strategy]}.`;
  return `Planned again ${kind === "full" ? "as a whole" : "in part"}: ${parts.join(", ")}.${goal}`;
}
