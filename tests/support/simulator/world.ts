/**
 * What the simulator plays: edges with changing rates, faults and lies; what they hold; the receiver's line and window.
 *
 * @module
 */
import { RangeSet } from "../../../core/chunk/range-set.ts";

/** A rate from a moment on, until the next. */
export interface RateStep {
  readonly fromMs: number;
  readonly bytesPerSec: number;
}

/** Something that happens to an edge. */
export type Fault =
  /** The connection is gone; a fault `back` brings it back. Both are told to the scheduler. */
  | { readonly kind: "lost" | "back"; readonly atMs: number }
  /** From then on nothing comes any more, and nobody says so. */
  | { readonly kind: "silent"; readonly atMs: number };

/** How an edge lies about the packs that it is asked for. */
export type Lie =
  /** It says that it has them, and when asked that it has not. */
  | "absent"
  /** What it sends is not what was asked for. */
  | "corrupt"
  /** It sends one byte and no more. */
  | "stall";

/** One edge. */
export interface SimEdge {
  /** Ascending; the first is from 0 on. */
  readonly rate: readonly RateStep[];
  readonly rttMs: number;
  readonly maxActive: number;
  /** Packs that it holds, as it says. */
  readonly holds: readonly (readonly [start: number, end: number])[];
  readonly faults: readonly Fault[];
  readonly lie?: Lie;
  /** What the scheduler believes of the rate at first; the rate at 0 where absent. */
  readonly guessBytesPerSec?: number;
}

/** One transfer to play. */
export interface World {
  readonly packs: number;
  readonly packBytes: number;
  readonly edges: readonly SimEdge[];
  /** What the receiver's own line carries. */
  readonly lineBytesPerSec?: number;
  /** Packs from the first missing one on that are wanted at once, wanted in order; all packs where absent. */
  readonly windowPacks?: number;
  /** Priority of a pack; 0 where absent. */
  priority?(pack: number): number;
  readonly seed: number;
  /** The transfer is given up then. */
  readonly endMs: number;
}

/** What an edge says that it holds. */
export function heldBy(edge: SimEdge): RangeSet {
  const set = new RangeSet();
  for (const [start, end] of edge.holds) set.add(start, end);
  return set;
}

/** An edge's rate at a moment. */
export function rateAt(rate: readonly RateStep[], ms: number): number {
  let now = 0;
  for (const { fromMs, bytesPerSec } of rate) {
    if (fromMs > ms) break;
    now = bytesPerSec;
  }
  return now;
}

/** When an edge serves: times between faults, as pairs from, to. Its last may have no end. */
export function servingTimes({ faults }: SimEdge): (readonly [fromMs: number, toMs: number])[] {
  const times: (readonly [number, number])[] = [];
  let from: number | undefined = 0;
  for (const { kind, atMs } of faults) {
    if (kind === "back") from ??= atMs;
    else if (from !== undefined) {
      times.push([from, atMs]);
      from = undefined;
    }
  }
  if (from !== undefined) times.push([from, Number.POSITIVE_INFINITY]);
  return times;
}
