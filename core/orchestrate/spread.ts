/**
 * Puts two plans side by side for the strategies: the one that is followed and the one that might be. Pure.
 *
 * @module
 */
import { assert } from "../failure.ts";
import { type EdgeView, NEVER_US, type PackClass, WEIGHT_ONE } from "../schedule/model.ts";
import type { ClassShares, Spread } from "./strategies.ts";

/** What is asked of a plan here; `schedule/plan.ts` is one. */
export interface SharePlan {
  /** The part of a class's packs that an edge is to carry, 0 to 1; 0 for one that does not hold them. */
  share(classIndex: number, edge: number): number;
}

/** Weighted microseconds that each edge takes for one byte; Infinity where it is not to be used. */
function byteTimes(edges: readonly EdgeView[]): Float64Array {
  return Float64Array.from(edges, ({ weight, bytesPerSec }) =>
    weight === 0 ? Number.POSITIVE_INFINITY : ((weight / WEIGHT_ONE) * 1e6) / bytesPerSec,
  );
}

/**
 * What `planMoves` takes. Both plans are of the same classes.
 *
 * @param edges by their numbers, as they are now
 * @param concerned numbers of the classes that may move: those that changed edges hold. The others stay as the plan that is
 *   followed has them, and are what the edges have to do besides
 */
export function spreadOf(
  classes: readonly PackClass[],
  edges: readonly EdgeView[],
  current: SharePlan,
  planned: SharePlan,
  concerned: "all" | ReadonlySet<number> = "all",
): Spread {
  const byteUs = byteTimes(edges);
  const baseUs = Float64Array.from(edges, ({ weight, backlogBytes, rttUs }, edge) =>
    weight === 0 ? 0 : (byteUs[edge] ?? 0) * backlogBytes + (weight / WEIGHT_ONE) * rttUs,
  );
  const shares: ClassShares[] = [];
  for (const [classIndex, one] of classes.entries()) {
    assert(
      (one.edges.at(-1) ?? 0) < edges.length || one.edges.length === 0,
      "classes are held by edges that are there",
    );
    if (concerned === "all" || concerned.has(classIndex)) {
      shares.push({
        classIndex,
        edges: one.edges,
        packUs: Float64Array.from(one.edges, (edge) => Math.min(NEVER_US, (byteUs[edge] ?? 0) * one.packBytes)),
        current: Float64Array.from(one.edges, (edge) => current.share(classIndex, edge) * one.packs),
        planned: Float64Array.from(one.edges, (edge) => planned.share(classIndex, edge)),
      });
      continue;
    }
    const classBytes = one.packs * one.packBytes;
    for (let i = 0; i < one.edges.length; i++) {
      const edge = one.edges[i] ?? 0;
      const us = byteUs[edge] ?? 0;
      if (us < Number.POSITIVE_INFINITY)
        baseUs[edge] = (baseUs[edge] ?? 0) + us * classBytes * current.share(classIndex, edge);
    }
  }
  return { classes: shares, baseUs };
}
