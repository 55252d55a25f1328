import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drawNumbers } from "./draw-numbers.ts";

describe("drawn numbers", () => {
  it("are different, in order, and within the range", () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 24 }), fc.nat(24), (most, wish) => {
        const count = Math.min(wish, most);
        const drawn = drawNumbers(count, most);
        expect(new Set(drawn).size).toBe(count);
        expect(drawn).toEqual(drawn.toSorted((a, b) => a - b));
        expect(drawn.every((number) => number >= 1 && number <= most)).toBe(true);
      }),
    ));
});
