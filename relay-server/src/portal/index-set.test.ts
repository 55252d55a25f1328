import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IndexSet } from "./index-set.ts";

describe("a set of indexes", () => {
  it("tells the same ranges as a sorted list", () => {
    void fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 300 })),
        fc.array(fc.integer({ min: 0, max: 300 })),
        (add, drop) => {
          const set = new IndexSet(add);
          for (const index of drop) set.delete(index);
          const expected = new Set(add.filter((index) => !drop.includes(index)));
          expect(set.size).toBe(expected.size);
          const ranges = set.ranges();
          const told: number[] = [];
          for (let i = 0; i < ranges.length; i += 2)
            for (let index = ranges[i] ?? 0; index < (ranges[i + 1] ?? 0); index++) told.push(index);
          expect(told).toEqual([...expected].sort((a, b) => a - b));
          for (let i = 2; i < ranges.length; i += 2) expect(ranges[i]).toBeGreaterThan(ranges[i - 1] ?? 0);
        },
      ),
    );
  });

  it("knows a gapless prefix", () => {
    const set = new IndexSet([2, 0, 1]);
    expect(set.isPrefix(3)).toBe(true);
    expect(set.isPrefix(2)).toBe(false);
    expect(new IndexSet([1, 2, 3]).isPrefix(3)).toBe(false);
    expect(new IndexSet().isPrefix(0)).toBe(true);
  });

  it("gives no more ranges than asked for", () => {
    expect(new IndexSet([0, 2, 4, 6]).ranges(2)).toEqual([0, 1, 2, 3]);
  });
});
