import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assertHours, isInside, type TimeWindow, windowsSay } from "./time-window.ts";

const at = (iso: string, utcOffsetMinutes = 0) => ({ epochMs: Date.parse(iso), utcOffsetMinutes });
const window = (startHour: number, endHour: number, days: number[] = [], mode: TimeWindow["mode"] = "block") => ({
  mode,
  days,
  startHour,
  endHour,
});

describe("time windows", () => {
  it("include both hours", () => {
    const office = window(9, 16);
    const inside = ["08:59:59", "09:00:00", "16:59:59", "17:00:00"].map((time) =>
      isInside(office, at(`2026-11-23T${time}Z`)),
    );
    expect(inside).toEqual([false, true, true, false]);
  });

  it("know the day: 0 is Sunday", () => {
    // 22 November 2026 is a Sunday.
    const days = Array.from({ length: 7 }, (_, i) => isInside(window(0, 23, [0]), at(`2026-11-${22 + i}T12:00:00Z`)));
    expect(days).toEqual([true, false, false, false, false, false, false]);
  });

  it("go past midnight, into the day after the one on which they began", () => {
    const sundayNight = window(22, 5, [0]);
    const inside = ["22T04:00", "22T21:59", "22T22:00", "23T05:59", "23T06:00", "23T22:00"].map((time) =>
      isInside(sundayNight, at(`2026-11-${time}:00Z`)),
    );
    expect(inside).toEqual([false, false, true, true, false, false]);
  });

  it("are read on the clock of the place, half hours and the day before or after too", () => {
    expect(isInside(window(0, 0, [1]), at("2026-11-22T18:30:00Z", 330))).toBe(true);
    expect(isInside(window(23, 23, [6]), at("2026-11-22T02:00:00Z", -180))).toBe(true);
    expect(isInside(window(2, 2, [0]), at("2026-11-22T02:00:00Z", 0))).toBe(true);
    expect(isInside(window(12, 12, [3]), { epochMs: -3_600_000 * 12, utcOffsetMinutes: 0 })).toBe(true);
  });

  it("agree with the calendar of the language at any time and offset", () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4e12 }),
        fc.integer({ min: -720, max: 840 }),
        (epochMs, utcOffsetMinutes) => {
          const local = new Date(epochMs + utcOffsetMinutes * 60_000);
          const now = { epochMs, utcOffsetMinutes };
          const [day, hour] = [local.getUTCDay(), local.getUTCHours()];
          expect(isInside(window(hour, hour, [day]), now)).toBe(true);
          expect(isInside(window((hour + 1) % 24, (hour + 23) % 24), now)).toBe(false);
          expect(
            isInside(
              window(
                0,
                23,
                [0, 1, 2, 3, 4, 5, 6].filter((other) => other !== day),
              ),
              now,
            ),
          ).toBe(false);
        },
      ),
    ));

  it("block before they allow, and allow elsewhere only where nothing says where", () => {
    const now = at("2026-11-23T10:00:00Z");
    const [here, there] = [[10, 10] as const, [20, 20] as const];
    const say = (...windows: TimeWindow[]) => windowsSay(windows, now);
    expect(say()).toBe("open");
    expect(say(window(...there, [], "block"))).toBe("open");
    expect(say(window(...here, [], "block"))).toBe("closed");
    expect(say(window(...here, [], "allow"))).toBe("open");
    expect(say(window(...there, [], "allow"))).toBe("closed");
    expect(say(window(...there, [], "allow"), window(...here, [], "allow"))).toBe("open");
    expect(say(window(...here, [], "allow"), window(...here, [], "block"))).toBe("closed");
    expect(say(window(...here, [], "avoid"))).toBe("dear");
    expect(say(window(...here, [], "avoid"), window(...there, [], "allow"))).toBe("closed");
  });

  it("refuse hours and days that no week has", () => {
    for (const bad of [window(-1, 5), window(0, 24), window(0.5, 3), window(1, 2, [7]), window(1, 2, [-1])]) {
      expect(() => assertHours(bad)).toThrow("assertion failed");
    }
    assertHours(window(0, 23, [0, 6]));
  });
});
