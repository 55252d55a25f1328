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
import type { EndReason } from "../../../core/portal/portal.ts";
import type { Commitment } from "../../../core/wire/frame.ts";
import type { ObjectHeader, ObjectKind } from "../../../core/wire/object.ts";
import { type PortalKey, sameBytes } from "../bytes.ts";
import { accessStatementsOf } from "./access-statements.ts";
import { Ballast } from "./ballast.ts";
import type { FileCalls } from "./file-calls.ts";
import { GroupCommit } from "./group-commit.ts";
import { Health, type HealthWatcher } from "./health.ts";
import { FileObject, type ObjectKeeper, RowObject } from "./incoming-object.ts";
import { Invites } from "./invites.ts";
import { fileName, PackFiles } from "./pack-files.ts";
import { Room } from "./room.ts";
import { prepareDatabase } from "./schema.ts";
import { SqliteAccess } from "./sqlite-access.ts";
import { SqliteVaults } from "./sqlite-vaults.ts";
import { statementsOf, toStoredPortal } from "./statements.ts";
import { storageFailure } from "./storage-failure.ts";
import type {
  FoundObject,
  IncomingObject,
  NewPortal,
  ObjectSource,
  PlacedObject,
  ScrubRange,
  Store,
  StoredPortal,
  StoreUsage,
} from "./store.ts";
import { StoredReader } from "./stored-reader.ts";

/** Objects up to this size live in the database: one durable write instead of three. */
const INSIDE_BYTES = 16 * 1024;
/** Changes that are refused first on a full disk. */
const GROWTH = { grows: true } as const;
/** Rows that one change may remove, so that the thread is not held for long. */
const REMOVE_ROWS = 2000;

export interface StoreOptions extends HealthWatcher {
  readonly dataDir: string;
  readonly maxPortalBytes: number;
  readonly maxStoreBytes: number;
  readonly maxPortals: number;
  /** Bytes that stay free on the disk. */
  readonly minFreeBytes: number;
  /** A stored object was found damaged; told once for each time. */
  onDamaged?(key: PortalKey, kind: ObjectKind): void;
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

class SqliteStore implements Store {
  readonly #db: DatabaseSync;
  readonly access: SqliteAccess;
  readonly vaults: SqliteVaults;
  readonly invites: Invites;
  readonly #sql: ReturnType<typeof statementsOf>;
  readonly #accessSql: ReturnType<typeof accessStatementsOf>;
  readonly #options: StoreOptions;
  readonly #changes: GroupCommit;
  readonly #room: Room;
  readonly #health: Health;
  readonly #ballast: Ballast;
  readonly #files: PackFiles;
  readonly #reader: StoredReader;
  readonly #unfinished = new Set<Promise<unknown>>();

  constructor(db: DatabaseSync, options: StoreOptions) {
    this.#db = db;
    this.#options = options;
    this.#sql = statementsOf(db);
    this.#accessSql = accessStatementsOf(db);
    this.#health = new Health(options);
    this.#ballast = new Ballast(options.dataDir, options.minFreeBytes);
    this.#changes = new GroupCommit(db, { health: this.#health, giveUpBallast: () => this.#ballast.giveUp() });
    this.access = new SqliteAccess({ portals: this.#sql, sql: this.#accessSql, changes: this.#changes });
    this.invites = new Invites(db, this.#changes);
    this.vaults = new SqliteVaults(db, {
      changes: this.#changes,
      invites: this.invites,
      maxStoreBytes: options.maxStoreBytes,
      checkRoom: () => this.#checkRoom(),
    });
    this.#files = new PackFiles(options.dataDir, options.files);
    const { onDamaged = () => {} } = options;
    this.#reader = new StoredReader({ sql: this.#sql, changes: this.#changes, files: this.#files, onDamaged });
    this.#room = new Room(options, this.#ballast);
  }

  async prepare(): Promise<void> {
    await this.#files.prepare().catch((error: unknown) => {
      // A folder takes room too; on a full disk the ballast has it.
      if (storageFailure(error).code !== "relay/full" || !this.#ballast.giveUp()) throw error;
      return this.#files.prepare();
    });
    await this.#files.sweep((key, name) => {
      const kind = name.endsWith(".page") ? "page" : "pack";
      const index = Number.parseInt(name, 10);
      if (!Number.isSafeInteger(index) || fileName(kind, index) !== name) return false;
      return this.#sql.findObject(key as PortalKey, kind, index)?.inside === 0;
    });
    this.#room.prepare();
  }

