import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteBudget } from "./byte-budget.ts";

const DAY_MS = 86_400_000;

describe("ByteBudget", () => {
  it("is never exceeded in any period, wherever it begins, by who asks before", () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 1, max: 60 })), { maxLength: 80 }), (calls) => {
        const budget = new ByteBudget(100, 1000);
        const spent: { atMs: number; bytes: number }[] = [];
        let nowMs = 5;
        for (const [waitMs, bytes] of calls) {
          nowMs += waitMs;
          if (!budget.hasRoom(bytes, nowMs)) continue;
          budget.spend(bytes, nowMs);
          spent.push({ atMs: nowMs, bytes });
        }
        for (const { atMs } of spent) {
          const inPeriod = spent.filter((other) => other.atMs >= atMs && other.atMs < atMs + 1000);
          expect(inPeriod.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(100);
        }
        expect(budget.stored.length).toBeLessThanOrEqual(49);
      }),
    ));

  it("rolls: no fresh budget at a change of day, and bytes come back a period after they were spent", () => {
    const budget = new ByteBudget(1000, DAY_MS);
    budget.spend(1000, DAY_MS - 1000);
    expect(budget.hasRoom(1, DAY_MS + 1000)).toBe(false);
    expect(budget.usedBytes(2 * DAY_MS - 1001)).toBe(1000);
    expect(budget.usedBytes(2 * DAY_MS - 1000)).toBe(0);
  });

  it("counts what was stored before a restart", () => {
    const before = new ByteBudget(1000, DAY_MS);
    before.spend(300, 0);
    before.spend(400, DAY_MS / 2);
    const after = new ByteBudget(1000, DAY_MS, JSON.parse(JSON.stringify(before.stored)));
    expect([after.usedBytes(DAY_MS / 2), after.usedBytes(DAY_MS), after.hasRoom(601, DAY_MS)]).toEqual([
      700,
      400,
      false,
    ]);
  });

  it("does not give bytes back early when the clock is set back", () => {
    const stepped = new ByteBudget(100, 1000);
    stepped.spend(60, 999);
    stepped.spend(40, 984);
    expect([stepped.usedBytes(1998), stepped.usedBytes(1999)]).toEqual([100, 0]);
    const budget = new ByteBudget(100, 1000);
    budget.spend(60, 5000);
    budget.spend(40, 1000);
    expect(budget.usedBytes(5999)).toBe(100);
    expect(budget.usedBytes(6000)).toBe(0);
  });

  it("refuses a budget of nothing", () => {
    expect(() => new ByteBudget(0, 1)).toThrow("assertion failed");
    expect(() => new ByteBudget(1, 0)).toThrow("assertion failed");
  });
});
