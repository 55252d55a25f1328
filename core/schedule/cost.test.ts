import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sequence } from "../../tests/support/fake-effort.ts";
import { bestEdges, bestEdgesOfAll, costUs, edgeTerms, setEdgeTerms, termCostUs } from "./cost.ts";
import { type EdgeView, NEVER_US, NO_EDGE, type PackClass, WEIGHT_ONE } from "./model.ts";

const EDGE: EdgeView = { bytesPerSec: 1e6, rttUs: 20_000, backlogBytes: 0, maxActive: 8, weight: WEIGHT_ONE };
const U32 = 2 ** 32 - 1;

const edges = fc.record({
  bytesPerSec: fc.oneof(fc.integer({ min: 0, max: U32 }), fc.integer({ min: 1, max: 10_000 })),
  rttUs: fc.integer({ min: 0, max: 2 ** 31 }),
  backlogBytes: fc.oneof(fc.integer({ min: 0, max: U32 }), fc.constant(0)),
  maxActive: fc.integer({ min: 1, max: 100 }),
  weight: fc.oneof(fc.constantFrom(0, 1, WEIGHT_ONE), fc.integer({ min: 0, max: 0xffff })),
});

/** floor(bytes × 10^6 ÷ rate) and the rest of the cost as a shader has it: 32-bit words, no longer product, no division. */
function costInWords({ bytesPerSec, rttUs, backlogBytes, weight }: EdgeView, packBytes: number): number {
  if (weight === 0 || bytesPerSec === 0) return NEVER_US;
  const most = NEVER_US - 1;
  const carryUs = (bytes: number): number => {
    // halves of 16 bits: 10^6 is 15 × 2^16 + 16,960
    const [low, high] = [bytes & 0xffff, bytes >>> 16];
    const middle = Math.imul(low, 15) + Math.imul(high, 16_960);
    const lowest = Math.imul(low, 16_960);
    const lowWord = (lowest + (middle << 16)) >>> 0;
    const highWord = Math.imul(high, 15) + (middle >>> 16) + (lowWord < lowest ? 1 : 0);
    let rest = 0;
    let quotient = 0;
    for (let bit = 63; bit >= 0; bit--) {
      const next = ((bit >= 32 ? highWord >>> (bit - 32) : lowWord >>> bit) & 1) >>> 0;
      const overflows = rest >= 2 ** 31;
      rest = ((rest << 1) | next) >>> 0;
      if (quotient >= 2 ** 31) return most;
      quotient = (quotient << 1) >>> 0;
      if (!overflows && rest < bytesPerSec) continue;
      rest = (rest - bytesPerSec) >>> 0;
      quotient += 1;
    }
    return Math.min(most, quotient);
  };
  const readyUs = Math.min(most, Math.min(most, rttUs) + carryUs(backlogBytes));
  const us = Math.min(most, readyUs + carryUs(packBytes));
  const high = Math.imul(us >>> 16, weight) >>> 0;
  const low = Math.imul(us & 0xffff, weight) >>> 0;
  if (high >= 2 ** 23) return most;
  return Math.min(most, ((high << 8) >>> 0) + (low >>> 8));
}

