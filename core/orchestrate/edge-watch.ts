/**
 * What is measured of one edge of one transfer and direction, and what the plan counts on there. Pure: time is given.
 *
 * @module
 */
import type { Direction } from "../edge/bandwidth.ts";
import { Bandwidth } from "../edge/bandwidth.ts";
import { BusyMeter, type WorkSample } from "../edge/busy-meter.ts";
import { type Conditions, Constraints, type Hindrance, NO_RULES } from "../edge/constraints.ts";
import { viewOf } from "../edge/edge-view.ts";
import { Health } from "../edge/health.ts";
import type { EdgeKind } from "../edge/pack-edge.ts";
import type { Policy } from "../edge/policy.ts";
import type { EdgeView } from "../schedule/model.ts";

/** What an edge is like now, as its connection tells. */
export interface EdgeFacts {
  readonly kind: EdgeKind | null;
  readonly name: string;
  readonly isUp: boolean;
  readonly rttMs: number | null;
  readonly maxActive: number;
  /** Absent: it is used like any other. */
  readonly use?: EdgeUse;
}

/**
 * - `trial`: it is used, and nothing of that is told: it may pass;
 * - `resting`: it is asked for nothing more, and finishes what it has; nothing is told either;
 * - `silent`: it is connected and nothing comes, so everything is asked for elsewhere until something does. Not told.
 */
export type EdgeUse = "trial" | "resting" | "silent";

/** True for an edge that is there and asked for packs. */
export function isAsked({ isUp, use }: EdgeFacts): boolean {
  return isUp && use !== "resting" && use !== "silent";
}

/** True for an edge that is there, for people and for plans that outlast a moment. */
export function isThere({ isUp, use }: EdgeFacts): boolean {
  return isUp && use !== "resting" && use !== "trial";
}

/** For so long after its first bytes a connection finds its rate (it starts slowly, or with a burst): that is no change of the line. */
export const RAMP_MS = 3_000;
/** Rates for people fade within this time. */
const SHOWN_MS = 1_000;
/** An edge that has nothing to do, or is away, shows no rate after this. */
const FADED_MS = 2_000;
/** The round trip of an edge that has not told one. */
const ASSUMED_RTT_MS = 20;
/** The line within the room or house costs nothing, whatever the device's way to the internet does. */
const PEER_RULES = { ...NO_RULES, metered: false } as const;

/** One edge. */
export class EdgeWatch {
  readonly edge: number;
  readonly bandwidth = new Bandwidth();
  readonly health = new Health();
  facts: EdgeFacts;
  /** What the plan counts on; undefined before it was measured. */
  plannedBytesPerSec: number | undefined;
  /** When the first sample was taken. */
  sampledAtMs: number | undefined;
  /** It is still finding its rate. */
  isNew = true;
  /** When it came, or was last taken into use or out of it on a connection that stood. */
  turnedAtMs = Number.NEGATIVE_INFINITY;
  /** Bytes carried since the plan, and what it would have carried in the same busy time. */
  doneBytes = 0;
  dueBytes = 0;
  /** Packs that it carried, all bytes, and when they last came. */
  packs = 0;
  carriedBytes = 0;
  carriedAtMs = Number.NEGATIVE_INFINITY;
  /** Why the rules do not let it be used now, as of the last view. */
  hindrance: Hindrance | null = null;
  readonly #meter = new BusyMeter();
  readonly #constraints: Constraints;
  readonly #packBytes: number;
  #active = 0;
  #newBytes = 0;
  #shownAtMs: number | undefined;
  #bytesPerSec = 0;
  #busy = 0;

  constructor(edge: number, facts: EdgeFacts, direction: Direction, packBytes: number) {
    this.edge = edge;
    this.facts = facts;
    this.#packBytes = packBytes;
    this.#constraints = new Constraints(direction, facts.kind === "peer" ? PEER_RULES : NO_RULES, packBytes);
  }

  /** Packs under way. */
  get active(): number {
    return this.#active;
  }

