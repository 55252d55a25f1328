/**
 * What is done about triggers: nothing, a new plan of what concerns some edges, or a new plan of everything; and the list of
 * what was decided, for people. Pure.
 *
 * @module
 */
import type { StrategyKind } from "./strategies.ts";
import type { Cause, Trigger } from "./triggers.ts";

/** Records that are kept. */
export const MAX_RECORDS = 200;
/** Where more of the edges than this are concerned, everything is planned again. */
const PARTIAL_SHARE = 0.5;
/** Causes that concern the whole plan, the weightiest first. */
const WHOLE: readonly Cause[] = ["manual", "transfer-drift", "stale"];

/** What to do. Edges ascend, none twice. */
export type Decision =
  | { readonly kind: "nothing"; readonly why: "no-cause" | "nothing-to-move" }
  | { readonly kind: "partial"; readonly edges: readonly number[] }
  | { readonly kind: "full"; readonly reason: Cause | "many-edges" };

/** One decision and what came of it: an entry of the timeline. */
export interface ReplanRecord {
  readonly atMs: number;
  readonly reasons: readonly Trigger[];
  readonly decision: Decision;
  /** null where no new plan was made, as are the next two. */
  readonly strategy: StrategyKind | null;
  /** Share of the time that was left which the moves save, 0 to 1. */
  readonly gain: number | null;
  /** Packs that were given to other edges. */
  readonly movedPacks: number | null;
}

/**
 * Decides on what `Triggers.collect` gave.
 *
 * @param unstartedPacks packs that can still be moved
 * @param edges how many edges the plan has
 */
export function decide(triggers: readonly Trigger[], unstartedPacks: number, edges: number): Decision {
  if (triggers.length === 0) return { kind: "nothing", why: "no-cause" };
  if (unstartedPacks === 0) return { kind: "nothing", why: "nothing-to-move" };
  const whole = WHOLE.find((cause) => triggers.some((trigger) => trigger.cause === cause));
  if (whole !== undefined) return { kind: "full", reason: whole };
  const concerned = [...new Set(triggers.flatMap((trigger) => trigger.edges))].sort((a, b) => a - b);
  const isMany = concerned.length > 1 && concerned.length > PARTIAL_SHARE * edges;
  return isMany ? { kind: "full", reason: "many-edges" } : { kind: "partial", edges: concerned };
}

/** The last decisions, oldest first. */
export class ReplanLog {
  #records: ReplanRecord[] = [];
  #total = 0;

  /** Keeps a record; the oldest goes when there are too many. Triggers that led to nothing are kept too, no trigger is not. */
  add(record: ReplanRecord): void {
    if (record.reasons.length === 0) return;
    this.#total += 1;
    this.#records.push(record);
    if (this.#records.length > MAX_RECORDS) this.#records.shift();
  }

  /** A fresh array. */
  get records(): ReplanRecord[] {
    return [...this.#records];
  }

  /** Decisions since the start, those that are no longer kept too. */
  get total(): number {
    return this.#total;
  }
}
