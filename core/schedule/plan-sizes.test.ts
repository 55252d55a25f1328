/**
 * A plan of nothing, and plans as large as they may be.
 *
 * @module
 */
import { describe, expect, it } from "vitest";
import { EDGE, PACK_BYTES, packsOf, solved, written } from "../../tests/support/plans.ts";
import { MAX_CLASSES, NO_EDGE } from "./model.ts";
import { Plan } from "./plan.ts";

describe("sizes of a plan", () => {
  it("are nothing, no packs, and one edge", () => {
    expect(solved([], []).unplaceable()).toEqual([]);
    const empty = solved([packsOf(0, [0])], [EDGE]);
    expect([empty.edgeAt(0, 0), empty.loadUs(0)]).toEqual([NO_EDGE, 0]);
    const one = solved([packsOf(3, [0])], [EDGE]);
    expect(written([packsOf(3, [0])], one)).toEqual([[0, 0, 0]]);
    expect(solved([packsOf(5, [])], [EDGE]).unplaceable()).toEqual([0]);
  });

  it("are a thousand edges of one class", () => {
    const edges = Array.from({ length: 1000 }, (_, edge) => ({ ...EDGE, bytesPerSec: 1e6 * (1 + (edge % 50)) }));
    const classes = [packsOf(1_000_000, [...edges.keys()])];
    const plan = solved(classes, edges);
    const packs = new Float64Array(1000);
    for (const edge of written(classes, plan)[0] ?? []) packs[edge] = (packs[edge] ?? 0) + 1;
    const most = Math.max(...packs.map((count, edge) => (count * PACK_BYTES) / (edges[edge]?.bytesPerSec ?? 1)));
    expect(most / ((1_000_000 * PACK_BYTES) / 25_500e6)).toBeLessThan(1.01);
  });

  it("are 4,096 classes of one pack each, which are shared as large ones are", () => {
    const edges = Array.from({ length: 16 }, () => EDGE);
    const classes = Array.from({ length: MAX_CLASSES }, (_, index) => packsOf(1, [index % 5, 5 + (index % 11)]));
    const counts = new Float64Array(16);
    for (const [edge] of written(classes, solved(classes, edges)))
      if (edge !== undefined) counts[edge] = (counts[edge] ?? 0) + 1;
    expect(Math.max(...counts)).toBeLessThan((MAX_CLASSES / 16) * 1.02);
  });

  it("are at most 6 bytes a pack for ten million packs, with their classes and edges written out", () => {
    const edges = Array.from({ length: 1000 }, () => EDGE);
    const classes = Array.from({ length: MAX_CLASSES }, (_, index) =>
      packsOf(
        2441,
        [0, 1, 2, 3, 4, 5, 6, 7].map((i) => (index % 100) + 100 * i),
      ),
    );
    expect(new Plan(classes, edges).memoryBytes / 1e7 + 2 + 2).toBeLessThan(6);
  });

  it("are not more classes than may be, nor edges that it was not told, nor holders out of order", () => {
    expect(() => new Plan(new Array(MAX_CLASSES + 1).fill(packsOf(1, [])), [])).toThrow("few enough");
    expect(() => new Plan([packsOf(1, [1])], [EDGE])).toThrow("holders");
    expect(() => new Plan([packsOf(1, [1, 0])], [EDGE, EDGE])).toThrow("holders");
    expect(() => new Plan([], [{ ...EDGE, rttUs: Number.NaN }])).toThrow("numbers");
    expect(() => solved([packsOf(1, [0])], [EDGE]).replan([1], [EDGE])).toThrow("edge of the plan");
  });
});
