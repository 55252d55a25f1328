/**
 * What a page may know of the edges of a running transfer, and of the plan: plain values.
 *
 * @module
 */
import type { Hindrance } from "../edge/constraints.ts";
import type { EdgeKind } from "../edge/pack-edge.ts";
import type { BottleneckKind } from "../orchestrate/bottleneck.ts";
import type { StrategyKind } from "../orchestrate/strategies.ts";
import type { Cause } from "../orchestrate/triggers.ts";

/**
 * `waiting` is not connected, or silent, and tries again; `resting` could be asked and is not needed; `barred` gave wrong bytes and
 * is not asked again.
 */
export type EdgeStanding = "up" | "waiting" | "resting" | "barred";

/** One edge. */
export interface EdgeSnapshot {
  /** Its number, which stays. */
  readonly edge: number;
  readonly kind: EdgeKind | null;
  /** A relay's host; empty for a peer. */
  readonly name: string;
  readonly standing: EdgeStanding;
  /** 0 to 1. */
  readonly health: number;
  /** Measured now, sealed bytes per second; 0 while it carries nothing. */
  readonly bytesPerSec: number;
  /** What the plan counts on, null before it was measured. */
  readonly plannedBytesPerSec: number | null;
  readonly rttMs: number | null;
  /** Packs that it carried in this transfer. */
  readonly packs: number;
  /** Packs under way there. */
  readonly active: number;
  /** Measured ÷ planned rate, null while that is not known. */
  readonly drift: number | null;
}

/** One entry of the plan's timeline. */
export interface ReplanSnapshot {
  /** Milliseconds since the transfer began. */
  readonly atMs: number;
  readonly causes: readonly { readonly cause: Cause; readonly edges: readonly number[]; readonly value: number }[];
  readonly kind: "nothing" | "partial" | "full";
  readonly strategy: StrategyKind | null;
  /** Share of the time that was left which it saves, 0 to 1; null where nothing was planned. */
  readonly gain: number | null;
  readonly movedPacks: number | null;
}

/** All edges of a transfer. */
export interface EdgesSnapshot {
  readonly edges: readonly EdgeSnapshot[];
  /** The last ones, oldest first, at most SHOWN_REPLANS. */
  readonly replans: readonly ReplanSnapshot[];
  /** Re-plans since the start. */
  readonly replansTotal: number;
  /** What limits it now, and the edges that this is about. */
  readonly limit: { readonly kind: BottleneckKind; readonly edges: readonly number[] };
  /** Why nothing may be started now, by what the user prefers or the device allows; null where something may. */
  readonly hindrance: Hindrance | null;
  /** All edges together, now. */
  readonly bytesPerSec: number;
  /** Packs wanted, under way, held by no edge that can be asked; and second copies, ever. */
  readonly packs: {
    readonly wanted: number;
    readonly active: number;
    readonly waiting: number;
    readonly duplicates: number;
  };
}

/** Entries of the timeline that a snapshot carries. */
export const SHOWN_REPLANS = 50;
