/**
 * The database of journals in the browser: a head for each transfer, and its records one after the other.
 *
 * @module
 */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import { Failure } from "../../core/failure.ts";

/** What a journal is about: a portal, and which side of it. */
export type JournalKind = "send" | "receive";

/** What of a transfer does not change. */
export interface JournalHead {
  readonly kind: JournalKind;
  /** The portal's id, base64url. */
  readonly portal: string;
  readonly relayOrigin: string;
  /** Of a send: origins of further relays where its portal may live; some may not have taken it. */
  readonly relays: readonly string[];
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  /** Not extractable; by what they are for. */
  readonly keys: Readonly<Record<string, CryptoKey>>;
  readonly handles: readonly FileSystemHandle[];
  /** Of a receive: the download that all its attempts are, u8[16]. */
  readonly claim?: Uint8Array<ArrayBuffer>;
}

/** A head as it is kept. */
export interface HeadRow extends JournalHead {
  readonly sealKey: CryptoKey;
  /** The note, sealed. */
  readonly note: Uint8Array;
}

interface RecordRow {
  readonly kind: JournalKind;
  readonly portal: string;
  readonly number: number;
  readonly sealed: Uint8Array;
}

interface Tables extends DBSchema {
  heads: { key: [string, string]; value: HeadRow };
  records: { key: [string, string, number]; value: RecordRow };
}

/** The open database. */
export type Database = IDBPDatabase<Tables>;

/** Name of the database; the page looks for it before it starts a worker to read it. */
const NAME = "warp-journal";

let opened: Promise<Database> | undefined;

/** Opens it once for each thread. @throws Failure `journal/damaged` where the browser keeps nothing */
export function database(): Promise<Database> {
  opened ??= openDB<Tables>(NAME, 1, {
    upgrade(db) {
      db.createObjectStore("heads", { keyPath: ["kind", "portal"] });
      db.createObjectStore("records", { keyPath: ["kind", "portal", "number"] });
    },
    terminated() {
      opened = undefined;
    },
  }).catch((cause: unknown) => {
    opened = undefined;
    throw new Failure("journal/damaged", { what: "database" }, { cause });
  });
  return opened;
}

/** Runs a use of the database. @throws Failure `journal/damaged` */
export async function withDatabase<T>(use: (db: Database) => Promise<T>): Promise<T> {
  const db = await database();
  try {
    return await use(db);
  } catch (cause) {
    throw cause instanceof Failure ? cause : new Failure("journal/damaged", { what: "database" }, { cause });
  }
}

/** Keys of all records of one journal. */
export function recordRange(kind: JournalKind, portal: string, from = 0): IDBKeyRange {
  return IDBKeyRange.bound([kind, portal, from], [kind, portal, Number.POSITIVE_INFINITY]);
}
