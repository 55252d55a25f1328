/**
 * What a relay holds of a portal, as it tells it.
 *
 * @module
 */
import type { PortalState } from "./frame.ts";
import type { ObjectKind } from "./object.ts";

/** True when the state's ranges hold the object. */
export function isHeld(
  { heldPacks, heldPages }: Pick<PortalState, "heldPacks" | "heldPages">,
  kind: ObjectKind,
  index: number,
): boolean {
  const ranges = kind === "pack" ? heldPacks : heldPages;
  return ranges.some((from, i) => i % 2 === 0 && index >= from && index < (ranges[i + 1] ?? from));
}
