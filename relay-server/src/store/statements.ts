/**
 * Every SQL statement of the embedded store, prepared once, with its row as a type.
 *
 * @module
 */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import type { EndReason } from "../../../core/portal/portal.ts";
import type { Commitment } from "../../../core/wire/frame.ts";
import type { ObjectHeader, ObjectKind } from "../../../core/wire/object.ts";
import type { LinkKey, PortalKey } from "../bytes.ts";
import type { StoredLink } from "./access.ts";
import type { NewPortal, PlacedObject, ScrubRange, StoredPortal, StoreUsage } from "./store.ts";

type Bytes = Uint8Array<ArrayBuffer>;

interface PortalRow {
  readonly key: PortalKey;
  readonly kind: 1 | 2;
  readonly request_hash: Bytes;
  readonly owner_hash: Bytes;
  readonly max_downloads: number | null;
  readonly expiry_seconds: number;
  readonly idle_seconds: number | null;
  readonly created_ms: number;
  readonly expires_ms: number;
  readonly used_ms: number;
  readonly paused: number;
  readonly ended_ms: number | null;
  readonly end_reason: EndReason | null;
  readonly downloads: number;
  readonly bytes: number;
  readonly lease: number;
  readonly packs: number | null;
  readonly pages: number | null;
  readonly root: Bytes | null;
  readonly request: PortalKey | null;
  readonly request_link: LinkKey | null;
  readonly offer: Bytes | null;
  readonly partial: number;
}

interface ObjectRow {
  readonly header: ObjectHeader;
  readonly inside: number;
  readonly corrupt: boolean;
  readonly repairs: number;
}

/** SQLite's answers are typed by what the schema (STRICT tables) guarantees. */
function rowAs<T>(row: Record<string, SQLOutputValue> | undefined): T | undefined {
  return row as T | undefined;
}

export function toStoredPortal(row: PortalRow, links: readonly StoredLink[]): StoredPortal {
  const { packs, pages, root, request, request_link: link, offer } = row;
  const commitment = packs === null || pages === null || root === null ? null : { packs, pages, root };
  return {
    key: row.key,
    kind: row.kind === PORTAL_KIND.send ? "send" : "request",
    requestHash: row.request_hash,
    ownerTokenHash: row.owner_hash,
    maxDownloads: row.max_downloads,
    expirySeconds: row.expiry_seconds,
    idleSeconds: row.idle_seconds,
    createdAtMs: row.created_ms,
    expiresAtMs: row.expires_ms,
    usedAtMs: row.used_ms,
    isPaused: row.paused === 1,
    endedAtMs: row.ended_ms,
    endReason: row.end_reason,
    downloads: row.downloads,
    bytes: row.bytes,
    lease: row.lease,
    links,
    isPartial: row.partial === 1,
    delivery: request === null || link === null || offer === null ? null : { request, link, offer },
    commitment,
  };
}

const KIND = { pack: 1, page: 2 } as const;
const PORTAL_KIND = { send: 1, request: 2 } as const;

