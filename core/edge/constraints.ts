/**
 * What limits the use of an edge: hours, money, battery, budgets, how many at once, how fast. Everything that a rule says is
 * evaluated, here; what a browser cannot tell is `unknown` and neither forbids nor costs anything. Pure: conditions are given.
 *
 * Two questions are apart. `evaluate` is for plans: may this edge be used these days, and how dear is it. `mayStart` is for
 * the dispatcher: may one more pack start this moment.
 *
 * @module
 */
import { assert } from "../failure.ts";
import type { Direction } from "./bandwidth.ts";
import { ByteBudget, type Spent } from "./byte-budget.ts";
import { multiplierOf, type Policy } from "./policy.ts";
import { assertHours, isInside, type TimeWindow, type WallTime, windowsSay } from "./time-window.ts";
import { TokenBucket } from "./token-bucket.ts";

/** Charge, 0 to 1, below which a device that is not charging sends or receives nothing, unless its user wants it fastest. */
export const MIN_BATTERY: Readonly<Record<Direction, number>> = { up: 0.2, down: 0.15 };

/** How dear bytes that cost money are; and hours that should be avoided; and the last of a battery. */
const METERED_COST = 10;
const AVOIDED_COST = 5;
const EMPTY_BATTERY_COST = 3;
/** How much dearer the last byte of a budget is than the first, on top of it. */
const BUDGET_COST = 2;

/** One device, as far as it tells: the one that this runs on, or the peer at an edge's other end. */
export interface DeviceState {
  readonly battery: { readonly level: number; readonly charging: boolean } | "unknown";
  /** Its connection costs money by the byte. */
  readonly metered: boolean | "unknown";
  /** Its user asked to save data. */
  readonly saveData: boolean | "unknown";
}

/** A device that tells nothing. */
export const UNKNOWN_DEVICE: DeviceState = { battery: "unknown", metered: "unknown", saveData: "unknown" };

/** What holds at one moment. */
export interface Conditions extends WallTime {
  readonly here: DeviceState;
  /** The other end; a relay tells nothing. */
  readonly there: DeviceState;
}

/** The rules of one direction of one edge. */
export interface EdgeRules {
  readonly windows: readonly TimeWindow[];
  /** Bytes in any time of `periodMs`; null is no limit, as for the next two. */
  readonly budget: { readonly bytes: number; readonly periodMs: number } | null;
  /** Packs under way at once, ≥ 1. */
  readonly maxActive: number | null;
  readonly maxBytesPerSec: number | null;
  /** The edge itself costs money by the byte, or does not though the device's connection does (a neighbour). */
  readonly metered: boolean | "as-device";
  /** Never where bytes cost money or should be saved. */
  readonly unmeteredOnly: boolean;
}

/** No rule at all. */
export const NO_RULES: EdgeRules = {
  windows: [],
  budget: null,
  maxActive: null,
  maxBytesPerSec: null,
  metered: "as-device",
  unmeteredOnly: false,
};

/** Why an edge may not be used, or why nothing may start now; `quiet` is the user's policy, `hours` the edge's windows. */
export type Hindrance = "battery" | "hours" | "quiet" | "metered" | "budget" | "active" | "rate";

/** What the rules say of one edge and direction, for some time. */
export interface Verdict {
  readonly allowed: boolean;
  /** null exactly where it is allowed. */
  readonly reason: Hindrance | null;
  /** > 0; 1 is neutral. */
  readonly multiplier: number;
  /** Bytes that nobody waits for should not be moved: they cost money, or a battery. */
  readonly sparing: boolean;
}

/** What a device's charge forbids and costs; charging or unknown is neutral. */
function powerOf({ battery }: DeviceState, direction: Direction): { empty: boolean; cost: number } {
  if (battery === "unknown" || battery.charging) return { empty: false, cost: 1 };
  const cost = 1 + (EMPTY_BATTERY_COST - 1) * (1 - Math.min(1, Math.max(0, battery.level)));
  return { empty: battery.level < MIN_BATTERY[direction], cost };
}

const saves = ({ metered, saveData }: DeviceState): boolean => metered === true || saveData === true;
/** What goes up here comes down there. */
const OTHER_WAY: Readonly<Record<Direction, Direction>> = { up: "down", down: "up" };

/** The constraints of one direction of one edge, with what was spent. */
export class Constraints {
  readonly direction: Direction;
  readonly rules: EdgeRules;
  readonly #budget: ByteBudget | null;
  readonly #bucket: TokenBucket | null;

  /**
   * @param packBytes the most that is started at once
   * @param spent what `spent` gave when it was stored
   */
  constructor(direction: Direction, rules: EdgeRules, packBytes: number, spent: readonly Spent[] = []) {
    rules.windows.forEach(assertHours);
    assert(rules.maxActive === null || rules.maxActive >= 1, "a cap lets something pass");
    this.direction = direction;
    this.rules = rules;
    this.#budget = rules.budget && new ByteBudget(rules.budget.bytes, rules.budget.periodMs, spent);
    this.#bucket = rules.maxBytesPerSec === null ? null : new TokenBucket(rules.maxBytesPerSec, Math.max(packBytes, 1));
  }

  /** The budget's state, for storing; empty without one. */
  get spent(): readonly Spent[] {
    return this.#budget?.stored ?? [];
  }

  /** @param packBytes a budget with less left than this is spent */
  evaluate(policy: Policy, now: Conditions, packBytes: number): Verdict {
    const hours = windowsSay(this.rules.windows, now);
    const power = [powerOf(now.here, this.direction), powerOf(now.there, OTHER_WAY[this.direction])];
    const powerCost = Math.max(...power.map(({ cost }) => cost));
    const { metered } = this.rules;
    const costs = metered === "as-device" ? saves(now.here) || saves(now.there) : metered;
    const used = this.#budget === null ? 0 : this.#budget.usedBytes(now.epochMs) / this.#budget.limitBytes;
    const hindrances: readonly (readonly [Hindrance, boolean])[] = [
      // Who wants it fastest wants it done before the battery is empty.
      ["battery", policy.kind !== "performance" && power.some(({ empty }) => empty)],
      ["quiet", policy.kind === "quiet" && policy.hours.some((window) => isInside(window, now))],
      ["hours", hours === "closed"],
      ["metered", costs && this.rules.unmeteredOnly],
      ["budget", this.#budget?.hasRoom(packBytes, now.epochMs) === false],
    ];
    const reason = hindrances.find(([, holds]) => holds)?.[0] ?? null;
    const multiplier = multiplierOf(policy, {
      time: hours === "dear" ? AVOIDED_COST : 1,
      money: (costs ? METERED_COST : 1) * (1 + BUDGET_COST * Math.min(1, used)),
      power: powerCost,
    });
    return { allowed: reason === null, reason, multiplier, sparing: costs || powerCost > 1 };
  }

  /** Why one more must not start this moment; null if it may. @param nowMs of the monotonic clock, as for `started` */
  mayStart(bytes: number, active: number, now: WallTime, nowMs: number): Hindrance | null {
    if (this.rules.maxActive !== null && active >= this.rules.maxActive) return "active";
    if (this.#budget?.hasRoom(bytes, now.epochMs) === false) return "budget";
    return (this.#bucket?.waitMs(bytes, nowMs) ?? 0) > 0 ? "rate" : null;
  }

  /** Counts what was started, after `mayStart` had nothing against it. */
  started(bytes: number, now: WallTime, nowMs: number): void {
    this.#budget?.spend(bytes, now.epochMs);
    this.#bucket?.take(bytes, nowMs);
  }
}
