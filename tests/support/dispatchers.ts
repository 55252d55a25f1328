/**
 * Dispatchers for tests.
 *
 * @module
 */
import { RangeSet } from "../../core/chunk/range-set.ts";
import type { Orders } from "../../core/schedule/dispatch-orders.ts";
import { Dispatcher } from "../../core/schedule/dispatcher.ts";
import { type EdgeView, WEIGHT_ONE } from "../../core/schedule/model.ts";

/** Bytes of a pack, which an ordinary edge carries in a second. */
export const PACK = 1_000_000;
/** An ordinary edge. */
export const VIEW: EdgeView = { bytesPerSec: PACK, rttUs: 0, backlogBytes: 0, maxActive: 8, weight: WEIGHT_ONE };

/** The packs of `[start, end)`. */
export function range(start: number, end: number): RangeSet {
  const set = new RangeSet();
  set.add(start, end);
  return set;
}

/** A dispatcher over edges like `VIEW` but for what is given; each holds packs 0 to 99. */
export function dispatcherOf(edges: readonly Partial<EdgeView>[], seed = 1): Dispatcher {
  const dispatcher = new Dispatcher({ edges: edges.map((edge) => ({ ...VIEW, ...edge })), packBytes: PACK, seed });
  for (const edge of edges.keys()) dispatcher.holders(edge, range(0, 100));
  return dispatcher;
}

/** What is started, `pack@edge`. */
export const starts = ({ start }: Orders): string[] => start.map(({ pack, edge }) => `${pack}@${edge}`);
