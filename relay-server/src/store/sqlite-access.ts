/**
 * Links, claims, rules and deliveries in the embedded store. What a limit decides is read and written in one transaction.
 *
 * @module
 */
import { Failure } from "../../../core/failure.ts";
import { type EndReason, MAX_DOWNLOADS, MAX_LINKS } from "../../../core/portal/portal.ts";
import { type LinkKey, type PortalKey, sameBytes } from "../bytes.ts";
import type { AccessStore, DownloadKey, LinkEntry, RulesChange, StoredDelivery, StoredLink } from "./access.ts";
import type { accessStatementsOf } from "./access-statements.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { statementsOf } from "./statements.ts";
import type { NewPortal } from "./store.ts";

/** Deliveries of one request that have not ended: what fits one answer. */
const MAX_DELIVERIES = 1000;

interface AccessParts {
  readonly portals: ReturnType<typeof statementsOf>;
  readonly sql: ReturnType<typeof accessStatementsOf>;
  readonly changes: GroupCommit;
}

/** A portal's row and one of its links, neither over. */
interface Place {
  readonly link: StoredLink;
  readonly downloads: number;
  readonly maxDownloads: number | null;
}

export class SqliteAccess implements AccessStore {
  readonly #parts: AccessParts;

  constructor(parts: AccessParts) {
    this.#parts = parts;
  }

  addLink(key: PortalKey, entry: LinkEntry, nowMs: number): Promise<void> {
    const { sql, changes } = this.#parts;
    return changes.submit(
      () => {
        this.#openPortal(key);
        const links = sql.links(key);
        const known = links.find(({ link }) => link === entry.link);
        if (known !== undefined) {
          if (!sameLink(known, entry)) throw new Failure("portal/taken", { what: "link" });
          return;
        }
        if (links.length >= MAX_LINKS) throw new Failure("portal/full", { what: "links", max: MAX_LINKS });
        sql.insertLink(key, entry, nowMs);
      },
      { grows: true },
    );
  }

  removeLink(key: PortalKey, link: LinkKey): Promise<void> {
    const { sql, changes } = this.#parts;
    return changes.submit(() => sql.removeLink(key, link));
  }

  changeRules(key: PortalKey, change: RulesChange, nowMs: number): Promise<void> {
    const { portals, sql, changes } = this.#parts;
    return changes.submit(() => {
      const row = this.#openPortal(key);
      const { expiry, ownerTokenHash = row.owner_hash, isPaused = row.paused === 1 } = change;
      const maxDownloads = change.maxDownloads === undefined ? row.max_downloads : change.maxDownloads;
      sql.changeRules(
        key,
        {
          expirySeconds: expiry?.seconds ?? row.expiry_seconds,
          expiresAtMs: expiry?.expiresAtMs ?? row.expires_ms,
          idleSeconds: change.idleSeconds === undefined ? row.idle_seconds : change.idleSeconds,
          maxDownloads,
          isPaused,
          ownerTokenHash,
        },
        nowMs,
      );
      if (maxDownloads !== null && row.downloads >= maxDownloads) portals.endPortal(key, nowMs, "downloads");
    });
  }

  async takeClaim(download: DownloadKey, nowMs: number, untilMs: number): Promise<void> {
    const { sql, changes } = this.#parts;
    const isFree = () => {
      const place = this.#place(download);
      const isLimited = place.maxDownloads !== null || place.link.maxUses !== null;
      return isLimited && this.#admit(download, place, nowMs);
    };
    // Who has to wait for a turn asks again and again: most are refused without a transaction.
    if (!isFree()) return;
    await changes.submit(() => {
      if (!isFree()) return;
      sql.forgetLapsed(download.key, nowMs);
      sql.putClaim(download, untilMs);
    });
  }

  renewClaim(download: DownloadKey, nowMs: number, untilMs: number): Promise<void> {
    const { sql, changes } = this.#parts;
    return changes.submit(() => sql.renewClaim(download, nowMs, untilMs));
  }

  releaseClaim(download: DownloadKey): Promise<void> {
    const { sql, changes } = this.#parts;
    return changes.submit(() => sql.releaseClaim(download));
  }

  async findClaim(download: DownloadKey): Promise<number | "completed" | undefined> {
    const row = this.#parts.sql.findClaim(download);
    if (row === undefined || row.link !== download.link) return undefined;
    return row.until_ms ?? "completed";
  }

