import { describe, expect, it } from "vitest";
import { type EdgeView, NEVER_US, type PackClass } from "../schedule/model.ts";
import { spreadOf } from "./spread.ts";
import { planMoves } from "./strategies.ts";

const view = (changes: Partial<EdgeView> = {}): EdgeView => ({
  ...{ bytesPerSec: 1_000_000, rttUs: 500, backlogBytes: 2000, maxActive: 8, weight: 256 },
  ...changes,
});
const packs = (count: number, ...edges: number[]): PackClass => ({
  ...{
    packs: count,
    packBytes: 1000,
    edges: Uint16Array.from(edges),
    priority: 0,
    deadlineMs: Number.POSITIVE_INFINITY,
  },
});
const plan = (...shares: number[][]) => ({ share: (index: number, edge: number) => shares[index]?.[edge] ?? 0 });

describe("spreadOf", () => {
  const edges = [view(), view({ weight: 512 }), view({ weight: 0 })];
  const classes = [packs(10, 0, 1), packs(20, 1, 2)];
  const spread = spreadOf(classes, edges, plan([1, 0], [0, 0.25, 0.75]), plan([0.5, 0.5], [0, 1, 0]));

  it("has packs by edge now, and what the new plan gives it", () => {
    expect(spread.classes.map(({ current }) => Array.from(current))).toEqual([
      [10, 0],
      [5, 15],
    ]);
    expect(spread.classes.map(({ planned }) => Array.from(planned))).toEqual([
      [0.5, 0.5],
      [1, 0],
    ]);
  });

  it("has times that are weighted as costs are, never for an edge that is not to be used", () => {
    expect(spread.classes.map(({ packUs }) => Array.from(packUs))).toEqual([
      [1000, 2000],
      [2000, NEVER_US],
    ]);
    expect(Array.from(spread.baseUs)).toEqual([2500, 5000, 0]);
  });

  it("gives the strategies what they need", () => {
    const set = planMoves(spread, { kind: "cost-optimal" });
    expect(set.rescues).toEqual([{ classIndex: 1, from: 2, to: 1, packs: 15 }]);
  });

  it("leaves classes alone that the change does not concern, and counts them as work", () => {
    const part = spreadOf(classes, edges, plan([1, 0], [0, 0.25, 0.75]), plan([0.5, 0.5], [0, 1, 0]), new Set([1]));
    expect(part.classes.map(({ classIndex }) => classIndex)).toEqual([1]);
    expect(Array.from(part.baseUs)).toEqual([12_500, 5000, 0]);
    const whole = planMoves(spread, { kind: "cost-optimal" });
    expect(planMoves(part, { kind: "cost-optimal" })).toMatchObject({ rescues: whole.rescues, packs: 20 });
  });

  it("refuses classes of edges that are not there", () => {
    expect(() => spreadOf([packs(1, 7)], edges, plan(), plan())).toThrow("assertion failed");
  });
});
