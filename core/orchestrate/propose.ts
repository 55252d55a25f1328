/**
 * What a new plan moves against the old one, for packs that are still to come. Pure.
 *
 * @module
 */
import type { RangeSet } from "../chunk/range-set.ts";
import { classesOf } from "../schedule/classes.ts";
import type { EdgeView } from "../schedule/model.ts";
import { Plan } from "../schedule/plan.ts";
import { chooseStrategy } from "./choose-strategy.ts";
import { spreadOf } from "./spread.ts";
import { type MoveSet, planMoves } from "./strategies.ts";

const US_PER_MS = 1_000;

/** The old plan, the new one, and what is between them. */
export interface Proposal {
  /** What each edge holds, by number. */
  readonly held: readonly RangeSet[];
  /** Packs that are still to come, `[start, end)`. */
  readonly rest: readonly [start: number, end: number];
  readonly packBytes: number;
  /** What the old plan counts on, and the new one, by number. */
  readonly before: readonly EdgeView[];
  readonly after: readonly EdgeView[];
  /** An edge is gone. */
  readonly hasLost: boolean;
  /** Everything is planned anew. */
  readonly isWhole: boolean;
  /** The edges that it is about. */
  readonly concerned: readonly number[] | "all";
}

/** The moves from one plan to the other, and what they are worth. */
export function proposeMoves(proposal: Proposal): MoveSet {
  const { held, rest, packBytes, before, after, hasLost, isWhole, concerned } = proposal;
  const classes = classesOf(held, rest[0], rest[1], packBytes);
  const [current, planned] = [before, after].map((views) => {
    const plan = new Plan(classes, views);
    plan.solve();
    return plan;
  }) as [Plan, Plan];
  const finishUs = Math.max(0, ...after.map((_, edge) => planned.finishUs(edge)).filter(Number.isFinite));
  const strategy = chooseStrategy({ hasLost, isWhole, finishMs: finishUs / US_PER_MS });
  const numbers = new Set(
    classes.flatMap(({ edges }, index) =>
      concerned === "all" || concerned.some((edge) => edges.includes(edge)) ? [index] : [],
    ),
  );
  return planMoves(spreadOf(classes, after, current, planned, numbers), strategy);
}
