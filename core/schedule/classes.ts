/**
 * Groups the packs of a transfer that are still to come into classes of packs that the same edges hold, for a plan.
 *
 * @module
 */
import type { RangeSet } from "../chunk/range-set.ts";
import { assert } from "../failure.ts";
import type { PackClass } from "./model.ts";

/** Ranges of what each edge holds that are looked at: beyond it, the rest counts as the last of them. */
const MAX_BOUNDS = 4096;

/**
 * The classes of the packs `[start, end)`; packs that nobody holds are in none. They come in the order of their first packs.
 *
 * @param held by the edges' numbers
 */
export function classesOf(held: readonly RangeSet[], start: number, end: number, packBytes: number): PackClass[] {
  assert(start >= 0 && packBytes > 0, "packs of a size");
  const bounds = [...new Set([start, ...held.flatMap((one) => boundsOf(one, start, end))])]
    .filter((bound) => bound < end)
    .sort((a, b) => a - b)
    .slice(0, MAX_BOUNDS);
  const classes = new Map<string, { edges: Uint16Array; packs: number }>();
  for (const [i, from] of bounds.entries()) {
    const edges = Uint16Array.from(held.flatMap((one, edge) => (one.has(from) ? [edge] : [])));
    if (edges.length === 0) continue;
    const packs = (bounds[i + 1] ?? end) - from;
    const key = edges.join(" ");
    const known = classes.get(key);
    if (known === undefined) classes.set(key, { edges, packs });
    else known.packs += packs;
  }
  return [...classes.values()].map(({ edges, packs }) => ({
    packs,
    packBytes,
    edges,
    priority: 0,
    deadlineMs: Number.POSITIVE_INFINITY,
  }));
}

function boundsOf(held: RangeSet, start: number, end: number): number[] {
  const bounds: number[] = [];
  for (const [from, to] of held) {
    if (bounds.length >= MAX_BOUNDS || from >= end) break;
    if (to > start) bounds.push(Math.max(start, from), to);
  }
  return bounds;
}
