/**
 * What the simulator drives: the dispatcher, or a policy that it is compared with.
 *
 * @module
 */
import type { RangeSet } from "../../../core/chunk/range-set.ts";
import type { Orders, Want } from "../../../core/schedule/dispatch-orders.ts";
import type { EdgeView } from "../../../core/schedule/model.ts";

/** The calls of a `Dispatcher` that a transfer makes. */
export interface Scheduler {
  want(pack: number, how?: Want): void;
  holders(edge: number, held: RangeSet): void;
  setEdge(edge: number, view: EdgeView): void;
  edgeLost(edge: number): void;
  distrust(edge: number): void;
  progress(pack: number, edge: number, bytes: number, nowMs: number): void;
  arrived(pack: number, edge: number): boolean;
  failed(pack: number, edge: number, nowMs: number, isAbsent?: boolean): void;
  tick(nowMs: number): Orders;
  fill(nowMs: number): Orders;
}

/** Makes a scheduler for a transfer of packs of this size over these edges. */
export type Policy = (options: {
  readonly edges: readonly EdgeView[];
  readonly packBytes: number;
  readonly seed: number;
}) => Scheduler;
