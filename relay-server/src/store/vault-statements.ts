/**
 * Every SQL statement of vaults, prepared once, with its row as a type.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import type { VaultEntry } from "../../../core/portal/vault.ts";
import { toBase64url } from "../bytes.ts";
import type { StoredDevice, VaultKey, VaultUsage } from "../vault/vault-store.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A vault's own row. */
export interface VaultRow {
  readonly root_hash: Bytes;
  /** GONE when it was removed. */
  readonly used_ms: number;
  readonly number: number;
  /** Entries, those that were removed included. */
  readonly entries: number;
}

/** Stands for the time of the last use in a vault that was removed: it is found by the search for unused ones. */
const GONE = -1;

export function vaultStatementsOf(db: DatabaseSync) {
  const sql = {
    find: db.prepare("SELECT root_hash, used_ms, number, entries FROM vaults WHERE key = ?"),
    insert: db.prepare("INSERT INTO vaults (key, root_hash, created_ms, used_ms) VALUES (?1, ?2, ?3, ?3)"),
    use: db.prepare("UPDATE vaults SET used_ms = ? WHERE key = ? AND used_ms >= 0"),
    grow: db.prepare("UPDATE vaults SET number = number + 1, entries = entries + ? WHERE key = ? RETURNING number"),
    gone: db.prepare(`UPDATE vaults SET used_ms = ${GONE} WHERE key = ? AND used_ms >= 0`),
    delete: db.prepare("DELETE FROM vaults WHERE key = ?"),
    unused: db.prepare("SELECT key FROM vaults WHERE used_ms < ?"),
    count: db.prepare("UPDATE vault_usage SET vaults = vaults + ?"),
    addBytes: db.prepare("UPDATE vault_usage SET bytes = bytes + ?1 WHERE ?1 <= 0 OR bytes + ?1 <= ?2"),
    usage: db.prepare("SELECT vaults, bytes FROM vault_usage"),
    devices: db.prepare(
      "SELECT device, token_hash, name, added_ms, seen_ms, revoked FROM devices WHERE vault = ? ORDER BY added_ms, device",
    ),
    insertDevice: db.prepare(
      "INSERT INTO devices (vault, device, token_hash, name, added_ms, seen_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
    ),
    revoke: db.prepare("UPDATE devices SET revoked = 1 WHERE vault = ? AND device = ?"),
    forgetDevice: db.prepare("DELETE FROM devices WHERE vault = ? AND device = ?"),
    forgetDevices: db.prepare("DELETE FROM devices WHERE vault = ?"),
    saw: db.prepare("UPDATE devices SET seen_ms = ? WHERE vault = ? AND device = ?"),
    entryBytes: db.prepare("SELECT coalesce(length(sealed), 0) AS bytes FROM entries WHERE vault = ? AND entry = ?"),
    setEntry: db.prepare("INSERT OR REPLACE INTO entries (vault, entry, number, sealed) VALUES (?, ?, ?, ?)"),
    oldestRemoved: db.prepare("SELECT entry FROM entries WHERE vault = ? AND sealed IS NULL ORDER BY number LIMIT 1"),
    forgetEntry: db.prepare("DELETE FROM entries WHERE vault = ? AND entry = ?"),
    entriesAfter: db.prepare(
      "SELECT entry, number, sealed FROM entries WHERE vault = ? AND number > ? ORDER BY number LIMIT ?",
    ),
    someEntries: db.prepare("SELECT entry, coalesce(length(sealed), 0) AS bytes FROM entries WHERE vault = ? LIMIT ?"),
  };

  return {
    /** A vault that was not removed. */
    find(key: VaultKey): VaultRow | undefined {
      const row = sql.find.get(key) as VaultRow | undefined;
      return row?.used_ms === GONE ? undefined : row;
    },
    insert(key: VaultKey, rootHash: Bytes, nowMs: number): void {
      sql.insert.run(key, rootHash, nowMs);
      sql.count.run(1);
    },
    use: (key: VaultKey, nowMs: number) => void sql.use.run(nowMs, key),
    /** Takes the next number. @param entries how many more there are */
    grow: (key: VaultKey, entries: number) => Number(sql.grow.get(entries, key)?.["number"]),
    /** Marks it as removed. */
    gone(key: VaultKey): void {
      if (sql.gone.run(key).changes === 1) sql.count.run(-1);
    },
    /** Removes up to `limit` entries of a vault, and then itself; gives how many entries there were. */
    erase(key: VaultKey, limit: number): number {
      const rows = sql.someEntries.all(key, limit);
      let bytes = 0;
      for (const row of rows) {
        sql.forgetEntry.run(key, row["entry"] as string);
        bytes += Number(row["bytes"]);
      }
      sql.addBytes.run(-bytes, 0);
      if (rows.length === limit) return rows.length;
      sql.forgetDevices.run(key);
      sql.delete.run(key);
      return 0;
    },
    unused: (sinceMs: number) => sql.unused.all(sinceMs).map((row) => row["key"] as VaultKey),
    /** False when that would be more than `max`. */
    addBytes: (bytes: number, max: number) => sql.addBytes.run(bytes, max).changes === 1,
    usage: () => sql.usage.get() as unknown as VaultUsage,
    devices: (key: VaultKey): readonly StoredDevice[] =>
      sql.devices.all(key).map((row) => ({
        device: row["device"] as string,
        tokenHash: row["token_hash"] as Bytes,
        name: toBase64url(row["name"] as Bytes),
        addedAtMs: Number(row["added_ms"]),
        seenAtMs: Number(row["seen_ms"]),
        isRevoked: row["revoked"] === 1,
      })),
    insertDevice: (key: VaultKey, device: string, tokenHash: Bytes, name: Bytes, nowMs: number) =>
      void sql.insertDevice.run(key, device, tokenHash, name, nowMs),
    revoke: (key: VaultKey, device: string) => void sql.revoke.run(key, device),
    forgetDevice: (key: VaultKey, device: string) => void sql.forgetDevice.run(key, device),
    saw: (key: VaultKey, device: string, nowMs: number) => void sql.saw.run(nowMs, key, device),
    /** Bytes of an entry, 0 of one that was removed; undefined for one that never was. */
    entryBytes: (key: VaultKey, entry: string) =>
      (sql.entryBytes.get(key, entry) as { bytes: number } | undefined)?.bytes,
    setEntry: (key: VaultKey, entry: string, number: number, sealed: Bytes | null) =>
      void sql.setEntry.run(key, entry, number, sealed),
    /** Forgets that an entry was removed, the one that was removed first; false when none was. */
    forgetRemoved(key: VaultKey): boolean {
      const row = sql.oldestRemoved.get(key);
      return row !== undefined && sql.forgetEntry.run(key, row["entry"] as string).changes === 1;
    },
    entriesAfter: (key: VaultKey, after: number, limit: number): readonly VaultEntry[] =>
      sql.entriesAfter.all(key, after, limit).map((row) => ({
        entry: row["entry"] as string,
        number: Number(row["number"]),
        sealed: row["sealed"] === null ? null : toBase64url(row["sealed"] as Bytes),
      })),
  };
}
