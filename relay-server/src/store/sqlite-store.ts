/**
 * The embedded store: rows in SQLite, packs in files, small objects in rows. The row is the truth: it is committed after
 * the bytes are durable, and what has no row does not exist.
 *
 * @module
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Failure } from "../../../core/failure.ts";
import type { Commitment } from "../../../core/wire/frame.ts";
import type { ObjectHeader, ObjectKind } from "../../../core/wire/object.ts";
import type { PortalKey } from "../bytes.ts";
import type { FileCalls } from "./file-calls.ts";
import { GroupCommit } from "./group-commit.ts";
import { FileObject, type ObjectKeeper, RowObject } from "./incoming-object.ts";
import { bytesSource, fileSource, verifySource } from "./object-source.ts";
import { fileName, PackFiles } from "./pack-files.ts";
import { Room } from "./room.ts";
import { prepareDatabase } from "./schema.ts";
import { statementsOf, toStoredPortal } from "./statements.ts";
import { isAbsent, storageFailure } from "./storage-failure.ts";
import type { FoundObject, IncomingObject, NewPortal, ObjectSource, Store, StoredPortal, StoreUsage } from "./store.ts";

/** Objects up to this size live in the database: one durable write instead of three. */
const INSIDE_BYTES = 16 * 1024;
/** Rows that one change may remove, so that the thread is not held for long. */
const REMOVE_ROWS = 2000;

export interface StoreOptions {
  readonly dataDir: string;
  readonly maxPortalBytes: number;
  readonly maxStoreBytes: number;
  readonly maxPortals: number;
  /** Bytes that stay free on the disk. */
  readonly minFreeBytes: number;
  /** Replaced in tests that make the disk fail. */
  readonly files?: FileCalls;
}

/** Opens (or makes) the store. @throws Failure `relay/busy` when another process uses the directory */
export async function openSqliteStore(options: StoreOptions): Promise<Store> {
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const db = new DatabaseSync(join(options.dataDir, "relay.db"));
  try {
    prepareDatabase(db);
    const store = new SqliteStore(db, options);
    await store.prepare();
    return store;
  } catch (error) {
    db.close();
    throw storageFailure(error);
  }
}

class SqliteStore implements Store, ObjectKeeper {
  readonly #db: DatabaseSync;
  readonly #sql: ReturnType<typeof statementsOf>;
  readonly #options: StoreOptions;
  readonly #changes: GroupCommit;
  readonly #room: Room;
  readonly files: PackFiles;
  readonly #unfinished = new Set<Promise<unknown>>();

  constructor(db: DatabaseSync, options: StoreOptions) {
    this.#db = db;
    this.#options = options;
    this.#sql = statementsOf(db);
    this.#changes = new GroupCommit(db);
    this.files = new PackFiles(options.dataDir, options.files);
    this.#room = new Room(options);
  }

  async prepare(): Promise<void> {
    await this.files.prepare();
    await this.files.sweep((key, name) => {
      const kind = name.endsWith(".page") ? "page" : "pack";
      const index = Number.parseInt(name, 10);
      if (!Number.isSafeInteger(index) || fileName(kind, index) !== name) return false;
      return this.#sql.findObject(key as PortalKey, kind, index)?.inside === 0;
    });
  }

