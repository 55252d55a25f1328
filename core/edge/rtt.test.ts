import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_RTO_MS, MIN_RTO_MS, RoundTrip } from "./rtt.ts";

describe("RoundTrip", () => {
  it("begins as RFC 6298 says: the first sample, half of it as variation", () => {
    const trip = new RoundTrip();
    expect([trip.smoothedMs, trip.minMs, trip.maxMs, trip.timeoutMs]).toEqual([
      undefined,
      undefined,
      undefined,
      MIN_RTO_MS,
    ]);
    trip.add(800);
    expect([trip.smoothedMs, trip.variationMs, trip.timeoutMs]).toEqual([800, 400, 2400]);
  });

  it("takes the variation against the old average, then the average", () => {
    const trip = new RoundTrip();
    trip.add(800);
    trip.add(400);
    expect(trip.variationMs).toBe(0.75 * 400 + 0.25 * 400);
    expect(trip.smoothedMs).toBe((7 / 8) * 800 + (1 / 8) * 400);
    expect(trip.timeoutMs).toBe(750 + 4 * 400);
  });

  it("waits a second at least, a minute at most, and longer than the average by the step of the clock", () => {
    const quick = new RoundTrip();
    for (let i = 0; i < 100; i++) quick.add(2);
    expect(quick.timeoutMs).toBe(MIN_RTO_MS);
    const steady = new RoundTrip(100);
    for (let i = 0; i < 200; i++) steady.add(2000);
    expect(steady.timeoutMs).toBeCloseTo(2100);
    const slow = new RoundTrip();
    slow.add(1e6);
    expect(slow.timeoutMs).toBe(MAX_RTO_MS);
  });

  it("waits twice as long each time that it was not enough, until an answer comes", () => {
    const trip = new RoundTrip();
    trip.add(100);
    const waits = Array.from({ length: 8 }, () => {
      trip.timedOut();
      return trip.timeoutMs;
    });
    expect(waits).toEqual([2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    trip.add(100);
    expect(trip.timeoutMs).toBe(MIN_RTO_MS);
  });

  it("keeps the least and the greatest, and an average between them", () =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 1 }), (samples) => {
        const trip = new RoundTrip();
        for (const sample of samples) trip.add(sample);
        expect([trip.minMs, trip.maxMs]).toEqual([Math.min(...samples), Math.max(...samples)]);
        expect(trip.smoothedMs).toBeGreaterThanOrEqual(Math.min(...samples) - 1e-6);
        expect(trip.smoothedMs).toBeLessThanOrEqual(Math.max(...samples) + 1e-6);
      }),
    ));

  it("refuses what is no time", () => {
    for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => new RoundTrip().add(bad)).toThrow("assertion failed");
    }
  });
});
