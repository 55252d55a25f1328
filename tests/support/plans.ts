/**
 * Plans for tests.
 *
 * @module
 */
import { type EdgeView, type PackClass, WEIGHT_ONE } from "../../core/schedule/model.ts";
import { Plan } from "../../core/schedule/plan.ts";

/** An ordinary edge. */
export const EDGE: EdgeView = { bytesPerSec: 1e7, rttUs: 20_000, backlogBytes: 0, maxActive: 8, weight: WEIGHT_ONE };
/** Of each pack, unless told. */
export const PACK_BYTES = 4 * 2 ** 20;

/** A class of packs held by these edges. */
export function packsOf(packs: number, edges: readonly number[], more: Partial<PackClass> = {}): PackClass {
  const rest = { packBytes: PACK_BYTES, priority: 0, deadlineMs: Number.POSITIVE_INFINITY, ...more };
  return { packs, edges: Uint16Array.from(edges), ...rest };
}

/** A plan that is made. */
export function solved(classes: readonly PackClass[], edges: readonly EdgeView[]): Plan {
  const plan = new Plan(classes, edges);
  plan.solve();
  return plan;
}

/** Edges of all packs of each class, in the order of their positions. */
export function written(classes: readonly PackClass[], plan: Plan): number[][] {
  const classOf = Uint16Array.from(classes.flatMap(({ packs }, index) => new Array<number>(packs).fill(index)));
  const out = new Uint16Array(classOf.length);
  plan.writeAll(classOf, out);
  let end = 0;
  return classes.map(({ packs }) => {
    end += packs;
    return [...out.subarray(end - packs, end)];
  });
}
