/**
 * Turns what is seen of edges and of the transfer into causes for a new plan: each is told once, not again for the same edge
 * within the cooldown, and never while everything goes as planned. Pure: time is given.
 *
 * What the cooldown holds back is kept, and told when it is over, unless it has passed by then. A lost edge never waits.
 *
 * @module
 */
import { Hysteresis } from "../edge/health.ts";
import type { DriftAlarm } from "./drift.ts";

/** Time between two triggers for one cause and edge. */
export const COOLDOWN_MS = 10_000;
/** Load (active ÷ most) of an edge that has too much, and of one that could take some of it. */
export const OVERLOAD = 0.8;
export const UNDERLOAD = 0.3;
/** An imbalance that passes by itself within this time is none. */
export const IMBALANCE_MS = 1_000;
/** A plan of this age is stale when the transfer is this far off it. One that still holds is not, however old. */
export const STALE_MS = 60_000;
export const STALE_DRIFT = 0.1;
/** The whole transfer has left its plan. */
export const TRANSFER_DRIFT = 0.5;

/** Why a new plan may be wanted. */
export type Cause =
  | "drift"
  | "transfer-drift"
  | "edge-lost"
  | "edge-new"
  | "edge-degraded"
  | "edge-recovered"
  | "imbalance"
  | "stale"
  | "manual";

/** One cause, with the edges that it concerns (none: the whole transfer). */
export interface Trigger {
  readonly cause: Cause;
  readonly edges: readonly number[];
  /** The figure that made it: a ratio of drift, a health, a load, an age in ms; 0 where there is none. */
  readonly value: number;
  /** When it was seen. */
  readonly atMs: number;
}

/** How much an edge has to do. */
export interface EdgeLoad {
  readonly edge: number;
  /** 0 to 1: what is under way ÷ the most that may be. */
  readonly load: number;
  /** It holds packs that are not started and planned elsewhere. */
  readonly canTake: boolean;
}

/** What a plan settles when it takes the edge's present rate into account. */
const SETTLED: readonly Cause[] = ["drift", "edge-degraded", "edge-recovered", "edge-new"];

/** The triggers of one transfer. Times are of one clock and do not go back. */
export class Triggers {
  readonly #pending = new Map<string, Trigger>();
  readonly #toldAtMs = new Map<string, number>();
  readonly #health = new Map<number, Hysteresis>();
  readonly #lost = new Set<number>();
  #unevenSinceMs: number | undefined;
  /** Of the current plan, or of the last time that it was called stale. */
  #freshAtMs: number | undefined;
  #transferRatio = 1;
  #transferTold = false;

