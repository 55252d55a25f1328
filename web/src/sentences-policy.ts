/**
 * Words for what people may prefer of transfers.
 *
 * @module
 */
import type { Policy } from "../../core/edge/policy.ts";

export type PolicyKind = Policy["kind"];

export const POLICIES = {
  performance: "Fastest",
  balanced: "Balanced",
  eco: "Save battery",
  cheap: "Save data",
  quiet: "Quiet hours",
} as const satisfies Record<PolicyKind, string>;

export const POLICY_HINTS = {
  performance: "Every relay and device is used as hard as it goes, whatever the battery says.",
  balanced: "Speed, battery and cost count alike.",
  eco: "Where it runs on its battery, what costs power is used less.",
  cheap: "What costs by the byte is used less: mobile connections, and those where the browser saves data.",
  quiet: "Nothing is sent or received in the hours below; a transfer goes on by itself after them.",
} as const satisfies Record<PolicyKind, string>;

/** What holds for all of them but the first. */
export const BATTERY_NOTE =
  "Unless Fastest is chosen, a device that is not charging sends nothing below 20\u00a0% and receives nothing below 15\u00a0%.";

/** 0 = Sunday. */
export const DAY_NAMES: readonly string[] = [
  "Sunday",
  "Monday",
  "Tuesday",
  "Wednesday",
  "Thursday",
  "Friday",
  "Saturday",
];