  async createPortal(
    portal: NewPortal,
    invite: Uint8Array<ArrayBuffer> | null = null,
  ): Promise<{ created: boolean; portal: StoredPortal }> {
    // A portal into which nothing could be stored helps nobody; one that exists is told even then.
    if (this.#sql.findPortal(portal.key) === undefined) await this.#checkRoom();
    return this.#changes.submit(() => {
      const existing = this.#findPortal(portal.key);
      if (existing !== undefined) {
        if (!sameBytes(existing.requestHash, portal.requestHash)) throw new Failure("portal/taken");
        if (existing.endedAtMs !== null) throw new Failure("portal/expired");
        return { created: false, portal: existing };
      }
      if (this.usage().portals >= this.#options.maxPortals) throw new Failure("relay/full", { what: "portals" });
      this.invites.use(invite, portal.createdAtMs);
      const { delivery } = portal;
      if (delivery !== null) this.access.takeUse(delivery);
      this.#sql.insertPortal(portal);
      for (const link of portal.links) this.#accessSql.insertLink(portal.key, link, portal.createdAtMs);
      const created = this.#findPortal(portal.key);
      if (created === undefined) throw new Error("a portal that was just inserted is not there");
      return { created: true, portal: created };
    }, GROWTH);
  }

  #findPortal(key: PortalKey): StoredPortal | undefined {
    const row = this.#sql.findPortal(key);
    return row && toStoredPortal(row, this.#accessSql.links(key));
  }

  async loadPortal(key: PortalKey): Promise<StoredPortal | undefined> {
    return this.#findPortal(key);
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

  async receive(key: PortalKey, header: ObjectHeader, lease: number): Promise<IncomingObject> {
    const portalBytes = this.#sql.portalBytes(key);
    if (portalBytes === undefined) throw new Failure("portal/expired");
    const found = this.#sql.findObject(key, header.kind, header.index);
    // Damaged bytes make room for what replaces them.
    const replaced = found?.corrupt === true ? found.header.length : 0;
    const held = { portalBytes: portalBytes - replaced, storeBytes: this.usage().bytes - replaced };
    await this.#room.reserve(key, header.length, held).catch((error: unknown) => this.#refuse(error));
    try {
      const keeper = this.#keeper(lease);
      if (header.length <= INSIDE_BYTES) return new RowObject(keeper, key, header);
      return new FileObject(keeper, key, header, await this.#files.begin());
    } catch (error) {
      this.#room.give(key, header.length);
      return this.#refuse(error);
    }
  }

  /** @throws Failure `relay/full` when the disk has no room for anything new */
  async #checkRoom(): Promise<void> {
    await this.#room.check().catch((error: unknown) => this.#refuse(error));
  }

  /** Makes an error of the disk known. @throws Failure */
  #refuse(error: unknown): never {
    const failure = storageFailure(error);
    this.#health.failed(failure);
    throw failure;
  }

  /** What an object that comes under a lease needs of this store. */
  #keeper(lease: number): ObjectKeeper {
    return {
      files: this.#files,
      health: this.#health,
      list: (key, header, inside) => this.#list(key, header, inside, lease),
      release: (key, bytes) => this.#room.give(key, bytes),
      track: (work) => this.#track(work),
    };
  }

