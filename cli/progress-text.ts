/**
 * A snapshot as one line: how far, how fast, how long yet, and what is waited for.
 *
 * @module
 */
import type { TransferSnapshot, WaitingFor } from "../core/transfer/snapshot.ts";
import { count, formatBytes, formatDuration, formatRate } from "./format.ts";

const WAITING: Readonly<Record<WaitingFor, string>> = {
  relay: "waiting for the relay",
  sender: "waiting for the sender",
  owner: "paused by its owner",
  turn: "waiting for a turn: all downloads that are left are running",
  rules: "waiting by its own rules",
};

export function progressText(snapshot: TransferSnapshot): string {
  const { state, bytesDone, bytesTotal, entriesDone, entriesTotal, bytesPerSecond, etaSeconds, nextTryMs } = snapshot;
  const share = bytesTotal > 0 ? Math.floor((100 * bytesDone) / bytesTotal) : 0;
  const parts = [
    `${share} %`,
    `${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`,
    `${entriesDone} of ${count(entriesTotal, "entry").replace("entrys", "entries")}`,
  ];
  if (state === "waiting" && snapshot.waitingFor !== null)
    parts.push(
      WAITING[snapshot.waitingFor] + (nextTryMs === null ? "" : `, next try in ${formatDuration(nextTryMs / 1000)}`),
    );
  else if (state === "running") {
    parts.push(formatRate(bytesPerSecond));
    if (etaSeconds !== null) parts.push(`${formatDuration(etaSeconds)} left`);
  }
  return parts.join(" · ");
}
