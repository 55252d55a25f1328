import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sequence } from "../../tests/support/fake-effort.ts";
import { Eta } from "./eta.ts";

const MB = 1_000_000;
const PACK = 4_194_304;

interface Run {
  /** Bytes per second at a time. */
  readonly rateAt: (ms: number) => number;
  readonly totalBytes: number;
  /** Bytes arrive in pieces of this size. */
  readonly grainBytes: number;
  /** Time between looks. */
  readonly tickMs: number;
  /** Before the first byte. */
  readonly firstMs?: number;
  readonly plannedBytesPerSec?: number;
}

/** Plays a transfer, and tells for each tick how long the ETA says and how long it truly was. */
function play({ rateAt, totalBytes, grainBytes, tickMs, firstMs = 0, plannedBytesPerSec }: Run) {
  const eta = new Eta();
  eta.planned(plannedBytesPerSec);
  const said: { atMs: number; leftMs: number | null; speed: number }[] = [];
  let bytes = 0;
  let ms = 0;
  for (; bytes < totalBytes; ms++) {
    if (ms % tickMs === 0) {
      const done = Math.floor(bytes / grainBytes) * grainBytes;
      eta.done(done, ms);
      said.push({ atMs: ms, leftMs: eta.leftMs(totalBytes - done, ms), speed: eta.bytesPerSec(ms) });
    }
    if (ms >= firstMs) bytes += rateAt(ms) / 1000;
  }
  const endMs = ms;
  /** The worst relative error of the end's time among looks from one time until another. */
  const worst = (fromMs: number, untilMs = endMs) =>
    Math.max(
      ...said
        .filter(({ atMs }) => atMs >= fromMs && atMs < untilMs)
        .map(({ atMs, leftMs }) =>
          // Of less than two seconds, tenths count.
          leftMs === null ? Number.POSITIVE_INFINITY : Math.abs(leftMs - (endMs - atMs)) / Math.max(endMs - atMs, 2000),
        ),
    );
  return { said, endMs, worst };
}

describe("Eta at a constant rate", () => {
  it.each([
    ["bytes in small pieces", 20 * MB, 65_536],
    ["whole packs", 20 * MB, PACK],
    ["whole packs on a slow line, one in 840 ms", 5 * MB, PACK],
  ])("is within a tenth from two seconds on, without a plan: %s", (_, rate, grainBytes) => {
    // Of a pack in flight nothing is known: two seconds after the second one has arrived, where they are so slow.
    const fromMs = 2000 + (2 * grainBytes * 1000) / rate;
    for (const tickMs of [10, 50, 100]) {
      const run = play({ rateAt: () => rate, totalBytes: 60 * rate, grainBytes, tickMs, firstMs: 120 });
      expect(run.worst(fromMs)).toBeLessThanOrEqual(0.1);
    }
  });

  it("is the plan's before anything is measured, and a wrong plan is forgotten in two seconds", () => {
    const rate = 20 * MB;
    const steady = { rateAt: () => rate, totalBytes: 60 * rate, grainBytes: 65_536, tickMs: 100, firstMs: 300 };
    expect(play({ ...steady, plannedBytesPerSec: rate }).worst(0)).toBeLessThanOrEqual(0.1);
    const wrong = play({ ...steady, plannedBytesPerSec: 3 * rate });
    expect(wrong.worst(0, 300)).toBeGreaterThan(0.5);
    expect(wrong.worst(2600)).toBeLessThanOrEqual(0.1);
  });

  it("has a speed that does not decay with time, which the original's did as 1 ÷ t", () => {
    const rate = 20 * MB;
    const { said } = play({ rateAt: () => rate, totalBytes: 600 * rate, grainBytes: PACK, tickMs: 100 });
    const speeds = said.filter(({ atMs }) => atMs >= 3000).map(({ speed }) => speed);
    expect(Math.min(...speeds)).toBeGreaterThan(0.9 * rate);
    expect(Math.max(...speeds)).toBeLessThan(1.1 * rate);
  });
});

describe("Eta at a rate that changes", () => {
  it.each([0.25, 0.5, 2, 4])(
    "after a step of %s times is within 15 %% five seconds later, in pieces and in whole packs",
    (factor) => {
      const rate = 20 * MB;
      for (const grainBytes of [65_536, PACK]) {
        const run = play({
          rateAt: (ms) => (ms < 20_000 ? rate : factor * rate),
          totalBytes: 20 * rate + 60 * factor * rate,
          grainBytes,
          tickMs: 100,
          plannedBytesPerSec: rate,
        });
        expect(run.worst(25_000)).toBeLessThanOrEqual(0.15);
      }
    },
  );

  it("is within 15 % after three seconds of a rate that is noisy by ±30 %", () => {
    const next = sequence(4711);
    const factors = Array.from({ length: 2000 }, () => 0.7 + (0.6 * next()) / 2 ** 32);
    const rateAt = (ms: number) => 20 * MB * (factors[Math.floor(ms / 50) % factors.length] ?? 1);
    const run = play({ rateAt, totalBytes: 1200 * MB, grainBytes: 65_536, tickMs: 100 });
    expect(run.worst(3000, run.endMs - 2000)).toBeLessThanOrEqual(0.15);
  });
});