  /** Lists an object whose bytes are durable, or come as `inside`. */
  async #list(key: PortalKey, header: ObjectHeader, inside: Uint8Array | null, lease: number): Promise<void> {
    await this.#changes.submit(() => {
      const repairs = this.#sql.removeCorrupt(key, header);
      if (!this.#sql.addPortalBytes(key, header.length, this.#options.maxPortalBytes, lease)) {
        this.#assertLease(key, lease);
        throw new Failure("portal/full");
      }
      if (!this.#sql.addStoreBytes(header.length, this.#options.maxStoreBytes)) throw new Failure("relay/full");
      this.#sql.insertObject(key, header, inside, repairs);
    }, GROWTH);
  }

  /** @throws Failure `portal/expired` | `portal/lease-lost` */
  #assertLease(key: PortalKey, lease: number): void {
    const portal = this.#sql.findPortal(key);
    if (portal === undefined || portal.ended_ms !== null) throw new Failure("portal/expired");
    if (portal.lease !== lease) throw new Failure("portal/lease-lost");
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#unfinished.add(work);
    work.catch(() => undefined).finally(() => this.#unfinished.delete(work));
    return work;
  }

  open(key: PortalKey, kind: ObjectKind, index: number): Promise<ObjectSource> {
    return this.#reader.open(key, kind, index);
  }

  commitPortal(key: PortalKey, commitment: Commitment, lease: number): Promise<void> {
    return this.#changes.submit(() => {
      if (!this.#sql.commitPortal(key, commitment, lease)) this.#assertLease(key, lease);
    });
  }

  takeLease(key: PortalKey, lease: number): Promise<void> {
    return this.#changes.submit(() => {
      if (!this.#sql.takeLease(key, lease)) this.#assertLease(key, lease - 1);
    });
  }

  async endPortal(key: PortalKey, endedAtMs: number, reason: EndReason): Promise<void> {
    await this.#changes.submit(() => this.#sql.endPortal(key, endedAtMs, reason));
    while ((await this.#changes.submit(() => this.#sql.removeObjects(key, REMOVE_ROWS))) > 0);
    await this.#files.removePortal(key).catch((error: unknown) => {
      throw storageFailure(error);
    });
  }

  async overdue(nowMs: number, idleMs: number): Promise<readonly PortalKey[]> {
    return this.#sql.overdue(nowMs, idleMs);
  }

  settleDates(nowMs: number, claimUntilMs: number): Promise<void> {
    return this.#changes.submit(() => this.#sql.settleDates(nowMs, claimUntilMs));
  }

  async forgetEnded(beforeMs: number): Promise<void> {
    // A process that died between the tombstone and the removal left objects.
    for (const key of this.#sql.halfEnded()) await this.endPortal(key, beforeMs, "removed");
    for (const key of this.#sql.endedBefore(beforeMs)) {
      await this.endPortal(key, beforeMs, "removed");
      await this.#changes.submit(() => this.#sql.forgetPortal(key));
    }
  }

  usage(): StoreUsage {
    return this.#sql.usage();
  }

  async objectsAfter(from: number, to: number, limit: number): Promise<readonly PlacedObject[]> {
    return this.#sql.objectsAfter(from, to, limit);
  }

  async scrubRange(): Promise<ScrubRange> {
    return this.#sql.scrubRange();
  }

  saveScrubPlace(place: number): Promise<void> {
    return this.#changes.submit(() => this.#sql.saveScrubPlace(place));
  }

  async probe(): Promise<void> {
    await this.#checkRoom();
    await this.#changes.submit(() => this.#sql.probe(), GROWTH);
  }

  async close(): Promise<void> {
    while (this.#unfinished.size > 0) {
      this.#changes.flush();
      await Promise.race([Promise.allSettled(this.#unfinished), new Promise((resolve) => setTimeout(resolve, 5))]);
    }
    this.#changes.flush();
    await this.#ballast.settled();
    this.#db.close();
  }
}
