import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TokenBucket } from "./token-bucket.ts";

describe("TokenBucket", () => {
  it("lets through, in any stretch of time, what its rate gives in it and one burst", () =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 500 })), { maxLength: 60 }),
        fc.integer({ min: 1, max: 5000 }),
        (calls, bytesPerSec) => {
          const bucket = new TokenBucket(bytesPerSec, 500);
          const passed: { atMs: number; bytes: number }[] = [];
          let nowMs = 0;
          for (const [waitMs, bytes] of calls) {
            nowMs += waitMs;
            if (bucket.take(bytes, nowMs)) passed.push({ atMs: nowMs, bytes });
          }
          for (const [i, from] of passed.entries()) {
            let bytes = 0;
            for (const until of passed.slice(i)) {
              bytes += until.bytes;
              expect(bytes).toBeLessThanOrEqual(500 + ((until.atMs - from.atMs) * bytesPerSec) / 1000 + 1e-6);
            }
          }
        },
      ),
    ));

  it("tells how long to wait, and lets through then", () => {
    const bucket = new TokenBucket(1000, 100);
    expect(bucket.take(100, 0)).toBe(true);
    expect(bucket.waitMs(50, 0)).toBe(50);
    expect([bucket.take(50, 49), bucket.take(50, 50)]).toEqual([false, true]);
    expect(bucket.waitMs(101, 1000)).toBe(Number.POSITIVE_INFINITY);
  });

  it("reaches its rate over a long time", () => {
    const bucket = new TokenBucket(10_000, 100);
    let bytes = 0;
    for (let ms = 0; ms <= 60_000; ms += 5) if (bucket.take(50, ms)) bytes += 50;
    expect(bytes).toBeGreaterThan(600_000 * 0.99);
    expect(bytes).toBeLessThanOrEqual(600_100);
  });

  it("refuses a limit that lets nothing pass", () => {
    expect(() => new TokenBucket(0, 1)).toThrow("assertion failed");
    expect(() => new TokenBucket(1, 0)).toThrow("assertion failed");
  });
});
