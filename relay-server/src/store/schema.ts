/**
 * The tables of the embedded store. The key of a portal is its id in hexadecimal.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { Failure } from "../../../core/failure.ts";

const SCHEMA_VERSION = 4;

/** Tables as version 3 made them: what opens a portal stands in `links`, who downloads it in `downloads`. */
const PORTALS = `
  CREATE TABLE portals (
    key TEXT PRIMARY KEY,
    kind INTEGER NOT NULL CHECK (kind IN (1, 2)),
    -- SHA-256 of what the portal was created with: the same again is no conflict
    request_hash BLOB NOT NULL,
    owner_hash BLOB NOT NULL,
    max_downloads INTEGER,
    expiry_seconds INTEGER NOT NULL,
    idle_seconds INTEGER,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    used_ms INTEGER NOT NULL,
    paused INTEGER NOT NULL DEFAULT 0,
    ended_ms INTEGER,
    end_reason TEXT,
    downloads INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    lease INTEGER NOT NULL DEFAULT 1,
    packs INTEGER,
    pages INTEGER,
    root BLOB,
    -- a delivery: the request it is for, by which of its links it came, and its own link sealed for the request's owner
    request TEXT,
    request_link TEXT,
    offer BLOB
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX portals_by_expiry ON portals (expires_ms) WHERE ended_ms IS NULL;
  CREATE INDEX portals_by_idle ON portals (used_ms) WHERE ended_ms IS NULL AND idle_seconds IS NOT NULL;
  CREATE INDEX portals_by_end ON portals (ended_ms) WHERE ended_ms IS NOT NULL;
  CREATE INDEX portals_by_request ON portals (request) WHERE request IS NOT NULL;
  CREATE INDEX deliveries_by_use ON portals (used_ms) WHERE ended_ms IS NULL AND request IS NOT NULL AND packs IS NULL;

  CREATE TABLE links (
    portal TEXT NOT NULL REFERENCES portals (key),
    link TEXT NOT NULL,
    capability TEXT NOT NULL CHECK (capability IN ('read', 'write', 'admin')),
    token_hash BLOB NOT NULL,
    key_commitment BLOB NOT NULL,
    "grant" BLOB NOT NULL,
    password TEXT,
    max_uses INTEGER,
    uses INTEGER NOT NULL DEFAULT 0,
    from_ms INTEGER,
    until_ms INTEGER,
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (portal, link)
  ) STRICT, WITHOUT ROWID;
`;

/** Since version 4: a portal that may be committed while packs are missing. */
const PARTIAL = "ALTER TABLE portals ADD COLUMN partial INTEGER NOT NULL DEFAULT 0 CHECK (partial IN (0, 1))";

const DOWNLOADS = `
  CREATE TABLE downloads (
    portal TEXT NOT NULL REFERENCES portals (key),
    claim BLOB NOT NULL,
    link TEXT NOT NULL,
    -- null when it was completed; until then a claim that lapses
    until_ms INTEGER,
    PRIMARY KEY (portal, claim)
  ) STRICT, WITHOUT ROWID;
`;

const VAULTS = `
  CREATE TABLE vaults (
    key TEXT PRIMARY KEY,
    root_hash BLOB NOT NULL,
    created_ms INTEGER NOT NULL,
    used_ms INTEGER NOT NULL,
    -- number of its last change
    number INTEGER NOT NULL DEFAULT 0,
    entries INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX vaults_by_use ON vaults (used_ms);
  CREATE TABLE devices (
    vault TEXT NOT NULL REFERENCES vaults (key),
    device TEXT NOT NULL,
    token_hash BLOB NOT NULL,
    name BLOB NOT NULL,
    added_ms INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (vault, device)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE entries (
    vault TEXT NOT NULL REFERENCES vaults (key),
    entry TEXT NOT NULL,
    number INTEGER NOT NULL,
    -- null when it was removed
    sealed BLOB,
    PRIMARY KEY (vault, entry)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX entries_by_number ON entries (vault, number);

  -- one row: how much all vaults have
  CREATE TABLE vault_usage (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    vaults INTEGER NOT NULL,
    bytes INTEGER NOT NULL
  ) STRICT;
  INSERT INTO vault_usage (one, vaults, bytes) VALUES (1, 0, 0);

  CREATE TABLE invites (
    code_hash BLOB PRIMARY KEY,
    uses_left INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
`;

const SCHEMA = `
  ${PORTALS}
  ${PARTIAL};
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
  ${DOWNLOADS}
  ${VAULTS}
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

/**
 * What makes the database of an older version into one of the next; the first entry is for version 1. Links of versions 1 and
 * 2 gave the keys themselves and have no grant, so nothing can open what they made any more: with version 3 those portals end,
 * and their bytes go.
 */
const MIGRATIONS = [
  `ALTER TABLE portals ADD COLUMN lease INTEGER NOT NULL DEFAULT 1;
   CREATE INDEX objects_damaged ON objects (portal, kind, number) WHERE corrupt = 1;
   ALTER TABLE objects ADD COLUMN repairs INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE usage ADD COLUMN scrub_place INTEGER NOT NULL DEFAULT 0`,
  `DROP TABLE downloads;
   CREATE TEMP TABLE old_portals AS SELECT * FROM portals;
   DROP TABLE portals;
   ${PORTALS}
   INSERT INTO portals (key, kind, request_hash, owner_hash, max_downloads, expiry_seconds, created_ms, expires_ms, used_ms,
       ended_ms, end_reason, downloads, bytes, lease, packs, pages, root)
     SELECT key, 1, x'', owner_hash, max_downloads, expiry_seconds, created_ms, expires_ms, created_ms,
       coalesce(ended_ms, created_ms), 'removed', downloads, bytes, lease, packs, pages, root FROM old_portals;
   UPDATE usage SET portals = 0;
   DROP TABLE old_portals;
   ${DOWNLOADS}
   ${VAULTS}`,
  PARTIAL,
] as const;

/**
 * Prepares an open database: durability, exclusive use by this process, schema; one of an older version is migrated.
 * @throws Failure `relay/busy` when another process has it, `relay/version` when a newer relay wrote it
 */
export function prepareDatabase(db: DatabaseSync): void {
  try {
    db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA busy_timeout = 3000");
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    // A migration makes tables anew that others refer to. This cannot be changed inside of a transaction.
    db.exec("PRAGMA foreign_keys = OFF");
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
  db.exec("COMMIT; PRAGMA foreign_keys = ON");
  if (version > SCHEMA_VERSION) throw new Failure("relay/version", { found: version, known: SCHEMA_VERSION });
}
