import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import type { SealedObject } from "../../core/wire/object.ts";
import { portalKey } from "../../relay-server/src/bytes.ts";
import { openSqliteStore } from "../../relay-server/src/store/sqlite-store.ts";
import { random, sealed } from "../integration/relay-client.ts";
import { firstLink } from "./store-access-suite.ts";
import { codeOf, LIMITS, newPortal, readObject, storeObject } from "./store-suite.ts";

describe("data directories", () => {
  it.each([1, 2] as const)(
    "[RELAY-46] written by a relay of version %i are taken over: its portals, whose links open nothing any more, end",
    async (version) => {
      const dataDir = await mkdtemp(join(tmpdir(), "warp-store-"));
      try {
        const [key, ended] = [portalKey(random(16)), portalKey(random(16))];
        writeOldVersion(join(dataDir, "relay.db"), version, [key, ended], sealed("page", 0, 300));
        const options = { ...LIMITS, dataDir, minFreeBytes: 0 };
        const store = await openSqliteStore(options);
        expect(store.usage()).toEqual({ portals: 0, bytes: 300 });
        expect(await store.loadPortal(key)).toMatchObject({
          endReason: "removed",
          endedAtMs: 1000,
          bytes: 300,
          links: [],
        });
        expect((await store.loadPortal(ended))?.endedAtMs).toBe(2000);
        await store.forgetEnded(1500);
        expect(store.usage()).toEqual({ portals: 0, bytes: 0 });
        expect(await store.loadPortal(key)).toBeUndefined();
        expect(await store.loadPortal(ended)).toBeDefined();
        const portal = newPortal();
        await store.createPortal(portal);
        const page = sealed("page", 0, 300);
        await storeObject(store, portal, page);
        await store.access.takeClaim({ key: portal.key, link: firstLink(portal), claim: random(16) }, 0, 10);
        await store.close();
        const again = await openSqliteStore(options);
        await readObject(again, portal, page);
        expect(again.usage()).toEqual({ portals: 1, bytes: 300 });
        await again.close();
        const db = new DatabaseSync(join(dataDir, "relay.db"));
        expect(db.prepare("PRAGMA foreign_key_check").all()).toEqual([]);
        const refersTo = db
          .prepare("SELECT sql FROM sqlite_schema WHERE name IN ('objects', 'links', 'downloads')")
          .all();
        for (const { sql } of refersTo) expect(sql).toContain("REFERENCES portals (key)");
        db.close();
      } finally {
        await rm(dataDir, { recursive: true });
      }
    },
  );

  it("[RELAY-46, RELAY-76] written by a relay of version 3 are taken over whole: none of its portals is partial", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "warp-store-"));
    try {
      const options = { ...LIMITS, dataDir, minFreeBytes: 0 };
      const [portal, page] = [newPortal(), sealed("page", 0, 300)];
      const before = await openSqliteStore(options);
      await before.createPortal(portal);
      await storeObject(before, portal, page);
      await before.close();
      const db = new DatabaseSync(join(dataDir, "relay.db"));
      // All that version 4 added.
      db.exec("ALTER TABLE portals DROP COLUMN partial; PRAGMA user_version = 3");
      db.close();
      const store = await openSqliteStore(options);
      expect(await store.loadPortal(portal.key)).toMatchObject({ isPartial: false, lease: 1, endedAtMs: null });
      await readObject(store, portal, page);
      const partial = newPortal({ isPartial: true });
      await store.createPortal(partial);
      await store.close();
      const again = await openSqliteStore(options);
      expect((await again.loadPortal(partial.key))?.isPartial).toBe(true);
      expect((await again.loadPortal(portal.key))?.isPartial).toBe(false);
      await again.close();
    } finally {
      await rm(dataDir, { recursive: true });
    }
  });

  it("[RELAY-34] written by a relay of a later version are left alone", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "warp-store-"));
    try {
      const db = new DatabaseSync(join(dataDir, "relay.db"));
      db.exec("PRAGMA user_version = 99");
      db.close();
      expect(await codeOf(openSqliteStore({ ...LIMITS, dataDir, minFreeBytes: 0 }))).toBe("relay/version");
    } finally {
      await rm(dataDir, { recursive: true });
    }
  });
});

/** The tables as older versions made them, with one portal and one small page in it, and one that has ended. */
function writeOldVersion(
  path: string,
  version: 1 | 2,
  [key, ended]: readonly [string, string],
  { header, bytes }: SealedObject,
): void {
  const db = new DatabaseSync(path);
  const since2 = (sql: string) => (version === 2 ? sql : "");
  db.exec(`
    CREATE TABLE portals (
      key TEXT PRIMARY KEY, key_commitment BLOB NOT NULL, read_hash BLOB NOT NULL, owner_hash BLOB NOT NULL,
      password TEXT, max_downloads INTEGER, expiry_seconds INTEGER NOT NULL, created_ms INTEGER NOT NULL,
      expires_ms INTEGER NOT NULL, ended_ms INTEGER, downloads INTEGER NOT NULL DEFAULT 0,
      bytes INTEGER NOT NULL DEFAULT 0, ${since2("lease INTEGER NOT NULL DEFAULT 1,")}
      packs INTEGER, pages INTEGER, root BLOB
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX portals_by_expiry ON portals (expires_ms) WHERE ended_ms IS NULL;
    CREATE INDEX portals_by_end ON portals (ended_ms) WHERE ended_ms IS NOT NULL;
    CREATE TABLE objects (
      portal TEXT NOT NULL REFERENCES portals (key), kind INTEGER NOT NULL CHECK (kind IN (1, 2)),
      number INTEGER NOT NULL, final INTEGER NOT NULL CHECK (final IN (0, 1)), length INTEGER NOT NULL,
      hash BLOB NOT NULL, inside INTEGER NOT NULL CHECK (inside IN (0, 1)), corrupt INTEGER NOT NULL DEFAULT 0,
      ${since2("repairs INTEGER NOT NULL DEFAULT 0,")}
      bytes BLOB, UNIQUE (portal, kind, number)
    ) STRICT;
    ${since2("CREATE INDEX objects_damaged ON objects (portal, kind, number) WHERE corrupt = 1;")}
    CREATE TABLE downloads (
      portal TEXT NOT NULL REFERENCES portals (key), claim BLOB NOT NULL, PRIMARY KEY (portal, claim)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE usage (
      one INTEGER PRIMARY KEY CHECK (one = 1), portals INTEGER NOT NULL, bytes INTEGER NOT NULL,
      probes INTEGER NOT NULL${since2(", scrub_place INTEGER NOT NULL DEFAULT 0")}
    ) STRICT;
    INSERT INTO usage (one, portals, bytes, probes) VALUES (1, 1, 300, 0);
    PRAGMA foreign_keys = ON;
    PRAGMA user_version = ${version}`);
  const portal = db.prepare(
    `INSERT INTO portals (key, key_commitment, read_hash, owner_hash, expiry_seconds, created_ms, expires_ms, ended_ms, bytes)
     VALUES (?, x'01', x'02', x'03', 3600, 1000, 3601000, ?, ?)`,
  );
  portal.run(key, null, 300);
  portal.run(ended, 2000, 0);
  db.prepare(
    "INSERT INTO objects (portal, kind, number, final, length, hash, inside, bytes) VALUES (?, 2, 0, 0, 300, ?, 1, ?)",
  ).run(key, header.hash, bytes);
  db.prepare("INSERT INTO downloads (portal, claim) VALUES (?, x'00')").run(key);
  db.close();
}
