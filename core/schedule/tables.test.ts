import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NO_EDGE } from "./model.ts";
import { TableFiller } from "./tables.ts";

/** A table of these counts of edges 0, 1, 2, … */
function tableOf(counts: readonly number[], size = counts.reduce((sum, count) => sum + count, 0)): Uint16Array {
  const holder = Uint16Array.from(counts, (_, edge) => edge);
  const table = new Uint16Array(size);
  new TableFiller().fill(table, 0, size, { from: 0, to: counts.length, holder }, Uint32Array.from(counts));
  return table;
}

describe("a table", () => {
  it("interleaves edges", () => {
    expect([...tableOf([2, 2])]).toEqual([0, 1, 0, 1]);
    expect([...tableOf([4, 2, 1, 1])]).toEqual([0, 1, 0, 2, 0, 3, 1, 0]);
    expect([...tableOf([0, 3])]).toEqual([1, 1, 1]);
  });

  it("has in every beginning each edge's part to less than one slot, and in any window to less than two", () =>
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 14 }), (counts) => {
        const table = tableOf(counts);
        const sum = table.length;
        expect(counts.map((_, edge) => table.filter((each) => each === edge).length)).toEqual(counts);
        for (const [edge, count] of counts.entries()) {
          // how far ahead of its part the edge is, after each slot
          let ahead = 0;
          const line = Array.from({ length: 2 * sum }, (_, i) => {
            ahead += (table[i % sum] === edge ? 1 : 0) - count / sum;
            return ahead;
          });
          const [most, least] = [Math.max(0, ...line), Math.min(0, ...line)];
          expect(most).toBeLessThan(1);
          expect(least).toBeGreaterThan(-1);
          expect(most - least).toBeLessThan(2);
        }
      }),
      { numRuns: 300 },
    ));

  it("repeats a sum that is smaller than itself", () => {
    expect([...tableOf([2, 1], 8)]).toEqual([0, 1, 0, 0, 1, 0, 0, 1]);
  });

  it("says nobody where nobody has a slot", () => {
    expect([...tableOf([0, 0], 3)]).toEqual([NO_EDGE, NO_EDGE, NO_EDGE]);
    expect([...tableOf([], 2)]).toEqual([NO_EDGE, NO_EDGE]);
  });

  it("holds a thousand edges", () => {
    const counts = Array.from({ length: 1000 }, (_, edge) => 1 + (edge % 31));
    const table = tableOf(counts);
    expect(counts.map((_, edge) => table.filter((each) => each === edge).length)).toEqual(counts);
  });
});
