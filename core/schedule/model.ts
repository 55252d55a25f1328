/**
 * What the scheduler is told and what it answers. Edges and holder classes are numbered; packs have positions in their class.
 * All costs are whole microseconds below 2^31, so that processors and GPUs find the same ones.
 *
 * @module
 */

/** Edges that one plan can tell apart; numbers are u16 and this one means none. */
export const NO_EDGE = 0xffff;
/** Holder classes of one plan. */
export const MAX_CLASSES = 4096;
/** What costs this much is never chosen; every cost that may be chosen is less. */
export const NEVER_US = 2 ** 31 - 1;
/** A weight of 1, with 8 bits behind the point. */
export const WEIGHT_ONE = 256;

/**
 * One edge in one direction, as estimators and policy see it now. Plain numbers: an edge that is lost, full, or not to be
 * used is told by `weight` 0.
 */
export interface EdgeView {
  /** Bytes per second that it carries for this transfer, > 0. */
  readonly bytesPerSec: number;
  /** Microseconds until the first byte of what is asked for now: its round trip. */
  readonly rttUs: number;
  /** Bytes asked for, or being sent, and not there yet. */
  readonly backlogBytes: number;
  /** Packs that may be under way at once, ≥ 1. */
  readonly maxActive: number;
  /**
   * What a second of this edge is worth against one of a healthy edge that costs nothing, in 1/256: 256 divided by health, times
   * the policy's multipliers; 0 means never. See `edge/constraints.ts`.
   */
  readonly weight: number;
}

/**
 * Packs that the same edges hold, of one priority and size. Their order in the class is their order in the transfer.
 */
export interface PackClass {
  /** Packs that have not been started. */
  readonly packs: number;
  /** Bytes of each. */
  readonly packBytes: number;
  /** Numbers of the edges that hold (or, for a sender, may take) them: ascending, none twice. */
  readonly edges: Uint16Array;
  /** 0 to 255; a higher one is served first. */
  readonly priority: number;
  /** When they are wanted, ms of the clock; Infinity where nobody waits. Sooner goes first within a priority. */
  readonly deadlineMs: number;
}
