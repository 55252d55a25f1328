import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HEALTH_WINDOW_MS, Health, Hysteresis, RECOVERED, UNHEALTHY } from "./health.ts";

/** A hundred packs served well. */
function proven(): Health {
  const health = new Health();
  for (let i = 0; i < 100; i++) health.succeeded(100, i);
  return health;
}

/** How many failures in a row make an edge unhealthy. */
function failuresUntilUnhealthy(health: Health, fromMs: number): number {
  for (let failures = 1; ; failures++) {
    health.failed(fromMs + failures);
    if (health.value(fromMs + failures) < UNHEALTHY) return failures;
  }
}

describe("Health", () => {
  it("is 1 for an edge that was never tried, so that it is tried", () => {
    expect(new Health().value(0)).toBe(1);
    expect(new Health().parts(5)).toEqual({ success: 1, uptime: 1, consistency: 1 });
  });

  it("stays 1 for an edge that was never looked for and does all it is asked", () => {
    expect(proven().value(100)).toBe(1);
  });

  it("counts a first failure, and does not call an edge that failed once unhealthy", () => {
    const health = new Health();
    health.failed(0);
    expect(health.parts(0)).toEqual({ success: 0.5, uptime: 1, consistency: 0.5 });
    expect(health.value(0)).toBeGreaterThan(UNHEALTHY);
  });

  it("is not taken in by response times where there is no success: an edge that always fails is unhealthy", () => {
    const health = new Health();
    for (let i = 0; i < 100; i++) health.failed(i);
    expect(health.value(100)).toBeLessThan(0.4);
  });

  it("tells after three failures of a new edge and twelve of a proven one", () => {
    expect(failuresUntilUnhealthy(new Health(), 0)).toBe(3);
    expect(failuresUntilUnhealthy(proven(), 100)).toBe(12);
  });

  it("recovers when an edge works again", () => {
    const health = new Health();
    for (let i = 0; i < 100; i++) health.failed(i);
    let successes = 0;
    while (health.value(200) < RECOVERED) {
      health.succeeded(100, 200);
      successes += 1;
    }
    expect(successes).toBeLessThan(10);
  });

  it("forgets what is older than an hour, or more than a hundred outcomes ago", () => {
    const health = new Health();
    for (let i = 0; i < 50; i++) health.failed(i);
    expect(health.value(HEALTH_WINDOW_MS)).toBeLessThan(UNHEALTHY);
    expect(health.value(HEALTH_WINDOW_MS + 50)).toBe(1);
    for (let i = 0; i < 50; i++) health.failed(HEALTH_WINDOW_MS + 50);
    for (let i = 0; i < 100; i++) health.succeeded(10, HEALTH_WINDOW_MS + 51);
    expect(health.value(HEALTH_WINDOW_MS + 51)).toBe(1);
  });

  it("counts checks by themselves: an edge that is not there and was not used loses three tenths at most", () => {
    const health = new Health();
    for (let i = 0; i < 100; i++) health.checked(false, i);
    const { uptime } = health.parts(100);
    expect(uptime).toBeLessThan(0.2);
    expect(health.value(100)).toBeCloseTo(0.7 + 0.3 * uptime);
  });

  it("does not mind times that vary by 30 %, and minds times that vary beyond measure", () => {
    const usual = new Health();
    const wild = new Health();
    for (let i = 0; i < 100; i++) {
      usual.succeeded(i % 2 === 0 ? 70 : 130, i);
      wild.succeeded(i % 10 === 0 ? 1000 : 1, i);
    }
    expect(usual.parts(100).consistency).toBeGreaterThan(0.9);
    expect(wild.parts(100).consistency).toBe(0);
  });

  it("is between 0 and 1 whatever happens, and no worse for one more success", () =>
    fc.assert(
      fc.property(fc.array(fc.constantFrom("ok", "bad", "up", "down")), (events) => {
        const health = new Health();
        for (const event of events) {
          if (event === "ok") health.succeeded(50, 0);
          else if (event === "bad") health.failed(0);
          else health.checked(event === "up", 0);
        }
        const before = health.value(0);
        expect(before).toBeGreaterThan(0);
        expect(before).toBeLessThanOrEqual(1);
        health.succeeded(50, 0);
        expect(health.value(0)).toBeGreaterThanOrEqual(before - 1e-12);
      }),
    ));
});

describe("Hysteresis", () => {
  it("remembers between 0.5 and 0.7 on which side it was: a slow climb is told as a recovery", () => {
    const memory = new Hysteresis();
    const said = [1, 0.6, 0.5, 0.49, 0.3, 0.55, 0.6, 0.65, 0.69, 0.7, 0.6, 0.51, 0.49].map((value) =>
      memory.update(value),
    );
    const nothing = undefined;
    expect(said).toEqual([
      ...[nothing, nothing, nothing, "fell", nothing, nothing, nothing, nothing, nothing, "rose"],
      ...[nothing, nothing, "fell"],
    ]);
    expect(memory.isLow).toBe(true);
  });

  it("refuses a gap without sides", () => {
    expect(() => new Hysteresis(0.7, 0.5)).toThrow("assertion failed");
  });
});
