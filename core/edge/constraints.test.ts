import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WEIGHT_ONE } from "../schedule/model.ts";
import { Constraints, type DeviceState, type EdgeRules, NO_RULES, UNKNOWN_DEVICE } from "./constraints.ts";
import { viewOf } from "./edge-view.ts";
import { multiplierOf, type Policy, weightOf } from "./policy.ts";

const PACK_BYTES = 100;
const NOON = { epochMs: Date.parse("2026-11-23T12:00:00Z"), utcOffsetMinutes: 0 };
const BALANCED: Policy = { kind: "balanced" };
const NEUTRAL = { allowed: true, reason: null, multiplier: 1, sparing: false };
const QUIET: Policy = { kind: "quiet", hours: [{ days: [], startHour: 12, endHour: 12 }] };
const POLICIES: readonly Policy[] = [
  ...(["performance", "balanced", "eco", "cheap"] as const).map((kind) => ({ kind })),
  { kind: "quiet", hours: [] },
];

const device = (state: Partial<DeviceState>): DeviceState => ({ ...UNKNOWN_DEVICE, ...state });
const battery = (level: number, charging = false) => device({ battery: { level, charging } });
const METERED = device({ metered: true });

/** What the rules say of an upload at noon. */
function verdict(
  {
    rules,
    here,
    there,
    policy,
  }: { rules?: Partial<EdgeRules>; here?: DeviceState; there?: DeviceState; policy?: Policy },
  direction: "up" | "down" = "up",
) {
  const conditions = { ...NOON, here: here ?? UNKNOWN_DEVICE, there: there ?? UNKNOWN_DEVICE };
  return new Constraints(direction, { ...NO_RULES, ...rules }, PACK_BYTES).evaluate(
    policy ?? BALANCED,
    conditions,
    PACK_BYTES,
  );
}

describe("Constraints", () => {
  it("allow everything at no extra cost where nothing is known and no rule is set, under every policy", () => {
    for (const policy of POLICIES) expect(verdict({ policy })).toEqual(NEUTRAL);
  });

  it("stop an upload below a fifth of a battery and a download below 15 %, at either end, unless it is charged or its user wants it fastest", () => {
    const allowed = (level: number, direction: "up" | "down") => verdict({ here: battery(level) }, direction).allowed;
    expect([allowed(0.19, "up"), allowed(0.2, "up"), allowed(0.149, "down"), allowed(0.15, "down")]).toEqual([
      ...[false, true],
      ...[false, true],
    ]);
    expect(verdict({ here: battery(0.01) }).reason).toBe("battery");
    expect(verdict({ here: battery(0.01, true) })).toEqual(NEUTRAL);
    expect(verdict({ here: battery(0.01), policy: { kind: "performance" } }).allowed).toBe(true);
    // What goes up here is a download for the peer.
    expect(verdict({ there: battery(0.17) }, "up").allowed).toBe(true);
    expect(verdict({ there: battery(0.17) }, "down").allowed).toBe(false);
  });

  it("make a battery dearer the emptier it is, by the worse end", () => {
    const cost = (level: number) => verdict({ here: battery(level) }).multiplier;
    expect([cost(1), cost(0.5) > cost(0.8), cost(0.3) > cost(0.5)]).toEqual([1, true, true]);
    expect([verdict({ here: battery(0.9) }).sparing, verdict({ here: battery(0.9, true) }).sparing]).toEqual([
      true,
      false,
    ]);
    expect(verdict({ here: battery(0.9), there: battery(0.4) }).multiplier).toBe(cost(0.4));
  });

  it("make metered bytes dear, and save-data counts as metered", () => {
    const metered = verdict({ here: METERED });
    expect(metered).toMatchObject({ allowed: true, sparing: true });
    expect(metered.multiplier).toBeGreaterThan(3);
    expect(verdict({ there: device({ saveData: true }) })).toEqual(metered);
    expect(verdict({ rules: { metered: true } })).toEqual(metered);
    expect(verdict({ here: device({ metered: false, saveData: false }) })).toEqual(NEUTRAL);
    expect(verdict({ here: METERED, rules: { metered: false } })).toEqual(NEUTRAL);
    expect(verdict({ here: METERED, rules: { unmeteredOnly: true } }).reason).toBe("metered");
    expect(verdict({ rules: { unmeteredOnly: true } })).toEqual(NEUTRAL);
  });

  it("close an edge outside its hours, and all edges in the user's quiet hours", () => {
    const noon = { days: [], startHour: 12, endHour: 12 };
    expect(verdict({ rules: { windows: [{ mode: "block", ...noon }] } }).reason).toBe("hours");
    const avoided = verdict({ rules: { windows: [{ mode: "avoid", ...noon }] } });
    expect([avoided.allowed, avoided.multiplier > 1]).toEqual([true, true]);
    expect(verdict({ policy: QUIET }).reason).toBe("quiet");
    const later = { ...NOON, epochMs: NOON.epochMs + 3_600_000, here: UNKNOWN_DEVICE, there: UNKNOWN_DEVICE };
    expect(new Constraints("up", NO_RULES, 1).evaluate(QUIET, later, 1)).toEqual(NEUTRAL);
  });

  it("make the rest of a budget dearer and dearer, and close the edge when a pack is more than what is left", () => {
    const rules = { ...NO_RULES, budget: { bytes: 1000, periodMs: 1000 } };
    const constraints = new Constraints("up", rules, PACK_BYTES);
    const now = { ...NOON, here: UNKNOWN_DEVICE, there: UNKNOWN_DEVICE };
    const multipliers: number[] = [];
    for (;;) {
      const { allowed, multiplier, reason } = constraints.evaluate(BALANCED, now, PACK_BYTES);
      if (!allowed) {
        expect(reason).toBe("budget");
        break;
      }
      multipliers.push(multiplier);
      expect(constraints.mayStart(PACK_BYTES, 0, now, 0)).toBeNull();
      constraints.started(PACK_BYTES, now, 0);
    }
    expect(multipliers).toHaveLength(10);
    expect([...new Set(multipliers)]).toEqual(multipliers.toSorted((a, b) => a - b));
    expect(constraints.mayStart(PACK_BYTES, 0, now, 0)).toBe("budget");
    const restarted = new Constraints("up", rules, PACK_BYTES, constraints.spent);
    expect(restarted.evaluate(BALANCED, now, PACK_BYTES).reason).toBe("budget");
    expect(restarted.evaluate(BALANCED, { ...now, epochMs: now.epochMs + 1000 }, PACK_BYTES).reason).toBeNull();
  });

  it("enforce the packs at once and the rate, which the original stored and did not look at", () => {
    const capped = new Constraints("down", { ...NO_RULES, maxActive: 2, maxBytesPerSec: 1000 }, PACK_BYTES);
    expect(capped.mayStart(PACK_BYTES, 2, NOON, 0)).toBe("active");
    expect(capped.mayStart(PACK_BYTES, 1, NOON, 0)).toBeNull();
    capped.started(PACK_BYTES, NOON, 0);
    expect(capped.mayStart(PACK_BYTES, 1, NOON, 99)).toBe("rate");
    expect(capped.mayStart(PACK_BYTES, 1, NOON, 100)).toBeNull();
  });

  it("refuse rules that cannot be meant", () => {
    expect(() => verdict({ rules: { maxActive: 0 } })).toThrow("assertion failed");
    expect(() => verdict({ rules: { maxBytesPerSec: 0 } })).toThrow("assertion failed");
    const wrong = { mode: "block", days: [9], startHour: 0, endHour: 1 } as const;
    expect(() => verdict({ rules: { windows: [wrong] } })).toThrow("assertion failed");
  });
});

