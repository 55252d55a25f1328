import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sequence } from "../../tests/support/fake-effort.ts";
import { Bandwidth, EdgeBandwidth } from "./bandwidth.ts";

/** Samples of 100 ms at a rate. */
function feed(bandwidth: Bandwidth, bytesPerSec: number, samples: number): void {
  for (let i = 0; i < samples; i++) bandwidth.add(bytesPerSec / 10, 100);
}

describe("Bandwidth", () => {
  it("is unknown before the first sample, and is the first sample then", () => {
    const bandwidth = new Bandwidth();
    expect(bandwidth.bytesPerSec).toBeUndefined();
    bandwidth.add(500, 250);
    expect([bandwidth.bytesPerSec, bandwidth.peakBytesPerSec, bandwidth.samples]).toEqual([2000, 2000, 1]);
  });

  it("does not blend the first sample of one direction with a zero because the other direction was measured", () => {
    const edge = new EdgeBandwidth();
    edge.add("up", 1_000_000, 1000);
    expect(edge.down.bytesPerSec).toBeUndefined();
    edge.add("down", 8_000_000, 1000);
    expect([edge.up.bytesPerSec, edge.down.bytesPerSec]).toEqual([1_000_000, 8_000_000]);
  });

  it("counts a new sample for a fifth while the rate is about the same", () => {
    const bandwidth = new Bandwidth();
    feed(bandwidth, 1000, 5);
    feed(bandwidth, 1100, 1);
    expect(bandwidth.bytesPerSec).toBeCloseTo(1020);
  });

  it.each([2, 0.5, 10, 0.1, 1.25, 0.8])(
    "is within a fifth of a rate that changed %s times, after five samples",
    (factor) => {
      const bandwidth = new Bandwidth();
      feed(bandwidth, 1_000_000, 20);
      feed(bandwidth, 1_000_000 * factor, 5);
      expect(Math.abs((bandwidth.bytesPerSec ?? 0) / (1_000_000 * factor) - 1)).toBeLessThanOrEqual(0.2);
    },
  );

  it("stays within 30 % of a noisy rate for ten thousand samples, and within 10 % nearly always", () => {
    const random = sequence(77);
    const bandwidth = new Bandwidth();
    let far = 0;
    for (let i = 0; i < 10_000; i++) {
      bandwidth.add(100 * (0.7 + (0.6 * random()) / 2 ** 32), 100);
      const off = Math.abs((bandwidth.bytesPerSec ?? 0) / 1000 - 1);
      expect(off).toBeLessThanOrEqual(0.3);
      if (off > 0.1) far += 1;
    }
    expect(far).toBeLessThan(1500);
  });

  it("goes on from the rate that a found change says", () => {
    const bandwidth = new Bandwidth();
    feed(bandwidth, 1000, 10);
    bandwidth.restart(500);
    feed(bandwidth, 600, 1);
    expect(bandwidth.bytesPerSec).toBeCloseTo(520);
    expect(() => bandwidth.restart(0)).toThrow("assertion failed");
  });

  it("never leaves the range of its samples, and keeps their peak", () =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1e9 }), { minLength: 1 }), (samples) => {
        const bandwidth = new Bandwidth();
        for (const sample of samples) bandwidth.add(sample, 1000);
        expect(bandwidth.bytesPerSec).toBeGreaterThanOrEqual(Math.min(...samples) * (1 - 1e-9));
        expect(bandwidth.bytesPerSec).toBeLessThanOrEqual(Math.max(...samples) * (1 + 1e-9));
        expect(bandwidth.peakBytesPerSec).toBeCloseTo(Math.max(...samples));
      }),
    ));

  it("refuses what is no sample", () => {
    for (const [bytes, ms] of [
      [0, 1],
      [1, 0],
      [-1, 1],
      [Number.NaN, 1],
      [1, Number.NaN],
    ] as const)
      expect(() => new Bandwidth().add(bytes, ms)).toThrow("assertion failed");
  });
});
