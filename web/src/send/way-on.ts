/**
 * What a person can do about a send that failed, besides going back to the list.
 *
 * @module
 */
import type { FailureCode } from "../../../core/failure.ts";

/**
 * `take-over`: go on here, which stops it elsewhere. `choose`: give the files once more. `again`: go on from where it
 * stopped, with the files at hand. `discard`: forget it.
 */
export type WayOn = "take-over" | "choose" | "again" | "discard";

const WAYS: Partial<Record<FailureCode, WayOn>> = {
  "portal/leased": "take-over",
  "portal/lease-lost": "take-over",
  "transfer/elsewhere": "take-over",
  "file/absent": "choose",
  "file/changed": "choose",
  "file/unreadable": "choose",
  "journal/damaged": "discard",
  "journal/absent": "discard",
  "pack/unrepeatable": "discard",
  "portal/expired": "discard",
  "portal/unknown": "discard",
  "relay/unreachable": "again",
  "relay/full": "again",
  "relay/busy": "again",
  "relay/stopping": "again",
  "relay/storage": "again",
  "relay/foreign": "again",
  "object/hash": "again",
  "object/corrupt": "again",
  "engine/failed": "again",
  "worker/crashed": "again",
};

/** Null where only a new link helps, and before there is a portal. */
export function wayOn(code: FailureCode, portal: string | null): WayOn | null {
  return portal === null ? null : (WAYS[code] ?? null);
}