describe("Eta while nothing moves", () => {
  it("is unknown soon, and so it stays until something moves; then the time without bytes does not count", () => {
    const eta = new Eta();
    eta.planned(10 * MB);
    for (let ms = 0; ms <= 5000; ms += 100) eta.done(ms * 10_000, ms);
    const left = 100 * MB;
    expect(eta.leftMs(left, 5000)).toBeCloseTo(10_000, -2);
    // First it grows, as the speed falls; then there is nothing to be said.
    const later = [6000, 7000, 8000].map((ms) => eta.leftMs(left, ms) ?? 0);
    expect([...new Set(later)]).toEqual(later.toSorted((a, b) => a - b));
    expect(later).toHaveLength(new Set(later).size);
    expect([eta.leftMs(left, 8200), eta.bytesPerSec(8200), eta.leftMs(left, 60_000)]).toEqual([null, 0, null]);
    eta.interrupted();
    expect(eta.leftMs(left, 60_000)).toBeNull();
    for (let ms = 60_000; ms <= 63_000; ms += 100) eta.done(50 * MB + (ms - 60_000) * 10_000, ms);
    expect(eta.leftMs(left, 63_000)).toBeCloseTo(10_000, -2);
  });

  it("is unknown where nothing ever came, though there is a plan", () => {
    const eta = new Eta();
    eta.planned(MB);
    expect(eta.leftMs(MB, 0)).toBeNull();
    for (const ms of [0, 1000, 3000]) {
      eta.done(0, ms);
      expect(eta.leftMs(MB, ms)).toBe(1000);
    }
    eta.done(0, 3001);
    expect(eta.leftMs(MB, 3001)).toBeNull();
  });

  it("waits longer for packs that come rarely", () => {
    const eta = new Eta();
    for (let pack = 0; pack <= 5; pack++) eta.done(pack * PACK, pack * 5000);
    // The one on its way was asked for four seconds ago.
    expect(eta.leftMs(PACK, 25_000 + 4000)).toBeCloseTo(1000);
    expect(eta.leftMs(PACK, 25_000 + 19_000)).not.toBeNull();
    expect(eta.leftMs(PACK, 25_000 + 21_000)).toBeNull();
  });

  it("takes packs that arrive together for one arrival", () => {
    const eta = new Eta();
    for (let pack = 0; pack < 80; pack++) eta.done(pack * PACK, Math.floor(pack / 8) * 4000 + (pack % 8));
    expect(eta.bytesPerSec(39_500)).toBeCloseTo(2 * PACK, -5);
    expect(eta.leftMs(PACK, 39_500)).not.toBeNull();
  });

  it("is not measured by what was there before", () => {
    const eta = new Eta();
    for (let ms = 0; ms <= 3000; ms += 100) {
      if (ms === 1500) eta.found(1000 * MB);
      eta.done((ms >= 1500 ? 1000 * MB : 0) + ms * 10_000, ms);
    }
    expect(eta.bytesPerSec(3000)).toBeCloseTo(10 * MB, -4);
  });
});

it("Eta is never negative or not a number, whatever is told", () =>
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(5000), fc.nat(1000), fc.constantFrom("done", "found", "interrupted", "plan"))),
      fc.integer({ min: -5, max: 1e9 }),
      (events, leftBytes) => {
        const eta = new Eta();
        let [nowMs, done] = [0, 0];
        for (const [waitMs, bytes, event] of events) {
          nowMs += waitMs;
          if (event === "done" || event === "found") done += bytes;
          if (event === "found") eta.found(bytes);
          else if (event === "interrupted") eta.interrupted();
          else if (event === "plan") eta.planned(bytes === 0 ? undefined : bytes);
          eta.done(done, nowMs);
          const leftMs = eta.leftMs(leftBytes, nowMs);
          if (leftMs !== null) expect(leftMs >= 0 && leftMs < Number.POSITIVE_INFINITY).toBe(true);
          if (leftBytes <= 0) expect(leftMs).toBe(0);
          expect(eta.bytesPerSec(nowMs)).toBeGreaterThanOrEqual(0);
        }
      },
    ),
  ));
