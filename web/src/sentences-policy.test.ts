import { expect, it } from "vitest";
import { MIN_BATTERY } from "../../core/edge/constraints.ts";
import { BATTERY_NOTE, DAY_NAMES } from "./sentences-policy.ts";

it("names the charge below which nothing moves as core has it", () => {
  const percents = [MIN_BATTERY.up, MIN_BATTERY.down].map((level) => `${100 * level}\u00a0%`);
  expect(BATTERY_NOTE.match(/\d+\u00a0%/g)).toEqual(percents);
});

it("counts days as a calendar does", () => {
  // 22 November 2026 is a Sunday.
  const names = DAY_NAMES.map((_, day) => new Date(Date.UTC(2026, 10, 22 + day)));
  expect(names.map((date) => date.toLocaleDateString("en", { weekday: "long", timeZone: "UTC" }))).toEqual(DAY_NAMES);
});