export function statementsOf(db: DatabaseSync) {
  const sql = {
    findPortal: db.prepare("SELECT * FROM portals WHERE key = ?"),
    portalBytes: db.prepare("SELECT bytes FROM portals WHERE key = ? AND ended_ms IS NULL"),
    insertPortal: db.prepare(
      `INSERT INTO portals (key, kind, request_hash, owner_hash, max_downloads, expiry_seconds, idle_seconds, created_ms,
         expires_ms, used_ms, request, request_link, offer, partial)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?8, ?, ?8, ?, ?, ?, ?)`,
    ),
    countPortal: db.prepare("UPDATE usage SET portals = portals + ?"),
    addPortalBytes: db.prepare(
      "UPDATE portals SET bytes = bytes + ?1 WHERE key = ?2 AND ended_ms IS NULL AND lease = ?4 AND bytes + ?1 <= ?3",
    ),
    addStoreBytes: db.prepare("UPDATE usage SET bytes = bytes + ?1 WHERE bytes + ?1 <= ?2"),
    insertObject: db.prepare(
      `INSERT INTO objects (portal, kind, number, final, length, hash, inside, bytes, repairs)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    findObject: db.prepare(
      "SELECT final, length, hash, inside, corrupt, repairs FROM objects WHERE portal = ? AND kind = ? AND number = ?",
    ),
    insideBytes: db.prepare("SELECT bytes FROM objects WHERE portal = ? AND kind = ? AND number = ?"),
    heldIndexes: db.prepare(
      `SELECT number FROM objects WHERE portal = ?1 AND kind = ?2 AND number NOT IN
         (SELECT number FROM objects WHERE portal = ?1 AND kind = ?2 AND corrupt = 1)
       ORDER BY number`,
    ),
    packHashes: db.prepare("SELECT hash FROM objects WHERE portal = ? AND kind = 1 AND corrupt = 0 ORDER BY number"),
    markCorrupt: db.prepare(
      "UPDATE objects SET corrupt = 1 WHERE portal = ? AND kind = ? AND number = ? AND repairs = ? AND corrupt = 0",
    ),
    findCorrupt: db.prepare(
      "SELECT rowid FROM objects INDEXED BY objects_damaged WHERE portal = ? AND kind = ? AND number = ? AND corrupt = 1",
    ),
    removeCorrupt: db.prepare(
      "DELETE FROM objects WHERE portal = ? AND kind = ? AND number = ? AND corrupt = 1 AND hash = ? RETURNING length, repairs",
    ),
    commitPortal: db.prepare(
      "UPDATE portals SET packs = ?, pages = ?, root = ? WHERE key = ? AND ended_ms IS NULL AND lease = ?",
    ),
    takeLease: db.prepare("UPDATE portals SET lease = ?2 WHERE key = ?1 AND ended_ms IS NULL AND lease = ?2 - 1"),
    endPortal: db.prepare("UPDATE portals SET ended_ms = ?, end_reason = ? WHERE key = ? AND ended_ms IS NULL"),
    giveUseBack: db.prepare(
      `UPDATE links SET uses = uses - 1 WHERE uses > 0 AND (portal, link) =
         (SELECT request, request_link FROM portals WHERE key = ? AND packs IS NULL)`,
    ),
    someObjects: db.prepare("SELECT rowid, length FROM objects WHERE portal = ? LIMIT ?"),
    removeObject: db.prepare("DELETE FROM objects WHERE rowid = ?"),
    takePortalBytes: db.prepare("UPDATE portals SET bytes = bytes - ? WHERE key = ?"),
    takeStoreBytes: db.prepare("UPDATE usage SET bytes = bytes - ?"),
    overdue: db.prepare("SELECT key FROM portals WHERE ended_ms IS NULL AND expires_ms <= ?"),
    idle: db.prepare(
      `SELECT key FROM portals WHERE ended_ms IS NULL AND idle_seconds IS NOT NULL AND used_ms <= ?1 AND used_ms + idle_seconds * 1000 <= ?1`,
    ),
    halfEnded: db.prepare("SELECT key FROM portals WHERE ended_ms IS NOT NULL AND bytes > 0"),
    settleDates: db.prepare(
      `UPDATE portals SET created_ms = min(created_ms, ?1), expires_ms = ?1 + expiry_seconds * 1000
       WHERE ended_ms IS NULL AND expires_ms > ?1 + expiry_seconds * 1000`,
    ),
    settleUse: db.prepare("UPDATE portals SET used_ms = ?1 WHERE ended_ms IS NULL AND used_ms > ?1"),
    settleClaims: db.prepare("UPDATE downloads SET until_ms = ?1 WHERE until_ms > ?1"),
    endedBefore: db.prepare("SELECT key FROM portals WHERE ended_ms IS NOT NULL AND ended_ms < ?"),
    forgetClaims: db.prepare("DELETE FROM downloads WHERE portal = ?"),
    forgetLinks: db.prepare("DELETE FROM links WHERE portal = ?"),
    forgetPortal: db.prepare("DELETE FROM portals WHERE key = ?"),
    usage: db.prepare("SELECT portals, bytes FROM usage"),
    probe: db.prepare("UPDATE usage SET probes = probes + 1"),
    objectsAfter: db.prepare(
      `SELECT rowid AS place, portal, kind, number, length FROM objects
       WHERE rowid > ? AND rowid <= ? AND corrupt = 0 ORDER BY rowid LIMIT ?`,
    ),
    scrubRange: db.prepare(
      'SELECT scrub_place AS "from", (SELECT coalesce(max(rowid), 0) FROM objects) AS "to" FROM usage',
    ),
    saveScrubPlace: db.prepare("UPDATE usage SET scrub_place = ?"),
  };

  return {
    findPortal: (key: PortalKey) => rowAs<PortalRow>(sql.findPortal.get(key)),
    /** Bytes in a portal that has not ended; undefined when there is none. */
    portalBytes: (key: PortalKey) => rowAs<{ bytes: number }>(sql.portalBytes.get(key))?.bytes,
    insertPortal(portal: NewPortal): void {
      const { key, kind, requestHash, ownerTokenHash, maxDownloads, expirySeconds, idleSeconds, delivery } = portal;
      const fixed = [key, PORTAL_KIND[kind], requestHash, ownerTokenHash] as const;
      const times = [expirySeconds, idleSeconds, portal.createdAtMs, portal.expiresAtMs] as const;
      const from = [delivery?.request ?? null, delivery?.link ?? null, delivery?.offer ?? null] as const;
      sql.insertPortal.run(...fixed, maxDownloads, ...times, ...from, portal.isPartial ? 1 : 0);
      sql.countPortal.run(1);
    },
    addPortalBytes: (key: PortalKey, bytes: number, max: number, lease: number) =>
      sql.addPortalBytes.run(bytes, key, max, lease).changes === 1,
    addStoreBytes: (bytes: number, max: number) => sql.addStoreBytes.run(bytes, max).changes === 1,
    insertObject(key: PortalKey, header: ObjectHeader, inside: Uint8Array | null, repairs: number): void {
      const { kind, index, final, length, hash } = header;
      const isInside = inside === null ? 0 : 1;
      sql.insertObject.run(key, KIND[kind], index, final ? 1 : 0, length, hash, isInside, inside, repairs);
    },
    findObject(key: PortalKey, kind: ObjectKind, index: number): ObjectRow | undefined {
      type Row = { final: number; length: number; hash: Bytes; inside: number; corrupt: number; repairs: number };
      const row = rowAs<Row>(sql.findObject.get(key, KIND[kind], index));
      if (row === undefined) return undefined;
      const header = { kind, index, final: row.final === 1, length: row.length, hash: row.hash };
      return { header, inside: row.inside, corrupt: row.corrupt === 1, repairs: row.repairs };
    },
    insideBytes: (key: PortalKey, kind: ObjectKind, index: number) =>
      rowAs<{ bytes: Bytes }>(sql.insideBytes.get(key, KIND[kind], index))?.bytes,
    heldIndexes: (key: PortalKey, kind: ObjectKind): readonly number[] =>
      sql.heldIndexes.all(key, KIND[kind]).map((row) => Number(row["number"])),
    *packHashes(key: PortalKey): Generator<Bytes> {
      for (const row of sql.packHashes.iterate(key)) yield row["hash"] as Bytes;
    },
    /** True when the object is still the one that was read, and nobody knew it. */
    markCorrupt: (key: PortalKey, kind: ObjectKind, index: number, repairs: number) =>
      sql.markCorrupt.run(key, KIND[kind], index, repairs).changes === 1,
    /** Makes room for the same bytes; gives how often they will have been repaired then. */
    removeCorrupt(key: PortalKey, { kind, index, hash }: ObjectHeader): number {
      // Almost never there, and the look into the small index costs a tenth of a deletion that finds nothing.
      if (sql.findCorrupt.get(key, KIND[kind], index) === undefined) return 0;
      const removed = sql.removeCorrupt.get(key, KIND[kind], index, hash);
      if (removed === undefined) return 0;
      sql.takePortalBytes.run(removed["length"] as number, key);
      sql.takeStoreBytes.run(removed["length"] as number);
      return (removed["repairs"] as number) + 1;
    },
    commitPortal: (key: PortalKey, { packs, pages, root }: Commitment, lease: number) =>
      sql.commitPortal.run(packs, pages, root, key, lease).changes === 1,
    /** True when the lease before this one was the portal's. */
    takeLease: (key: PortalKey, lease: number) => sql.takeLease.run(key, lease).changes === 1,
    /** Does nothing to a portal that has ended. */
    endPortal(key: PortalKey, endedMs: number, reason: EndReason): void {
      if (sql.endPortal.run(endedMs, reason, key).changes === 0) return;
      sql.countPortal.run(-1);
      sql.giveUseBack.run(key);
    },
    /** Removes up to `limit` objects; gives how many there were. */
    removeObjects(key: PortalKey, limit: number): number {
      const rows = sql.someObjects.all(key, limit);
      let bytes = 0;
      for (const row of rows) {
        sql.removeObject.run(row["rowid"] as number);
        bytes += row["length"] as number;
      }
      sql.takePortalBytes.run(bytes, key);
      sql.takeStoreBytes.run(bytes);
      return rows.length;
    },
    overdue: (nowMs: number, idleMs: number) =>
      [...sql.overdue.all(nowMs), ...sql.idle.all(idleMs)].map((row) => row["key"] as PortalKey),
    halfEnded: () => sql.halfEnded.all().map((row) => row["key"] as PortalKey),
    settleDates(nowMs: number, claimUntilMs: number): void {
      sql.settleDates.run(nowMs);
      sql.settleUse.run(nowMs);
      sql.settleClaims.run(claimUntilMs);
    },
    endedBefore: (beforeMs: number) => sql.endedBefore.all(beforeMs).map((row) => row["key"] as PortalKey),
    forgetPortal(key: PortalKey): void {
      sql.forgetClaims.run(key);
      sql.forgetLinks.run(key);
      sql.forgetPortal.run(key);
    },
    usage: () => rowAs<StoreUsage>(sql.usage.get()) ?? { portals: 0, bytes: 0 },
    probe: () => void sql.probe.run(),
    objectsAfter: (from: number, to: number, limit: number): readonly PlacedObject[] =>
      sql.objectsAfter.all(from, to, limit).map((row) => ({
        place: Number(row["place"]),
        key: row["portal"] as PortalKey,
        kind: row["kind"] === KIND.pack ? "pack" : "page",
        index: Number(row["number"]),
        length: Number(row["length"]),
      })),
    scrubRange: () => rowAs<ScrubRange>(sql.scrubRange.get()) ?? { from: 0, to: 0 },
    saveScrubPlace: (place: number) => void sql.saveScrubPlace.run(place),
  };
}