  async countClaims(key: PortalKey, nowMs: number): Promise<number> {
    return this.#parts.sql.countClaims(key, nowMs);
  }

  async completeDownload(download: DownloadKey, nowMs: number): Promise<void> {
    const { portals, sql, changes } = this.#parts;
    if (!this.#admit(download, this.#place(download), nowMs)) return;
    await changes.submit(() => {
      const place = this.#place(download);
      if (!this.#admit(download, place, nowMs)) return;
      // A number for the owner to look at, where nothing is limited: it need not take room without end.
      if (place.downloads >= MAX_DOWNLOADS) return;
      sql.putClaim(download, null);
      sql.countDownload(download);
      const isLast = place.maxDownloads !== null && place.downloads + 1 >= place.maxDownloads;
      if (isLast) portals.endPortal(download.key, nowMs, "downloads");
    });
  }

  touch(key: PortalKey, nowMs: number): Promise<void> {
    const { sql, changes } = this.#parts;
    // What can be done without waits on a full disk.
    return changes.submit(() => sql.touch(key, nowMs), { grows: true });
  }

  async deliveriesOf(request: PortalKey): Promise<readonly StoredDelivery[]> {
    return this.#parts.sql.deliveries(request);
  }

  async abandonedDeliveries(beforeMs: number): Promise<readonly PortalKey[]> {
    return this.#parts.sql.abandoned(beforeMs);
  }

  async orphanedDeliveries(): Promise<readonly { readonly key: PortalKey; readonly reason: EndReason }[]> {
    return this.#parts.sql.orphans();
  }

  /**
   * Inside of the transaction that creates a delivery.
   * @throws Failure `portal/unknown` when its request is over or paused, or the link is gone or used up | `portal/full`
   */
  takeUse({ request, link }: NonNullable<NewPortal["delivery"]>): void {
    const { sql } = this.#parts;
    if (!sql.takeUse(request, link)) throw new Failure("portal/unknown");
    if (sql.countDeliveries(request) >= MAX_DELIVERIES) throw new Failure("portal/full", { what: "deliveries" });
  }

  /** @throws Failure `portal/expired` */
  #openPortal(key: PortalKey) {
    const row = this.#parts.portals.findPortal(key);
    if (row === undefined || row.ended_ms !== null) throw new Failure("portal/expired");
    return row;
  }

  /** @throws Failure `portal/expired` | `portal/unknown` */
  #place({ key, link }: DownloadKey): Place {
    const { downloads, max_downloads: maxDownloads } = this.#openPortal(key);
    const found = this.#parts.sql.links(key).find((one) => one.link === link);
    if (found === undefined) throw new Failure("portal/unknown");
    return { link: found, downloads, maxDownloads };
  }

  /**
   * True when the claim holds one of the downloads that are left, or may; false when it was completed.
   * @throws Failure `portal/claimed` | `portal/unknown` | `wire/malformed` for a claim of another link
   */
  #admit(download: DownloadKey, { link, downloads, maxDownloads }: Place, nowMs: number): boolean {
    const { sql } = this.#parts;
    const { key } = download;
    const claim = sql.findClaim(download);
    if (claim !== undefined && claim.link !== link.link) throw new Failure("wire/malformed", { what: "claim" });
    if (claim?.until_ms === null) return false;
    if (claim !== undefined && claim.until_ms > nowMs) return true;
    assertLeft(maxDownloads, downloads, () => sql.countClaims(key, nowMs));
    assertLeft(link.maxUses, link.uses, () => sql.countLinkClaims(key, nowMs, link.link));
    return true;
  }
}

/** @throws Failure `portal/unknown` when all are used, `portal/claimed` when the rest is claimed */
function assertLeft(max: number | null, used: number, countClaims: () => number): void {
  if (max === null) return;
  if (used >= max) throw new Failure("portal/unknown");
  if (used + countClaims() >= max) throw new Failure("portal/claimed");
}

/** The same link again: everything that its maker chose is equal. */
function sameLink(a: LinkEntry, b: LinkEntry): boolean {
  return (
    a.capability === b.capability &&
    sameBytes(a.tokenHash, b.tokenHash) &&
    sameBytes(a.keyCommitment, b.keyCommitment) &&
    sameBytes(a.grant, b.grant) &&
    JSON.stringify(a.password) === JSON.stringify(b.password) &&
    a.maxUses === b.maxUses &&
    a.notBeforeMs === b.notBeforeMs &&
    a.expiresAtMs === b.expiresAtMs
  );
}
