import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RangeSet } from "../chunk/range-set.ts";
import { classesOf } from "./classes.ts";

function setOf(ranges: readonly (readonly [number, number])[]): RangeSet {
  const set = new RangeSet();
  for (const [from, to] of ranges) set.add(from, to);
  return set;
}

const summary = (held: readonly RangeSet[], start: number, end: number) =>
  classesOf(held, start, end, 4).map(({ packs, edges }) => [packs, [...edges]]);

describe("classes of packs that the same edges hold", () => {
  it("are one for each set of holders, in the order of their first packs", () => {
    const held = [
      setOf([[0, 10]]),
      setOf([
        [4, 6],
        [8, 10],
      ]),
    ];
    expect(summary(held, 0, 10)).toEqual([
      [6, [0]],
      [4, [0, 1]],
    ]);
  });

  it("leave out what is before, what is behind, and what nobody holds", () => {
    const held = [
      setOf([
        [0, 4],
        [6, 20],
      ]),
    ];
    expect(summary(held, 2, 8)).toEqual([[4, [0]]]);
    expect(summary([new RangeSet()], 0, 8)).toEqual([]);
    expect(summary([], 0, 8)).toEqual([]);
    expect(summary(held, 8, 8)).toEqual([]);
  });

  it("count each pack that somebody holds exactly once, whoever holds what", () => {
    const ranges = fc.array(
      fc.tuple(fc.nat(60), fc.nat(60)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const),
    );
    fc.assert(
      fc.property(fc.array(ranges, { maxLength: 5 }), fc.nat(60), fc.nat(60), (all, a, b) => {
        const held = all.map(setOf);
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        const expected = new Map<string, number>();
        for (let pack = start; pack < end; pack++) {
          const edges = held.flatMap((set, edge) => (set.has(pack) ? [edge] : [])).join(" ");
          if (edges !== "") expected.set(edges, (expected.get(edges) ?? 0) + 1);
        }
        const found = classesOf(held, start, end, 4).map(({ packs, edges }) => [edges.join(" "), packs] as const);
        expect(new Map(found)).toEqual(expected);
        expect(found.length).toBe(expected.size);
      }),
    );
  });
});
