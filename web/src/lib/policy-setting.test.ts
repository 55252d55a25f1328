import { afterEach, describe, expect, it, vi } from "vitest";
import { isInside } from "../../../core/edge/time-window.ts";
import {
  FASTEST,
  type PolicySetting,
  policyOf,
  rememberedPolicy,
  rememberPolicy,
  withPolicy,
} from "./policy-setting.ts";

const QUIET: PolicySetting = { kind: "quiet", days: [1, 2], fromHour: 22, untilHour: 7 };

function useStorage(kept: Record<string, string> = {}): void {
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept[key] ?? null,
    setItem: (key: string, value: string) => {
      kept[key] = value;
    },
  });
}

afterEach(() => vi.unstubAllGlobals());

describe("the policy setting", () => {
  it("is the fastest until something else is chosen, and is kept with its hours", () => {
    useStorage();
    expect(rememberedPolicy()).toEqual(FASTEST);
    rememberPolicy(QUIET);
    expect(rememberedPolicy()).toEqual(QUIET);
    rememberPolicy({ ...QUIET, kind: "eco" });
    expect(rememberedPolicy()).toEqual({ ...QUIET, kind: "eco" });
  });

  it.each([
    "nothing",
    "null",
    "7",
    "{}",
    JSON.stringify({ ...QUIET, kind: "toString" }),
    JSON.stringify({ ...QUIET, fromHour: 24 }),
    JSON.stringify({ ...QUIET, untilHour: "7" }),
    JSON.stringify({ ...QUIET, days: 3 }),
  ])("is the fastest where %s is kept", (text) => {
    useStorage({ policy: text });
    expect(rememberedPolicy()).toEqual(FASTEST);
  });

  it("leaves out days that no week has", () => {
    useStorage({ policy: JSON.stringify({ ...QUIET, days: [9, 2, "1", 2, 0] }) });
    expect(rememberedPolicy().days).toEqual([0, 2]);
  });

  it("does without a storage that is forbidden", () => {
    const refuse = () => {
      throw new DOMException("no", "SecurityError");
    };
    vi.stubGlobal("localStorage", { getItem: refuse, setItem: refuse });
    rememberPolicy(QUIET);
    expect(rememberedPolicy()).toEqual(FASTEST);
  });

  it("goes to a transfer beside the other overrides, and the fastest goes without words", () => {
    expect(withPolicy({ path: "tcp" }, FASTEST)).toEqual({ path: "tcp" });
    expect(withPolicy({ path: "tcp" }, { ...FASTEST, kind: "cheap" })).toEqual({
      path: "tcp",
      policy: { kind: "cheap" },
    });
  });
});

describe("quiet hours", () => {
  /** The hours of the week that are quiet: day and hour, from Sunday 22 November 2026 on. */
  function quietHours(setting: PolicySetting): string[] {
    const policy = policyOf(setting);
    const hours = policy.kind === "quiet" ? policy.hours : [];
    const quiet: string[] = [];
    for (let hour = 0; hour < 7 * 24; hour++) {
      const now = { epochMs: Date.parse("2026-11-22T00:30:00Z") + hour * 3_600_000, utcOffsetMinutes: 0 };
      if (hours.some((window) => isInside(window, now))) quiet.push(`${Math.floor(hour / 24)} ${hour % 24}`);
    }
    return quiet;
  }

  it("end where the hour begins until which they last", () => {
    expect(quietHours({ ...QUIET, days: [3], fromHour: 9, untilHour: 12 })).toEqual(["3 9", "3 10", "3 11"]);
    expect(quietHours({ ...QUIET, days: [3], fromHour: 22, untilHour: 1 })).toEqual(["3 22", "3 23", "4 0"]);
    expect(quietHours({ ...QUIET, days: [3], fromHour: 22, untilHour: 0 })).toEqual(["3 22", "3 23"]);
  });

  it("last a day from an hour until the same, all week on every day, and never without a day", () => {
    expect(quietHours({ ...QUIET, days: [3], fromHour: 5, untilHour: 5 })).toHaveLength(24);
    expect(quietHours({ ...QUIET, days: [0, 1, 2, 3, 4, 5, 6], fromHour: 1, untilHour: 2 })).toHaveLength(7);
    expect(quietHours({ ...QUIET, days: [] })).toEqual([]);
  });
});
