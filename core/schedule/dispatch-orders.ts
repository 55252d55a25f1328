/**
 * What a dispatcher is given, and the orders that it gives.
 *
 * @module
 */
import type { EdgeView } from "./model.ts";

/** What a dispatcher begins with. */
export interface DispatcherOptions {
  /** The edges 0, 1, …; more may come by `setEdge`. */
  readonly edges: readonly EdgeView[];
  /** Bytes of a pack. */
  readonly packBytes: number;
  /** Chooses among edges that are equally good, so that not everybody begins with the same one. */
  readonly seed: number;
  /**
   * False where nothing is told of a pack before it is whole, and edges say by themselves that they are gone: then what takes
   * long is only slow. True by default.
   */
  readonly timesOut?: boolean;
}

/** How much a pack is wanted. */
export interface Want {
  /** 0 to 255; a higher one is served first. 0 by default. */
  readonly priority?: number;
  /** When it is wanted; sooner goes first within a priority. Infinity by default. */
  readonly deadlineMs?: number;
}

/** A pack to start. */
export interface Start {
  readonly pack: number;
  readonly edge: number;
  /** True for a second copy of a pack that is under way elsewhere. */
  readonly isDuplicate: boolean;
  /** The edge that has the first copy is so slow that what came of it is given up. */
  readonly isRescue?: true;
}

/** What to do now. The cancellations come first: they make room for the starts. */
export interface Orders {
  readonly cancel: readonly { readonly pack: number; readonly edge: number }[];
  readonly start: readonly Start[];
}

/** How many packs are where. */
export interface Counts {
  /** Wanted and not there. */
  readonly wanted: number;
  /** Of these, under way. */
  readonly active: number;
  /** Of these, neither under way nor held by an edge that may be asked. */
  readonly waiting: number;
  /** Second copies started, ever. */
  readonly duplicates: number;
}
