/**
 * What portals of the list are called: where they stand, what a link may do, how much is left, in words.
 *
 * @module
 */
import type { EndReason } from "../../../core/portal/portal.ts";
import type { Capability, KnownAs, KnownPortal } from "../../../workers/portals/api.ts";
import type { InterruptedTransfer } from "../../../workers/transfer/api.ts";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  formatPlural,
  ratioOf,
  shortTitle,
} from "../lib/format.ts";

export const AS_NAMES = {
  sent: "Sent",
  request: "Asked for",
  managed: "Managed",
  received: "Received",
  delivered: "Handed in",
} as const satisfies Record<KnownAs, string>;

const ENDS = {
  time: "Ended: its time was over",
  downloads: "Ended: downloaded as often as allowed",
  idle: "Ended: unused for too long",
  owner: "Ended by its owner",
  removed: "Removed by whoever runs the relay",
  unknown: "Gone: the relay does not know it any more",
} as const satisfies Record<EndReason | "unknown", string>;

export const LINK_NAMES = {
  read: "Link to download",
  write: "Link to hand in files",
  admin: "Link to manage",
} as const satisfies Record<Capability, string>;

/** The groups that the list can be narrowed to. */
export const FILTERS = {
  all: { text: "All", holds: () => true },
  sent: { text: "Sent", holds: (as: KnownAs) => as === "sent" || as === "managed" || as === "delivered" },
  received: { text: "Received", holds: (as: KnownAs) => as === "received" },
  requests: { text: "Requests", holds: (as: KnownAs) => as === "request" },
} as const;
export type Filter = keyof typeof FILTERS;

export interface StateWords {
  /** For scripts: stays when the text changes. */
  readonly name: "ended" | "running" | "interrupted" | "paused" | "open" | "incomplete" | "ready" | "known";
  readonly text: string;
  readonly tone: "good" | "caution" | "soft";
}

/** What a limit of downloads means to a portal that lives at further relays; null where it does not. */
export function countingText({ relays }: Pick<KnownPortal, "relays">): string | null {
  if (relays.length === 0) return null;
  const others = relays.length === 1 ? "the other relay keeps" : `the ${formatCount(relays.length)} other relays keep`;
  return `Downloads are counted at one relay, so what ${others} of it ends there first.`;
}

/** Where else a portal lives, or what does not know yet that it has ended: name and value of a fact; null for nothing. */
export function elsewhereOf({
  relays,
  ended,
}: Pick<KnownPortal, "relays" | "ended">): readonly [string, string] | null {
  if (relays.length === 0) return null;
  return [ended === null ? "Also at" : "Not told yet", relays.map((origin) => new URL(origin).host).join(", ")];
}

/** Where a portal stands. `unfinished` is what this browser left of it, if anything. */
export function stateOf(
  { ended, live, as, canManage, expiresAtMs }: KnownPortal,
  unfinished: InterruptedTransfer | undefined,
  nowMs: number,
): StateWords {
  if (ended !== null) return { name: "ended", text: ENDS[ended], tone: "soft" };
  if (live === null && expiresAtMs !== null && expiresAtMs <= nowMs) {
    return { name: "ended", text: ENDS.time, tone: "soft" };
  }
  if (unfinished !== undefined) return unfinishedState(unfinished);
  if (live?.phase === "paused") return { name: "paused", text: "Paused", tone: "caution" };
  if (as === "request") return { name: "open", text: "Open for files", tone: "good" };
  if (live !== null && !live.isComplete) return { name: "incomplete", text: "Not all sent yet", tone: "caution" };
  if (as === "delivered") return { name: "known", text: "Handed in", tone: "good" };
  if (as === "received") return { name: "known", text: "Can be opened", tone: "good" };
  return canManage && live === null
    ? { name: "known", text: "Not heard of yet", tone: "soft" }
    : { name: "ready", text: "Ready to download", tone: "good" };
}

function unfinishedState({ kind, isRunning, bytesDone, bytesTotal }: InterruptedTransfer): StateWords {
  if (isRunning) {
    return {
      name: "running",
      text: kind === "send" ? "Sending in another tab" : "Receiving in another tab",
      tone: "good",
    };
  }
  const share = formatPercent(ratioOf(bytesDone, bytesTotal, false));
  return {
    name: "interrupted",
    text: `${kind === "send" ? "Sending" : "Receiving"} stopped at ${share}`,
    tone: "caution",
  };
}

/** The name for people; a title may be a stranger's, or missing. */
export function titleOf({ title, as }: Pick<KnownPortal, "title" | "as">): string {
  return shortTitle(title).trim() || (as === "managed" ? "A portal to manage" : "Without a title");
}

/** Plaintext bytes, or null where this browser never learned them: of a portal that it only manages. */
export function sizeOf({ kind, bytesTotal, entriesTotal }: KnownPortal): number | null {
  return kind === "send" && entriesTotal > 0 ? bytesTotal : null;
}

/** "2 of 5 downloads", with the unit for deliveries where `uses` counts them. */
export function usesText(uses: number, maxUses: number | null, one: string, many: string): string {
  if (maxUses === null) return formatPlural(uses, one, many);
  return `${formatCount(uses)} of ${formatPlural(maxUses, one, many)}`;
}

/** "3 d 4 h left", or null for what has no end that is known, or is over. */
export function timeLeft({ live, expiresAtMs, ended }: KnownPortal, nowMs: number): string | null {
  const endsAtMs = live?.expiresAtMs ?? expiresAtMs;
  if (ended !== null || endsAtMs === null || endsAtMs <= nowMs) return null;
  return `${formatDuration((endsAtMs - nowMs) / 1000)} left`;
}

/** The facts of a row, most telling first. */
export function factsOf(portal: KnownPortal, nowMs: number): readonly string[] {
  const { as, live, ended } = portal;
  const bytes = sizeOf(portal) ?? live?.bytes ?? null;
  const facts: (string | null)[] = [AS_NAMES[as]];
  if (portal.kind === "send" && bytes !== null) facts.push(formatBytes(bytes));
  if (live?.deliveries != null) facts.push(formatPlural(live.deliveries.length, "delivery", "deliveries"));
  else if (live !== null) facts.push(usesText(live.downloads, live.maxDownloads, "download", "downloads"));
  facts.push(timeLeft(portal, nowMs));
  if (ended === null && live !== null && live.receivers > 0) facts.push(`${formatCount(live.receivers)} connected`);
  return facts.filter((fact) => fact !== null);
}
