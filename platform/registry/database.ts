/**
 * The database of what this browser remembers of portals. Everything in it is sealed with keys that cannot be exported and lie
 * in it too; rows are found by names that tell nothing.
 *
 * @module
 */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import { Failure } from "../../core/failure.ts";
import { createSealKey } from "../journal/sealed.ts";

/** The keys of this database, not extractable. */
export interface RegistryKeys {
  /** AES-256-GCM */
  readonly seal: CryptoKey;
  /** HMAC-SHA-256, for the names of rows. */
  readonly names: CryptoKey;
}

/** Keys of the identity, not extractable. */
export interface IdentityKeys {
  readonly seal: CryptoKey;
  readonly names: CryptoKey;
  /** HMAC-SHA-256 behind this device's token. */
  readonly device: CryptoKey;
}

/** One thing that is kept, sealed for its place. */
export interface SealedRow {
  readonly name: string;
  readonly sealed: Uint8Array;
  /** Of an identity alone. */
  readonly keys?: IdentityKeys;
}

interface Tables extends DBSchema {
  keys: { key: "own"; value: RegistryKeys };
  portals: { key: string; value: SealedRow };
  settings: { key: string; value: SealedRow };
  /** Names of vault entries that are to be removed there. */
  removals: { key: string; value: string };
}

/** The open database. */
export type Registry = IDBPDatabase<Tables>;

const NAME = "warp-portals";
const WRITE_LOCK = "warp-portals/write";

let opened: Promise<Registry> | undefined;

/** Opens it once for each thread. */
function database(): Promise<Registry> {
  opened ??= openDB<Tables>(NAME, 1, {
    upgrade(db) {
      db.createObjectStore("keys");
      db.createObjectStore("portals", { keyPath: "name" });
      db.createObjectStore("settings", { keyPath: "name" });
      db.createObjectStore("removals");
    },
    terminated() {
      opened = undefined;
    },
  }).catch((cause: unknown) => {
    opened = undefined;
    throw cause;
  });
  return opened;
}

/** Reads. @throws Failure `journal/damaged` where the browser keeps nothing */
export async function readRegistry<T>(use: (db: Registry, keys: RegistryKeys) => Promise<T>): Promise<T> {
  try {
    const db = await database();
    return await use(db, await keysOf(db));
  } catch (cause) {
    throw cause instanceof Failure ? cause : new Failure("journal/damaged", { what: "registry" }, { cause });
  }
}

/**
 * Reads and writes, one at a time over all tabs: sealing takes turns of the event loop, which no transaction outlives.
 * @throws Failure `journal/damaged`
 */
export async function changeRegistry<T>(use: (db: Registry, keys: RegistryKeys) => Promise<T>): Promise<T> {
  try {
    return await navigator.locks.request(WRITE_LOCK, () => readRegistry(use));
  } catch (cause) {
    throw cause instanceof Failure ? cause : new Failure("journal/damaged", { what: "registry" }, { cause });
  }
}

/** Not remembered between two uses: another tab may clear everything. */
async function keysOf(db: Registry): Promise<RegistryKeys> {
  const found = await db.get("keys", "own");
  if (found !== undefined) return found;
  const seal = await createSealKey();
  const names = await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const made = db.transaction("keys", "readwrite", { durability: "strict" });
  const keys = (await made.store.get("own")) ?? { seal, names };
  await made.store.put(keys, "own");
  await made.done;
  return keys;
}
