import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GIB, MAX_CHUNK_BYTES } from "../units.ts";
import { cutRule, cutSizesFor } from "./cut-sizes.ts";
import { gearFinder } from "./gear.ts";
import { cutEnds, STRICT_CANDIDATE, selectCuts } from "./select-cuts.ts";

/** Normal point at 416 of 512. */
const SIZES = { minBytes: 128, averageBytes: 512, maxBytes: 1024 };
const strict = (position: number): number => position + STRICT_CANDIDATE;
const select = (candidates: number[], length: number, final: boolean): number[] => [
  ...selectCuts(Uint32Array.from(candidates), length, SIZES, final),
];

describe("choice of cuts", () => {
  it("takes the first strict candidate behind the smallest size", () => {
    expect(select([strict(100), strict(127), 200, strict(300)], 1200, false)).toEqual([128, 301]);
  });

  it("takes a loose candidate only from the normal point on", () => {
    expect(select([414], 2000, false)).toEqual([1024]);
    expect(select([415], 1000, false)).toEqual([416]);
    expect(select([strict(700)], 1000, false)).toEqual([701]);
  });

  it("cuts at the largest size when there is no candidate, and counts one at its very end", () => {
    expect(select([], 3000, false)).toEqual([1024, 2048]);
    expect(select([1023], 1500, false)).toEqual([1024]);
    expect(select([1024], 1024, false)).toEqual([1024]);
  });

  it("leaves what may still go on to the next piece, unless the piece is final", () => {
    expect(select([], 1023, false)).toEqual([]);
    expect(select([], 1023, true)).toEqual([1023]);
    expect(select([], 1, true)).toEqual([1]);
    expect(select([], 0, true)).toEqual([]);
    expect(select([strict(200)], 201, false)).toEqual([201]);
    expect(select([strict(200)], 201, true)).toEqual([201]);
  });

  it("is the same from a list as from a search", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 6000, size: "max" }), fc.boolean(), (bytes, final) => {
        const find = gearFinder(bytes);
        const { looseBits, strictBits } = cutRule(SIZES);
        const list: number[] = [];
        for (let at = find(0, bytes.length, looseBits); at >= 0; at = find(at + 1, bytes.length, looseBits)) {
          list.push(find(at, at + 1, strictBits) === at ? strict(at) : at);
        }
        expect(select(list, bytes.length, final)).toEqual([...cutEnds(find, bytes.length, SIZES, final)]);
      }),
      { numRuns: 60 },
    );
  });
});

describe("size classes", () => {
  it("grow with what is sent and stay within the largest chunk", () => {
    expect(cutSizesFor(0).averageBytes).toBe(64 * 1024);
    expect(cutSizesFor(10 * GIB).averageBytes).toBe(64 * 1024);
    expect(cutSizesFor(10 * GIB + 1).averageBytes).toBe(256 * 1024);
    expect(cutSizesFor(100 * GIB).averageBytes).toBe(256 * 1024);
    expect(cutSizesFor(100 * GIB + 1)).toEqual({ minBytes: 2 ** 18, averageBytes: 2 ** 20, maxBytes: MAX_CHUNK_BYTES });
  });

  it("refuse sizes that make no rule", () => {
    for (const bad of [
      { ...SIZES, averageBytes: 500 },
      { ...SIZES, minBytes: 63 },
      { ...SIZES, maxBytes: 511 },
    ]) {
      expect(() => cutRule(bad)).toThrow("assertion failed");
    }
  });
});
