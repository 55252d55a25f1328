import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RangeSet } from "./range-set.ts";

const ranges = fc.array(fc.tuple(fc.nat(60), fc.nat(12)).map(([start, length]) => [start, start + length] as const));

describe("RangeSet", () => {
  it("equals a Set of numbers under any additions", () => {
    fc.assert(
      fc.property(ranges, (additions) => {
        const set = new RangeSet();
        const members = new Set<number>();
        for (const [start, end] of additions) {
          set.add(start, end);
          for (let i = start; i < end; i++) members.add(i);
          expect(set.count).toBe(members.size);
        }
        for (let i = 0; i < 80; i++) expect(set.has(i), `${i}`).toBe(members.has(i));
        const missing = [...set.missing(75, 5)].flatMap(([a, b]) => Array.from({ length: b - a }, (_, i) => a + i));
        expect(missing).toEqual(Array.from({ length: 70 }, (_, i) => i + 5).filter((i) => !members.has(i)));
        const bounds = set.toArray();
        expect(bounds).toEqual([...new Set(bounds)].sort((a, b) => a - b));
        expect([...set].flat()).toEqual(bounds);
        expect(set.rangeCount).toBe(bounds.length / 2);
        const copy = RangeSet.fromArray(bounds);
        expect([copy.toArray(), copy.count]).toEqual([bounds, set.count]);
      }),
    );
  });

  it("joins ranges that touch, and holds the whole of u32", () => {
    const set = new RangeSet();
    for (const [start, end] of [
      [10, 20],
      [0, 5],
      [5, 10],
      [2 ** 32 - 1, 2 ** 32],
    ] as const)
      set.add(start, end);
    expect(set.toArray()).toEqual([0, 20, 2 ** 32 - 1, 2 ** 32]);
    set.add(0, 2 ** 32);
    expect([set.toArray(), set.count]).toEqual([[0, 2 ** 32], 2 ** 32]);
    expect([...set.missing(2 ** 32)]).toEqual([]);
  });

  it("adds one number by default, nothing when empty, and refuses what is no u32", () => {
    const set = new RangeSet();
    set.add(7);
    set.add(3, 3);
    expect(set.toArray()).toEqual([7, 8]);
    for (const bad of [-1, 0.5, Number.NaN, 2 ** 32]) expect(() => set.add(bad)).toThrow("assertion failed");
  });

  it("gives an array that does not change the set", () => {
    const set = new RangeSet();
    set.add(1, 4);
    set.toArray().push(9, 10);
    expect(set.toArray()).toEqual([1, 4]);
  });

  it.each([
    [[1]],
    [[2, 1]],
    [[1, 1]],
    [[0, 2, 2, 3]],
    [[-1, 2]],
    [[0, 1.5]],
    [[0, 101]],
    [["0", 1]],
    [[0, Number.NaN]],
  ])("rejects %j from outside", (bounds) => {
    expect(() => RangeSet.fromArray(bounds, 100)).toThrow(expect.objectContaining({ code: "wire/malformed" }));
  });
});
