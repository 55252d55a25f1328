/**
 * The SQL of links, claims, rules and deliveries, prepared once, with its rows as types.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import type { Capability, EndReason, PasswordParameters } from "../../../core/portal/portal.ts";
import type { LinkKey, PortalKey } from "../bytes.ts";
import type { DownloadKey, LinkEntry, StoredDelivery, StoredLink } from "./access.ts";
import type { StoredPortal } from "./store.ts";

type Bytes = Uint8Array<ArrayBuffer>;

interface LinkRow {
  readonly link: LinkKey;
  readonly capability: Capability;
  readonly token_hash: Bytes;
  readonly key_commitment: Bytes;
  readonly grant: Bytes;
  readonly password: string | null;
  readonly max_uses: number | null;
  readonly uses: number;
  readonly from_ms: number | null;
  readonly until_ms: number | null;
  readonly created_ms: number;
}

/** A claim's row; completed when `until_ms` is null. */
export interface ClaimRow {
  readonly link: LinkKey;
  readonly until_ms: number | null;
}

/** What a change of rules writes. */
export type RuleValues = Pick<
  StoredPortal,
  "expirySeconds" | "expiresAtMs" | "idleSeconds" | "maxDownloads" | "isPaused" | "ownerTokenHash"
>;

export function accessStatementsOf(db: DatabaseSync) {
  const sql = {
    links: db.prepare("SELECT * FROM links WHERE portal = ? ORDER BY created_ms, link"),
    insertLink: db.prepare(
      `INSERT INTO links (portal, link, capability, token_hash, key_commitment, "grant", password, max_uses, from_ms, until_ms,
         created_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    removeLink: db.prepare("DELETE FROM links WHERE portal = ? AND link = ?"),
    removeClaims: db.prepare("DELETE FROM downloads WHERE portal = ? AND link = ? AND until_ms IS NOT NULL"),
    takeUse: db.prepare(
      `UPDATE links SET uses = uses + 1
       WHERE portal = ? AND link = ? AND capability = 'write' AND (max_uses IS NULL OR uses < max_uses)
         AND (SELECT ended_ms IS NULL AND paused = 0 FROM portals WHERE key = portal)`,
    ),
    findClaim: db.prepare("SELECT link, until_ms FROM downloads WHERE portal = ? AND claim = ?"),
    countClaims: db.prepare("SELECT count(*) AS count FROM downloads WHERE portal = ? AND until_ms > ?"),
    countLinkClaims: db.prepare(
      "SELECT count(*) AS count FROM downloads WHERE portal = ? AND until_ms > ? AND link = ?",
    ),
    forgetLapsed: db.prepare("DELETE FROM downloads WHERE portal = ? AND until_ms <= ?"),
    putClaim: db.prepare("INSERT OR REPLACE INTO downloads (portal, claim, link, until_ms) VALUES (?, ?, ?, ?)"),
    renewClaim: db.prepare(
      "UPDATE downloads SET until_ms = ? WHERE portal = ? AND claim = ? AND link = ? AND until_ms > ?",
    ),
    releaseClaim: db.prepare(
      "DELETE FROM downloads WHERE portal = ? AND claim = ? AND link = ? AND until_ms IS NOT NULL",
    ),
    countDownload: db.prepare("UPDATE portals SET downloads = downloads + 1 WHERE key = ?"),
    countUse: db.prepare("UPDATE links SET uses = uses + 1 WHERE portal = ? AND link = ?"),
    changeRules: db.prepare(
      `UPDATE portals SET expiry_seconds = ?, expires_ms = ?, idle_seconds = ?, max_downloads = ?, paused = ?, owner_hash = ?,
         used_ms = max(used_ms, ?)
       WHERE key = ?`,
    ),
    touch: db.prepare("UPDATE portals SET used_ms = ?1 WHERE key = ?2 AND used_ms < ?1"),
    deliveries: db.prepare(
      `SELECT key, offer, created_ms, expires_ms, bytes, packs FROM portals
       WHERE request = ? AND ended_ms IS NULL ORDER BY created_ms, key`,
    ),
    countDeliveries: db.prepare("SELECT count(*) AS count FROM portals WHERE request = ? AND ended_ms IS NULL"),
    abandoned: db.prepare(
      "SELECT key FROM portals WHERE ended_ms IS NULL AND request IS NOT NULL AND packs IS NULL AND used_ms <= ?",
    ),
    orphans: db.prepare(
      `SELECT delivery.key, request.end_reason AS reason
       FROM portals AS request JOIN portals AS delivery ON delivery.request = request.key
       WHERE request.ended_ms IS NOT NULL AND request.kind = 2 AND delivery.ended_ms IS NULL`,
    ),
  };
  const countOf = (row: Record<string, unknown> | undefined) => Number(row?.["count"]);

  return {
    links: (key: PortalKey): readonly StoredLink[] =>
      sql.links.all(key).map((row) => toStoredLink(row as unknown as LinkRow)),
    insertLink(key: PortalKey, entry: LinkEntry, nowMs: number): void {
      const { link, capability, tokenHash, keyCommitment, grant, maxUses, notBeforeMs, expiresAtMs } = entry;
      const password = entry.password === null ? null : JSON.stringify(entry.password);
      const bytes = [tokenHash, keyCommitment, grant] as const;
      sql.insertLink.run(key, link, capability, ...bytes, password, maxUses, notBeforeMs, expiresAtMs, nowMs);
    },
    removeLink(key: PortalKey, link: LinkKey): void {
      sql.removeClaims.run(key, link);
      sql.removeLink.run(key, link);
    },
    /** False when the request is over or paused, or the link is gone or used up. */
    takeUse: (request: PortalKey, link: LinkKey) => sql.takeUse.run(request, link).changes === 1,
    countDeliveries: (request: PortalKey) => countOf(sql.countDeliveries.get(request)),
    findClaim: ({ key, claim }: DownloadKey) => sql.findClaim.get(key, claim) as ClaimRow | undefined,
    countClaims: (key: PortalKey, nowMs: number) => countOf(sql.countClaims.get(key, nowMs)),
    countLinkClaims: (key: PortalKey, nowMs: number, link: LinkKey) =>
      countOf(sql.countLinkClaims.get(key, nowMs, link)),
    forgetLapsed: (key: PortalKey, nowMs: number) => void sql.forgetLapsed.run(key, nowMs),
    /** @param untilMs null for a completed one */
    putClaim: ({ key, link, claim }: DownloadKey, untilMs: number | null) =>
      void sql.putClaim.run(key, claim, link, untilMs),
    renewClaim: ({ key, link, claim }: DownloadKey, nowMs: number, untilMs: number) =>
      void sql.renewClaim.run(untilMs, key, claim, link, nowMs),
    releaseClaim: ({ key, link, claim }: DownloadKey) => void sql.releaseClaim.run(key, claim, link),
    countDownload({ key, link }: DownloadKey): void {
      sql.countDownload.run(key);
      sql.countUse.run(key, link);
    },
    /** A change is a use. */
    changeRules(key: PortalKey, rules: RuleValues, nowMs: number): void {
      const { expirySeconds, expiresAtMs, idleSeconds, maxDownloads, isPaused, ownerTokenHash } = rules;
      const paused = isPaused ? 1 : 0;
      const values = [expirySeconds, expiresAtMs, idleSeconds, maxDownloads, paused, ownerTokenHash] as const;
      sql.changeRules.run(...values, nowMs, key);
    },
    touch: (key: PortalKey, nowMs: number) => void sql.touch.run(nowMs, key),
    deliveries: (request: PortalKey): readonly StoredDelivery[] =>
      sql.deliveries.all(request).map((row) => ({
        key: row["key"] as PortalKey,
        offer: row["offer"] as Bytes,
        createdAtMs: Number(row["created_ms"]),
        expiresAtMs: Number(row["expires_ms"]),
        bytes: Number(row["bytes"]),
        isComplete: row["packs"] !== null,
      })),
    abandoned: (beforeMs: number) => sql.abandoned.all(beforeMs).map((row) => row["key"] as PortalKey),
    orphans: () =>
      sql.orphans.all().map((row) => ({ key: row["key"] as PortalKey, reason: row["reason"] as EndReason })),
  };
}

function toStoredLink(row: LinkRow): StoredLink {
  return {
    link: row.link,
    capability: row.capability,
    tokenHash: row.token_hash,
    keyCommitment: row.key_commitment,
    grant: row.grant,
    password: row.password === null ? null : (JSON.parse(row.password) as PasswordParameters),
    maxUses: row.max_uses,
    uses: row.uses,
    notBeforeMs: row.from_ms,
    expiresAtMs: row.until_ms,
    createdAtMs: row.created_ms,
  };
}
