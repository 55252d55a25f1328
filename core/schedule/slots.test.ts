import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Rounding, slotCounts } from "./slots.ts";

describe("the slots of a class", () => {
  const slotsOf = (holders: number, packs = 1, count = 1): number[] =>
    slotCounts(new Array(count).fill({ packs, packBytes: 1, edges: new Uint16Array(holders) }));

  it("are a power of two, at least 64 and at least 16 for each holder", () => {
    expect([0, 1, 4, 5, 8, 1000].map((holders) => slotsOf(holders)[0])).toEqual([64, 64, 64, 128, 128, 16_384]);
  });

  it("are more where a class has much of all bytes, and not more than it has packs", () => {
    expect(slotsOf(2, 1000)).toEqual([1024]);
    expect(slotsOf(2, 1e7)).toEqual([2 ** 17]);
    expect(slotsOf(2, 1e6, 8)).toEqual(new Array(8).fill(2 ** 14));
  });

  it("are at most 2^20 together, and never less than 64", () => {
    for (const holders of [1, 5, 100, 65_534]) {
      for (const packs of [0, 1, 1e6]) {
        const slots = slotsOf(holders, packs, 4096);
        expect(slots.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(2 ** 20);
        expect(Math.min(...slots)).toBeGreaterThanOrEqual(64);
      }
    }
    expect(slotsOf(65_534)).toEqual([2 ** 20]);
  });
});

describe("rounding", () => {
  const classes = fc.array(
    fc.array(fc.oneof(fc.constant(0), fc.double({ min: 1, max: 1e9, noNaN: true })), { minLength: 4, maxLength: 4 }),
    { minLength: 1, maxLength: 60 },
  );

  it("gives all slots, each edge its part rounded down or up, and nothing to one that has no bytes", () =>
    fc.assert(
      fc.property(classes, fc.integer({ min: 1, max: 200 }), (all, slots) => {
        const rounding = new Rounding(4, 4, 4);
        for (const parts of all) {
          const bytes = Float64Array.from(parts);
          const sum = bytes.reduce((total, own) => total + own, 0);
          const counts = new Uint32Array(4);
          const shares = { from: 0, to: 4, bytes, holder: Uint16Array.of(0, 1, 2, 3) };
          rounding.round(shares, slots, new Float64Array(4).fill(1), counts);
          expect(counts.reduce((total, count) => total + count, 0)).toBe(sum > 0 ? slots : 0);
          for (const [edge, own] of bytes.entries()) {
            const part = sum > 0 ? (own / sum) * slots : 0;
            expect(Math.abs((counts[edge] ?? 0) - part)).toBeLessThan(1 + 1e-9);
            if (own === 0) expect(counts[edge]).toBe(0);
          }
        }
      }),
    ));

  it("evens out over classes: a thousand classes of one pack each are shared as they should be", () => {
    const rounding = new Rounding(3, 3000, 3);
    const bytes = Float64Array.from({ length: 3000 }, (_, pair) => [500, 300, 200][pair % 3] ?? 0);
    const holder = Uint16Array.from(bytes, (_, pair) => pair % 3);
    const counts = new Uint32Array(3000);
    const given = [0, 0, 0];
    for (let index = 0; index < 1000; index++) {
      const from = 3 * index;
      const shares = { from, to: from + 3, bytes, holder };
      rounding.round(shares, 1, new Float64Array(3).fill(1), counts);
    }
    for (const [pair, count] of counts.entries()) given[pair % 3] = (given[pair % 3] ?? 0) + count;
    for (const [edge, wanted] of [500, 300, 200].entries())
      expect(Math.abs((given[edge] ?? 0) - wanted)).toBeLessThan(2);
  });
});
