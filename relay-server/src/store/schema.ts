/**
 * The tables of the embedded store. The key of a portal is its id in hexadecimal.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { Failure } from "../../../core/failure.ts";

const SCHEMA_VERSION = 2;

const SCHEMA = `
  CREATE TABLE portals (
    key TEXT PRIMARY KEY,
    key_commitment BLOB NOT NULL,
    read_hash BLOB NOT NULL,
    owner_hash BLOB NOT NULL,
    password TEXT,
    max_downloads INTEGER,
    expiry_seconds INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    ended_ms INTEGER,
    downloads INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    lease INTEGER NOT NULL DEFAULT 1,
    packs INTEGER,
    pages INTEGER,
    root BLOB
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX portals_by_expiry ON portals (expires_ms) WHERE ended_ms IS NULL;
  CREATE INDEX portals_by_end ON portals (ended_ms) WHERE ended_ms IS NOT NULL;

  CREATE TABLE objects (
    portal TEXT NOT NULL REFERENCES portals (key),
    kind INTEGER NOT NULL CHECK (kind IN (1, 2)),
    number INTEGER NOT NULL,
    final INTEGER NOT NULL CHECK (final IN (0, 1)),
    length INTEGER NOT NULL,
    hash BLOB NOT NULL,
    -- 1 when the bytes are in this row, 0 when they are in a file
    inside INTEGER NOT NULL CHECK (inside IN (0, 1)),
    corrupt INTEGER NOT NULL DEFAULT 0,
    -- grows when damaged bytes are replaced: whoever read the old ones says nothing about the new ones
    repairs INTEGER NOT NULL DEFAULT 0,
    bytes BLOB,
    UNIQUE (portal, kind, number)
  ) STRICT;
  -- what is held is read from the table's own index alone, without its rows, but for these
  CREATE INDEX objects_damaged ON objects (portal, kind, number) WHERE corrupt = 1;

  CREATE TABLE downloads (
    portal TEXT NOT NULL REFERENCES portals (key),
    claim BLOB NOT NULL,
    PRIMARY KEY (portal, claim)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE usage (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    portals INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    probes INTEGER NOT NULL,
    -- rowid of the object that the scrubber checked last
    scrub_place INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  INSERT INTO usage (one, portals, bytes, probes) VALUES (1, 0, 0, 0);
`;

/** What makes the database of an older version into one of the next; the first entry is for version 1. */
const MIGRATIONS = [
  `ALTER TABLE portals ADD COLUMN lease INTEGER NOT NULL DEFAULT 1;
   CREATE INDEX objects_damaged ON objects (portal, kind, number) WHERE corrupt = 1;
   ALTER TABLE objects ADD COLUMN repairs INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE usage ADD COLUMN scrub_place INTEGER NOT NULL DEFAULT 0`,
] as const;

/**
 * Prepares an open database: durability, exclusive use by this process, schema; one of an older version is migrated.
 * @throws Failure `relay/busy` when another process has it, `relay/version` when a newer relay wrote it
 */
export function prepareDatabase(db: DatabaseSync): void {
  try {
    db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA busy_timeout = 3000");
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
    db.exec("PRAGMA journal_size_limit = 16777216; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -4096");
    // In WAL mode the lock is taken by the first write.
    db.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    throw new Failure("relay/busy", { what: "data directory in use" }, { cause: error });
  }
  const version = Number(db.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (version === 0) db.exec(SCHEMA);
  else for (const migration of MIGRATIONS.slice(version - 1)) db.exec(migration);
  if (version < SCHEMA_VERSION) db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  db.exec("COMMIT");
  if (version > SCHEMA_VERSION) throw new Failure("relay/version", { found: version, known: SCHEMA_VERSION });
}