  /** A plan was made for these edges, or for all. */
  planned(edges: readonly number[] | "all", nowMs: number): void {
    for (const [key, { cause, edges: concerned }] of this.#pending) {
      const isSettled = SETTLED.includes(cause) && concerned.every((edge) => edges === "all" || edges.includes(edge));
      const isOver = isSettled || cause === "imbalance" || edges === "all";
      if (isOver && cause !== "edge-lost") this.#pending.delete(key);
    }
    this.#unevenSinceMs = undefined;
    if (edges !== "all" && this.#freshAtMs !== undefined) return;
    this.#freshAtMs = nowMs;
    this.#transferRatio = 1;
    this.#transferTold = false;
  }

  drift({ edge, ratio }: DriftAlarm, nowMs: number): void {
    if (!this.#lost.has(edge)) this.#add("drift", [edge], ratio, nowMs);
  }

  /** Done ÷ planned bytes of all edges together (see watch-loads.ts); undefined says nothing. */
  transfer(ratio: number | undefined, nowMs: number): void {
    if (ratio === undefined) return;
    this.#transferRatio = ratio;
    if (Math.abs(ratio - 1) < TRANSFER_DRIFT || this.#transferTold) return;
    this.#transferTold = true;
    this.#add("transfer-drift", [], ratio, nowMs);
  }

  /** An edge that is known already as lost is not lost again before it joins. */
  lost(edge: number, nowMs: number): void {
    if (this.#lost.has(edge)) return;
    this.#lost.add(edge);
    for (const [key, { edges }] of this.#pending) if (edges.includes(edge)) this.#pending.delete(key);
    this.#add("edge-lost", [edge], 0, nowMs);
  }

  /** An edge is there, for the first time or again; the edges of the first plan are settled by it before they are told. */
  joined(edge: number, nowMs: number): void {
    // Lost and back before anybody was told: nothing has happened.
    const isUntold = this.#lost.delete(edge) && this.#pending.delete(keyOf("edge-lost", [edge]));
    if (!isUntold) this.#add("edge-new", [edge], 0, nowMs);
  }

  /** An edge's health, 0 to 1: told when it falls below 0.5, and when it has risen to 0.7 after that. */
  health(edge: number, value: number, nowMs: number): void {
    const memory = this.#health.get(edge) ?? new Hysteresis();
    this.#health.set(edge, memory);
    const change = memory.update(value);
    if (change === undefined || this.#lost.has(edge)) return;
    const [cause, opposite] =
      change === "fell"
        ? (["edge-degraded", "edge-recovered"] as const)
        : (["edge-recovered", "edge-degraded"] as const);
    // What was held back and has passed is told neither way.
    if (!this.#pending.delete(keyOf(opposite, [edge]))) this.#add(cause, [edge], value, nowMs);
  }

  /** @param unstartedPacks packs that could still be moved; without any, edges run dry one after the other as they should */
  loads(loads: readonly EdgeLoad[], unstartedPacks: number, nowMs: number): void {
    const over = loads.filter(({ edge, load }) => load >= OVERLOAD && !this.#lost.has(edge));
    const under = loads.filter(({ edge, load, canTake }) => canTake && load <= UNDERLOAD && !this.#lost.has(edge));
    if (unstartedPacks === 0 || over.length === 0 || under.length === 0) {
      this.#unevenSinceMs = undefined;
      this.#pending.delete("imbalance");
      return;
    }
    this.#unevenSinceMs ??= nowMs;
    if (nowMs - this.#unevenSinceMs < IMBALANCE_MS) return;
    const most = Math.max(...over.map(({ load }) => load));
    this.#add(
      "imbalance",
      [...over, ...under].map(({ edge }) => edge),
      most,
      nowMs,
    );
  }

  /** Somebody asks for a new plan. */
  manual(nowMs: number): void {
    this.#add("manual", [], 0, nowMs);
  }

  /** What is to be told now, oldest first. */
  collect(nowMs: number): Trigger[] {
    const ageMs = nowMs - (this.#freshAtMs ?? nowMs);
    if (ageMs >= STALE_MS && Math.abs(this.#transferRatio - 1) > STALE_DRIFT) {
      this.#add("stale", [], ageMs, nowMs);
      this.#freshAtMs = nowMs;
    }
    const due: Trigger[] = [];
    for (const [key, trigger] of this.#pending) {
      const isUrgent = trigger.cause === "edge-lost" || trigger.cause === "manual";
      if (!isUrgent && nowMs - (this.#toldAtMs.get(key) ?? Number.NEGATIVE_INFINITY) < COOLDOWN_MS) continue;
      this.#pending.delete(key);
      this.#toldAtMs.set(key, nowMs);
      due.push(trigger);
    }
    return due;
  }

  #add(cause: Cause, edges: readonly number[], value: number, atMs: number): void {
    const key = keyOf(cause, edges);
    // The first sight of it keeps its time, the last one its figure.
    this.#pending.set(key, { cause, edges, value, atMs: this.#pending.get(key)?.atMs ?? atMs });
  }
}

/** Of an imbalance there is one at a time, whichever edges it is between. */
function keyOf(cause: Cause, edges: readonly number[]): string {
  return cause === "imbalance" ? cause : `${cause} ${edges.join(" ")}`;
}
