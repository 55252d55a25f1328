import { afterEach, expect, it, vi } from "vitest";
import { UNKNOWN_DEVICE } from "../../core/edge/constraints.ts";
import { conditionsHere } from "./conditions.ts";

afterEach(() => vi.useRealTimers());

it("tells the time on the clock of this place, and nothing of the other end", () => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 23, 12) });
  vi.spyOn(Date.prototype, "getTimezoneOffset").mockReturnValue(-330);
  const here = { ...UNKNOWN_DEVICE, metered: true };
  expect(conditionsHere(here)).toEqual({
    epochMs: Date.UTC(2026, 10, 23, 12),
    utcOffsetMinutes: 330,
    here,
    there: UNKNOWN_DEVICE,
  });
});
