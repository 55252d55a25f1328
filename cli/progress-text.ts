/**
 * A snapshot as one line: how far, how fast, how long yet, and what is waited for.
 *
 * @module
 */
import type { TransferSnapshot } from "../core/transfer/snapshot.ts";
import { count, formatBytes, formatDuration, formatRate } from "./format.ts";

export function progressText(snapshot: TransferSnapshot): string {
  const { state, bytesDone, bytesTotal, entriesDone, entriesTotal, bytesPerSecond, etaSeconds, nextTryMs } = snapshot;
  const share = bytesTotal > 0 ? Math.floor((100 * bytesDone) / bytesTotal) : 0;
  const parts = [
    `${share} %`,
    `${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`,
    `${entriesDone} of ${count(entriesTotal, "entry").replace("entrys", "entries")}`,
  ];
  if (state === "waiting" && snapshot.waitingFor === "sender") parts.push("waiting for the sender");
  else if (state === "waiting")
    parts.push(`waiting for the relay${nextTryMs === null ? "" : `, next try in ${formatDuration(nextTryMs / 1000)}`}`);
  else if (state === "running") {
    parts.push(formatRate(bytesPerSecond));
    if (etaSeconds !== null) parts.push(`${formatDuration(etaSeconds)} left`);
  }
  return parts.join(" · ");
}