  createPortal(portal: NewPortal): Promise<{ created: boolean; portal: StoredPortal }> {
    return this.#changes.submit(() => {
      const existing = this.#sql.findPortal(portal.key);
      if (existing !== undefined) {
        const stored = toStoredPortal(existing);
        if (!sameRequest(stored, portal)) throw new Failure("portal/taken");
        if (stored.endedAtMs !== null) throw new Failure("portal/expired");
        return { created: false, portal: stored };
      }
      if (this.usage().portals >= this.#options.maxPortals) throw new Failure("relay/full", { what: "portals" });
      this.#sql.insertPortal(portal);
      return { created: true, portal: { ...portal, downloads: 0, bytes: 0, commitment: null, endedAtMs: null } };
    });
  }

  async loadPortal(key: PortalKey): Promise<StoredPortal | undefined> {
    const row = this.#sql.findPortal(key);
    return row && toStoredPortal(row);
  }

  async heldIndexes(key: PortalKey, kind: ObjectKind): Promise<readonly number[]> {
    return this.#sql.heldIndexes(key, kind);
  }

  async find(key: PortalKey, kind: ObjectKind, index: number): Promise<FoundObject | undefined> {
    return this.#sql.findObject(key, kind, index);
  }

  packHashes(key: PortalKey): Iterable<Uint8Array<ArrayBuffer>> {
    return this.#sql.packHashes(key);
  }

  async receive(key: PortalKey, header: ObjectHeader): Promise<IncomingObject> {
    const portal = this.#sql.findPortal(key);
    if (portal === undefined || portal.ended_ms !== null) throw new Failure("portal/expired");
    await this.#room.reserve(key, header.length, { portalBytes: portal.bytes, storeBytes: this.usage().bytes });
    try {
      if (header.length <= INSIDE_BYTES) return new RowObject(this, key, header);
      return new FileObject(this, key, header, await this.files.begin());
    } catch (error) {
      this.#room.give(key, header.length);
      throw storageFailure(error);
    }
  }

  /** Lists an object whose bytes are durable, or come as `inside`. */
  async list(key: PortalKey, header: ObjectHeader, inside: Uint8Array | null): Promise<void> {
    await this.#changes.submit(() => {
      this.#sql.removeCorrupt(key, header);
      if (!this.#sql.addPortalBytes(key, header.length, this.#options.maxPortalBytes)) {
        const ended = this.#sql.findPortal(key)?.ended_ms !== null;
        throw new Failure(ended ? "portal/expired" : "portal/full");
      }
      if (!this.#sql.addStoreBytes(header.length, this.#options.maxStoreBytes)) throw new Failure("relay/full");
      this.#sql.insertObject(key, header, inside);
    });
  }

  release(key: PortalKey, bytes: number): void {
    this.#room.give(key, bytes);
  }

  track<T>(work: Promise<T>): Promise<T> {
    this.#unfinished.add(work);
    work.catch(() => undefined).finally(() => this.#unfinished.delete(work));
    return work;
  }

  async open(key: PortalKey, kind: ObjectKind, index: number): Promise<ObjectSource> {
    const found = this.#sql.findObject(key, kind, index);
    if (found === undefined) throw new Failure("object/absent");
    if (found.corrupt) throw new Failure("object/corrupt");
    try {
      const inside = found.inside === 1 ? this.#sql.insideBytes(key, kind, index) : undefined;
      const source = inside
        ? bytesSource(found.header, inside)
        : fileSource(found.header, await this.files.open(key, kind, index));
      return await verifySource(source);
    } catch (error) {
      const failure = isAbsent(error) ? new Failure("object/corrupt", {}, { cause: error }) : storageFailure(error);
      // A portal that ended meanwhile lost its files on purpose.
      if (this.#sql.findObject(key, kind, index) === undefined) throw new Failure("object/absent");
      if (failure.code === "object/corrupt") await this.#changes.submit(() => this.#sql.markCorrupt(key, kind, index));
      throw failure;
    }
  }

  commitPortal(key: PortalKey, commitment: Commitment): Promise<void> {
    return this.#changes.submit(() => this.#sql.commitPortal(key, commitment));
  }

  countDownload(key: PortalKey, claim: Uint8Array): Promise<number> {
    return this.#changes.submit(() => this.#sql.countDownload(key, claim));
  }

  async endPortal(key: PortalKey, endedAtMs: number): Promise<void> {
    await this.#changes.submit(() => this.#sql.endPortal(key, endedAtMs));
    while ((await this.#changes.submit(() => this.#sql.removeObjects(key, REMOVE_ROWS))) > 0);
    await this.files.removePortal(key).catch((error: unknown) => {
      throw storageFailure(error);
    });
  }

  async overdue(nowMs: number): Promise<readonly PortalKey[]> {
    return this.#sql.overdue(nowMs);
  }

  async forgetEnded(beforeMs: number): Promise<void> {
    for (const key of this.#sql.endedBefore(beforeMs)) {
      // A process that died between the tombstone and the removal left files.
      await this.endPortal(key, beforeMs);
      await this.#changes.submit(() => this.#sql.forgetPortal(key));
    }
  }

  usage(): StoreUsage {
    return this.#sql.usage();
  }

  async probe(): Promise<void> {
    await this.#changes.submit(() => this.#sql.probe());
  }

  async close(): Promise<void> {
    while (this.#unfinished.size > 0) {
      this.#changes.flush();
      await Promise.race([Promise.allSettled(this.#unfinished), new Promise((resolve) => setTimeout(resolve, 5))]);
    }
    this.#changes.flush();
    this.#db.close();
  }
}

/** The same creation again: everything that the client chose is equal. */
function sameRequest(a: NewPortal, b: NewPortal): boolean {
  return (
    Buffer.compare(a.keyCommitment, b.keyCommitment) === 0 &&
    Buffer.compare(a.readTokenHash, b.readTokenHash) === 0 &&
    Buffer.compare(a.ownerTokenHash, b.ownerTokenHash) === 0 &&
    a.maxDownloads === b.maxDownloads &&
    a.expirySeconds === b.expirySeconds &&
    JSON.stringify(a.password) === JSON.stringify(b.password)
  );
}
