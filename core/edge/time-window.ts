/**
 * Hours of a week in which an edge may, or may not, or should rather not be used. Pure: the time is given, as UTC and the
 * offset of the place whose clock is meant.
 *
 * @module
 */
import { assert } from "../failure.ts";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** Hours of some days of the week. */
export interface WeekHours {
  /** 0 = Sunday to 6; the day on which they begin. Empty: every day. */
  readonly days: readonly number[];
  /** 0 to 23, both included: 9 to 16 ends at 17:00. A start after the end goes on past midnight. */
  readonly startHour: number;
  readonly endHour: number;
}

/**
 * What such hours mean for an edge:
 * - `allow`: where any such window exists, other times are closed (unless a block says so first, which always wins).
 * - `block`: closed inside.
 * - `avoid`: open, and dear inside.
 */
export interface TimeWindow extends WeekHours {
  readonly mode: "allow" | "block" | "avoid";
}

/** When it is, and on whose clock. */
export interface WallTime {
  /** Milliseconds since 1970 in UTC. */
  readonly epochMs: number;
  /** Minutes that the clock on the wall is ahead of UTC: 330 in India, -180 in Brazil. */
  readonly utcOffsetMinutes: number;
}

/** Throws a plain Error unless they are hours of a week on earth. */
export function assertHours({ days, startHour, endHour }: WeekHours): void {
  const isIn = (value: number, end: number) => Number.isInteger(value) && value >= 0 && value < end;
  assert(isIn(startHour, 24) && isIn(endHour, 24), "hours are 0 to 23");
  assert(
    days.every((day) => isIn(day, 7)),
    "days are 0 to 6",
  );
}

/** Whether a time is within the hours. What goes past midnight belongs to the day on which it began. */
export function isInside({ days, startHour, endHour }: WeekHours, { epochMs, utcOffsetMinutes }: WallTime): boolean {
  const hours = Math.floor((epochMs + utcOffsetMinutes * MINUTE_MS) / HOUR_MS);
  const hour = ((hours % 24) + 24) % 24;
  // 1 January 1970 was a Thursday.
  const today = (((Math.floor(hours / 24) + 4) % 7) + 7) % 7;
  const began = startHour > endHour && hour <= endHour ? (today + 6) % 7 : today;
  const isHour = startHour <= endHour ? hour >= startHour && hour <= endHour : hour >= startHour || hour <= endHour;
  return isHour && (days.length === 0 || days.includes(began));
}

/** What all windows together say. */
export function windowsSay(windows: readonly TimeWindow[], now: WallTime): "open" | "dear" | "closed" {
  const active = windows.filter((window) => isInside(window, now));
  if (active.some(({ mode }) => mode === "block")) return "closed";
  const mustBeAllowed = windows.some(({ mode }) => mode === "allow");
  if (mustBeAllowed && !active.some(({ mode }) => mode === "allow")) return "closed";
  return active.some(({ mode }) => mode === "avoid") ? "dear" : "open";
}
