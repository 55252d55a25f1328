/**
 * What this browser's list says of the portal of one transfer: put there when it begins, kept up to date, and never a reason
 * for the transfer to fail.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import type { PortalRecord } from "../../core/portal/record.ts";
import { formatLink, type PortalLink } from "../../core/seal/link.ts";
import type { Progress } from "../../core/transfer/progress.ts";
import {
  changeKept,
  freshKept,
  type RecordChange,
  rememberPortal,
  updatePortal,
} from "../../platform/registry/registry.ts";
import { syncVault } from "../../platform/registry/sync.ts";

/** How often what is known is written, at the most. */
const UPDATE_MS = 2_000;

/** One portal on the list. */
export class Remembered {
  readonly #portal: string;
  #writing: Promise<void> = Promise.resolve();
  #written = "";
  #writtenAtMs = Number.NEGATIVE_INFINITY;

  /** @param portal its id, base64url */
  constructor(portal: string) {
    this.#portal = portal;
  }

  /** A portal that was made here. */
  static made(record: PortalRecord): Remembered {
    const remembered = new Remembered(record.portal);
    remembered.#write(() => rememberPortal(record));
    remembered.#share();
    return remembered;
  }

  /** A portal that is received by `link`; one that is on the list as something more stays what it is. */
  static received(link: PortalLink, relayOrigin: string, expiresAtMs: number): Remembered {
    const remembered = new Remembered(base64urlnopad.encode(link.portal));
    remembered.#write(() => rememberReceived(link, relayOrigin, expiresAtMs));
    return remembered;
  }

  /** Says what is known of its files, when that is news and nothing was said a moment ago. */
  tell(title: string, progress: Progress, isLast = false): void {
    const { bytesTotal, entriesTotal } = progress;
    const news = JSON.stringify([title, bytesTotal, entriesTotal]);
    const nowMs = Date.now();
    if (news === this.#written || (!isLast && Math.abs(nowMs - this.#writtenAtMs) < UPDATE_MS)) return;
    this.#written = news;
    this.#writtenAtMs = nowMs;
    this.change({ title, bytesTotal, entriesTotal });
    if (isLast) this.#share();
  }

  change(change: RecordChange): void {
    this.#write(() => updatePortal(this.#portal, change));
  }

  /** Resolves when everything is written, or could not be. */
  settle(): Promise<void> {
    return this.#writing;
  }

  /** Tells this person's other devices, if there are any; what cannot be told now is told when the list is looked at. */
  #share(): void {
    void this.#writing.then(syncVault).catch(() => {});
  }

  #write(work: () => Promise<void>): void {
    this.#writing = this.#writing.then(work).catch(() => {}); // a browser that keeps nothing
  }
}

function rememberReceived(link: PortalLink, relayOrigin: string, expiresAtMs: number): Promise<void> {
  const [portal, path, nowMs] = [base64urlnopad.encode(link.portal), formatLink(link), Date.now()];
  const fresh: PortalRecord = {
    as: "received",
    portal,
    relayOrigin,
    relays: [],
    kind: "send",
    title: "",
    bytesTotal: 0,
    entriesTotal: 0,
    createdAtMs: nowMs,
    expiresAtMs,
    secret: null,
    ownerSecret: null,
    adminLink: null,
    links: [],
    ended: null,
    changedAtMs: nowMs,
  };
  return changeKept(portal, (kept) => {
    const before = kept ?? freshKept(fresh);
    const { record } = before;
    if (record.as !== "received") return undefined;
    // The link that worked last is the one to open it with.
    const links = [{ path, link: null, label: "" }, ...record.links.filter((other) => other.path !== path)];
    const next = { ...record, links, expiresAtMs, ended: null, changedAtMs: nowMs };
    return { ...before, record: next };
  });
}
