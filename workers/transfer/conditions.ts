/**
 * What holds around a running transfer: the time here, and what the page tells of this device.
 *
 * @module
 */
import { type Conditions, type DeviceState, UNKNOWN_DEVICE } from "../../core/edge/constraints.ts";

/** Now. A relay's or a peer's device tells nothing. */
export function conditionsHere(here: DeviceState): Conditions {
  const now = new Date();
  const utcOffsetMinutes = -now.getTimezoneOffset();
  return { epochMs: now.getTime(), utcOffsetMinutes, here, there: UNKNOWN_DEVICE };
}