describe("the cost of a pack", () => {
  it("is the round trip, the backlog and the pack as times, multiplied by the weight", () => {
    expect(costUs(EDGE, 1_000_000)).toBe(1_020_000);
    expect(costUs({ ...EDGE, backlogBytes: 500_000 }, 1_000_000)).toBe(1_520_000);
    expect(costUs({ ...EDGE, weight: 2 * WEIGHT_ONE }, 1_000_000)).toBe(2_040_000);
    expect(costUs({ ...EDGE, bytesPerSec: 3 }, 1)).toBe(353_333);
  });

  it("is never for an edge without weight or rate, and less than never however slow an edge is", () => {
    expect(costUs({ ...EDGE, weight: 0 }, 1)).toBe(NEVER_US);
    expect(costUs({ ...EDGE, bytesPerSec: 0 }, 1)).toBe(NEVER_US);
    expect(costUs({ ...EDGE, bytesPerSec: 1, backlogBytes: 1e15, weight: 1e9 }, U32)).toBe(NEVER_US - 1);
    expect(costUs({ ...EDGE, rttUs: 1e15, weight: 1 }, 1)).toBeLessThan(NEVER_US);
  });

  it("is what whole numbers give", () =>
    fc.assert(
      fc.property(edges, fc.integer({ min: 0, max: U32 }), (edge, packBytes) => {
        if (edge.weight === 0 || edge.bytesPerSec === 0) return costUs(edge, packBytes) === NEVER_US;
        const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
        const most = BigInt(NEVER_US - 1);
        const rate = BigInt(edge.bytesPerSec);
        const carry = (bytes: number): bigint => least(most, (BigInt(bytes) * 1_000_000n) / rate);
        const ready = least(most, least(most, BigInt(edge.rttUs)) + carry(edge.backlogBytes));
        const us = least(most, ready + carry(packBytes));
        return BigInt(costUs(edge, packBytes)) === least(most, (us * BigInt(edge.weight)) / 256n);
      }),
      { numRuns: 2000 },
    ));

  it("is what a machine with 32-bit words finds", () =>
    fc.assert(
      fc.property(edges, fc.integer({ min: 0, max: U32 }), (edge, packBytes) => {
        expect(costInWords(edge, packBytes)).toBe(costUs(edge, packBytes));
      }),
      { numRuns: 2000 },
    ));

  it("is the same from terms, also of an edge that has changed", () =>
    fc.assert(
      fc.property(edges, edges, fc.integer({ min: 0, max: U32 }), (before, after, packBytes) => {
        const terms = edgeTerms([EDGE, before]);
        expect(termCostUs(terms, 1, packBytes)).toBe(costUs(before, packBytes));
        setEdgeTerms(terms, 1, after);
        expect(termCostUs(terms, 1, packBytes)).toBe(costUs(after, packBytes));
      }),
    ));

  it("never falls when a pack grows, a backlog grows or an edge is worth less", () =>
    fc.assert(
      fc.property(
        edges,
        fc.integer({ min: 0, max: 2 ** 31 }),
        fc.integer({ min: 0, max: 2 ** 20 }),
        (edge, bytes, more) => {
          const cost = costUs(edge, bytes);
          expect(costUs(edge, bytes + more)).toBeGreaterThanOrEqual(cost);
          expect(costUs({ ...edge, backlogBytes: edge.backlogBytes + more }, bytes)).toBeGreaterThanOrEqual(cost);
          if (edge.weight > 0) expect(costUs({ ...edge, weight: edge.weight + 1 }, bytes)).toBeGreaterThanOrEqual(cost);
        },
      ),
    ));
});

describe("the best edges", () => {
  const classOf = (holders: readonly number[], packBytes = 4_000_000): PackClass => ({
    packs: 1,
    packBytes,
    edges: Uint16Array.from(holders),
    priority: 0,
    deadlineMs: Number.POSITIVE_INFINITY,
  });

  it("are the cheapest holders, of equal ones the lower number, and none that is not to be used", () => {
    const rates = [5e6, 9e6, 9e6, 1e6, 0, 2e7];
    const terms = edgeTerms(rates.map((bytesPerSec) => ({ ...EDGE, bytesPerSec })));
    expect([...bestEdges(terms, classOf([0, 1, 2, 3, 4]), 3)]).toEqual([1, 2, 0]);
    expect([...bestEdges(terms, classOf([3, 4, 5]), 3)]).toEqual([5, 3, NO_EDGE]);
    expect([...bestEdges(terms, classOf([4]), 2)]).toEqual([NO_EDGE, NO_EDGE]);
    expect(() => bestEdges(terms, classOf([0]), 0)).toThrow("at least one");
  });

  it("are those that sorting finds, for many classes at once", () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), fc.integer({ min: 1, max: 6 }), (seed, k) => {
        const next = sequence(seed);
        const views = Array.from({ length: 12 }, () => ({
          ...EDGE,
          bytesPerSec: 1e6 * (next() % 4),
          weight: 64 * (next() % 5),
        }));
        const classes = Array.from({ length: 9 }, () =>
          classOf(
            [...views.keys()].filter(() => next() % 2 === 0),
            1 + (next() % 5_000_000),
          ),
        );
        const found = bestEdgesOfAll(edgeTerms(views), classes, k);
        for (const [index, { edges: holders, packBytes }] of classes.entries()) {
          const cost = (edge: number): number => costUs(views[edge] ?? EDGE, packBytes);
          const sorted = [...holders]
            .filter((edge) => cost(edge) < NEVER_US)
            .sort((a, b) => cost(a) - cost(b) || a - b);
          const wanted = Array.from({ length: k }, (_, place) => sorted[place] ?? NO_EDGE);
          expect([...found.subarray(index * k, (index + 1) * k)]).toEqual(wanted);
        }
      }),
    ));
});
