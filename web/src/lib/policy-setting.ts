/**
 * What the user prefers of transfers (speed, battery, data, quiet hours), kept in this browser.
 *
 * @module
 */
import type { Policy } from "../../../core/edge/policy.ts";
import type { Overrides } from "../../../workers/transfer/api.ts";

/** The hours stay while something else is preferred. */
export interface PolicySetting {
  readonly kind: Policy["kind"];
  /** Days on which quiet hours begin: 0 = Sunday to 6, ascending; none is never. */
  readonly days: readonly number[];
  /** 0 to 23. Until the beginning of `untilHour`, on the next day where that is no later. */
  readonly fromHour: number;
  readonly untilHour: number;
}

const KEY = "policy";
const KINDS: readonly Policy["kind"][] = ["performance", "balanced", "eco", "cheap", "quiet"];
/** Every day of a week. */
export const ALL_DAYS: readonly number[] = [0, 1, 2, 3, 4, 5, 6];

/** Until something else is chosen. */
export const FASTEST: PolicySetting = { kind: "performance", days: ALL_DAYS, fromHour: 22, untilHour: 7 };

/** The kept setting; the fastest where there is none that is known. */
export function rememberedPolicy(): PolicySetting {
  try {
    return readSetting(JSON.parse(localStorage.getItem(KEY) ?? "null")) ?? FASTEST;
  } catch {
    // storage is forbidden, or somebody else wrote there
    return FASTEST;
  }
}

/** Keeps the setting for every page that is opened from now on. */
export function rememberPolicy(setting: PolicySetting): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(setting));
  } catch {
    // it holds for this page only
  }
}

/** What a transfer is given. */
export function policyOf({ kind, days, fromHour, untilHour }: PolicySetting): Policy {
  if (kind !== "quiet") return { kind };
  if (days.length === 0) return { kind, hours: [] };
  const everyDay = days.length === ALL_DAYS.length;
  return { kind, hours: [{ days: everyDay ? [] : days, startHour: fromHour, endHour: (untilHour + 23) % 24 }] };
}

/** Overrides with the policy; the fastest is what there is without. */
export function withPolicy(overrides: Overrides, setting: PolicySetting): Overrides {
  return setting.kind === "performance" ? overrides : { ...overrides, policy: policyOf(setting) };
}

function readSetting(kept: unknown): PolicySetting | null {
  const { kind, days, fromHour, untilHour } = (kept ?? {}) as { readonly [key in keyof PolicySetting]?: unknown };
  const known = KINDS.find((one) => one === kind);
  const isHour = (hour: unknown): hour is number => Number.isInteger(hour) && Number(hour) >= 0 && Number(hour) < 24;
  if (known === undefined || !Array.isArray(days) || !isHour(fromHour) || !isHour(untilHour)) return null;
  return { kind: known, days: ALL_DAYS.filter((day) => days.includes(day)), fromHour, untilHour };
}