describe("policies", () => {
  it("weigh what they are named after most", () => {
    const dear = (aspect: "time" | "money" | "power") =>
      Object.fromEntries(
        POLICIES.map((policy) => [policy.kind, multiplierOf(policy, { time: 1, money: 1, power: 1, [aspect]: 10 })]),
      );
    const most = (costs: Record<string, number>) => Object.entries(costs).toSorted((a, b) => b[1] - a[1])[0]?.[0];
    expect([most(dear("power")), most(dear("money")), most(dear("time"))]).toEqual(["eco", "cheap", "quiet"]);
    for (const aspect of ["time", "money", "power"] as const) {
      expect(Math.min(...Object.values(dear(aspect)))).toBe(dear(aspect)["performance"]);
    }
  });

  it("give a positive multiplier that grows with every aspect, and 1 for a neutral edge", () =>
    fc.assert(
      fc.property(
        fc.constantFrom(...POLICIES),
        fc.tuple(...Array(3).fill(fc.double({ min: 1, max: 50, noNaN: true }))),
        (policy, values) => {
          const [time = 1, money = 1, power = 1] = values as number[];
          const multiplier = multiplierOf(policy, { time, money, power });
          expect(multiplierOf(policy, { time: 1, money: 1, power: 1 })).toBe(1);
          expect(multiplier).toBeGreaterThanOrEqual(1 - 1e-9);
          expect(multiplierOf(policy, { time: time + 1, money, power })).toBeGreaterThan(multiplier);
        },
      ),
    ));
});

describe("weightOf", () => {
  it("is 256 for a healthy edge without extra cost, more for worse ones, and never 0 or beyond 16 bits", () => {
    expect(weightOf(1, 1)).toBe(WEIGHT_ONE);
    expect(weightOf(0.5, 1)).toBe(2 * WEIGHT_ONE);
    expect(weightOf(1, 3)).toBe(3 * WEIGHT_ONE);
    expect(weightOf(0, 1)).toBe(20 * WEIGHT_ONE);
    expect(weightOf(0, 1e9)).toBe(65_535);
    expect(weightOf(1, 1e-9)).toBe(1);
  });
});

describe("viewOf", () => {
  const estimate = { bytesPerSec: 5000, rttMs: 12.3456, backlogBytes: 7, maxActive: 8, health: 0.5 };

  it("tells a plan what was measured, within what the rules allow", () => {
    expect(viewOf(estimate, NO_RULES, NEUTRAL)).toEqual({
      ...{ bytesPerSec: 5000, rttUs: 12_346, backlogBytes: 7, maxActive: 8 },
      weight: 2 * WEIGHT_ONE,
    });
    const capped = { ...NO_RULES, maxActive: 3, maxBytesPerSec: 100 };
    expect(viewOf(estimate, capped, NEUTRAL)).toMatchObject({ bytesPerSec: 100, maxActive: 3 });
  });

  it("tells that an edge is not to be used by a weight of 0", () => {
    expect(viewOf(estimate, NO_RULES, verdict({ policy: QUIET })).weight).toBe(0);
  });
});