  /** Bytes per second over the last second or so. */
  get bytesPerSec(): number {
    return this.#bytesPerSec;
  }

  /** It had something to carry for this share of the last second or so. */
  get busy(): number {
    return this.#busy;
  }

  get rttMs(): number {
    return this.facts.rttMs ?? ASSUMED_RTT_MS;
  }

  /** A pack is asked for, or its first bytes come: from now on the edge has something to carry. @param isWaiting a round trip is to pass first */
  started(isWaiting: boolean, nowMs: number): void {
    this.#active += 1;
    this.#meter.started(nowMs, isWaiting ? this.rttMs : 0);
  }

  carried(bytes: number, nowMs: number): void {
    this.#newBytes += bytes;
    this.carriedBytes += bytes;
    this.carriedAtMs = nowMs;
    this.#meter.carried(bytes, nowMs);
  }

  /** A pack that was started is under way no more, however that came. */
  ended(nowMs: number): void {
    this.#active -= 1;
    this.#meter.ended(nowMs);
  }

  /** The next sample of real work, counted into the estimates. */
  sample(nowMs: number): WorkSample | undefined {
    const sample = this.#meter.take(nowMs);
    if (sample === undefined) return undefined;
    this.bandwidth.add(sample.bytes, sample.busyMs);
    this.sampledAtMs ??= nowMs;
    this.doneBytes += sample.bytes;
    this.dueBytes += ((this.plannedBytesPerSec ?? 0) * sample.busyMs) / 1000;
    return sample;
  }

  /** Lets the shown rates follow. */
  show(nowMs: number): void {
    const passedMs = nowMs - (this.#shownAtMs ?? nowMs);
    this.#shownAtMs = nowMs;
    if (passedMs <= 0) return;
    const part = 1 - Math.exp(-passedMs / SHOWN_MS);
    this.#bytesPerSec += part * ((this.#newBytes * 1000) / passedMs - this.#bytesPerSec);
    this.#busy += part * ((this.#active > 0 ? 1 : 0) - this.#busy);
    this.#newBytes = 0;
    // What has faded to almost nothing is nothing.
    const isOver = (this.#active === 0 || !this.facts.isUp) && nowMs - this.carriedAtMs >= FADED_MS;
    if (isOver || this.#bytesPerSec < 1) this.#bytesPerSec = 0;
  }

  /** It is taken into use, or out of it: when it carries something next, it finds its rate anew. */
  turned(nowMs: number): void {
    this.turnedAtMs = nowMs;
    this.sampledAtMs = undefined;
    this.isNew = true;
    this.doneBytes = 0;
    this.dueBytes = 0;
    this.#meter.skip(nowMs);
  }

  /** It is another way to the same relay, and was taken into use a moment ago, or out of it: what both share is divided anew. */
  disturbs(other: EdgeWatch, nowMs: number): boolean {
    const { name } = this.facts;
    if (other === this || name === "" || name !== other.facts.name) return false;
    return nowMs - this.turnedAtMs < RAMP_MS || (this.isNew && this.sampledAtMs !== undefined && isAsked(this.facts));
  }

  /** A plan counts on this from now on. */
  planned(bytesPerSec: number): void {
    this.plannedBytesPerSec = bytesPerSec;
    this.doneBytes = 0;
    this.dueBytes = 0;
  }

  /** For plan and dispatcher. @param bytesPerSec what to count on */
  view(bytesPerSec: number, policy: Policy, now: Conditions, nowMs: number): EdgeView {
    const { maxActive } = this.facts;
    const estimate = { bytesPerSec, rttMs: this.rttMs, backlogBytes: 0, maxActive, health: this.health.value(nowMs) };
    const verdict = this.#constraints.evaluate(policy, now, this.#packBytes);
    this.hindrance = verdict.reason;
    const view = viewOf(estimate, this.#constraints.rules, verdict);
    return isAsked(this.facts) ? view : { ...view, weight: 0 };
  }
}
