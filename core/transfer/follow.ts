/**
 * What a link and its portal tell, as progress.
 *
 * @module
 */
import type { SteadyLink } from "../edge/steady-link.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { Progress } from "./progress.ts";

/** What is told of a link, or of several that count as one. */
type Followed = Pick<SteadyLink, "status" | "state">;

/** For either side. */
export function follow(progress: Progress, link: Followed): void {
  const { status, state } = link;
  progress.link = status;
  const waited = status.failure === "portal/claimed" ? "turn" : "relay";
  progress.waitingFor = status.nextTryAtMs === null ? null : waited;
  progress.expiresAtMs = state?.expiresAtMs ?? progress.expiresAtMs;
}

/** For a receiver: also what is listed so far, and whether the sender or the owner keeps it waiting. */
export function followReceive(progress: Progress, link: Followed, manifest: Manifest): void {
  follow(progress, link);
  const { state } = link;
  progress.peers = state?.senders ?? 0;
  const isAway = manifest.end === null && state?.commitment === null && state.senders === 0;
  if (state?.phase === "paused") progress.waitingFor ??= "owner";
  else if (isAway) progress.waitingFor ??= "sender";
  progress.entriesTotal = manifest.entries.length;
  progress.bytesTotal = manifest.totalBytes;
  progress.listed = manifest.listed;
}
