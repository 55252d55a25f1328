/**
 * What closing the tab would cost while something is sent.
 *
 * @module
 */
import type { TransferSnapshot } from "../../../core/transfer/snapshot.ts";

/** `place` is where it is taken up again, in the middle of a sentence. */
export function stayingSentence(
  { state, resumable }: Pick<TransferSnapshot, "state" | "resumable">,
  hasHandles: boolean,
  place = "this page",
): string {
  if (state === "preparing") return "Keep this tab open until everything is sent.";
  if (!resumable) return "Keep this tab open until everything is sent: this browser keeps no record to resume from.";
  return hasHandles
    ? `Sending stops while this tab is closed; come back to ${place} and resume it with a click.`
    : `Sending stops while this tab is closed; come back to ${place}, choose the same files, and it goes on.`;
}
