/**
 * The real store under the model's commands, with the portals above it that decide what is stored.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../../core/failure.ts";
import { MIB } from "../../core/units.ts";
import type { ObjectKind, SealedObject } from "../../core/wire/object.ts";
import { ByteBudget } from "../../relay-server/src/byte-budget.ts";
import type { LivePortal } from "../../relay-server/src/portal/live-portal.ts";
import { Portals, TOMBSTONE_MS } from "../../relay-server/src/portal/portals.ts";
import type { Reader } from "../../relay-server/src/portal/reader.ts";
import { Scrubber } from "../../relay-server/src/portal/scrubber.ts";
import { openSqliteStore } from "../../relay-server/src/store/sqlite-store.ts";
import type { NewPortal, Store } from "../../relay-server/src/store/store.ts";
import { newPortal } from "../contract/store-suite.ts";
import { sealed } from "../integration/relay-client.ts";
import { type LeaseKind, MODEL_LIMITS } from "./store-model.ts";

export const SLOTS = 3;
export const INDEXES = 4;
/** Where a flush costs nothing: this test asks for order and truth, the power cut is another's. */
const FOLDER = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

const REQUESTS = Array.from({ length: SLOTS }, () => newPortal({ expirySeconds: 1e9, maxDownloads: 3 }));
const OBJECTS = new Map<string, SealedObject>();
for (const kind of ["pack", "page"] as const)
  for (let index = 0; index < INDEXES; index++)
    // Even ones live in the database, odd ones in files.
    for (const variant of [0, 1])
      OBJECTS.set(`${kind} ${index} ${variant}`, sealed(kind, index, (index % 2 === 0 ? 2_000 : 25_000) + index, true));

export function objectOf(kind: ObjectKind, index: number, variant: number): SealedObject {
  const object = OBJECTS.get(`${kind} ${index} ${variant}`);
  if (object === undefined) throw new Error("no such object");
  return object;
}

export class Real {
  readonly #dataDir: string;
  #nowMs = 2_000_000;
  store: Store;
  portals: Portals;

  private constructor(dataDir: string, store: Store) {
    this.#dataDir = dataDir;
    this.store = store;
    this.portals = this.#portals();
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  static async open(): Promise<Real> {
    const dataDir = await mkdtemp(join(FOLDER, "warp-model-"));
    return new Real(dataDir, await openSqliteStore({ ...MODEL_LIMITS, dataDir, minFreeBytes: 0 }));
  }

  #portals(): Portals {
    return new Portals(
      { store: this.store, budget: new ByteBudget(MIB) },
      { now: () => this.#nowMs, steady: () => this.#nowMs },
    );
  }

  async restart(): Promise<void> {
    await this.store.close();
    this.store = await openSqliteStore({ ...MODEL_LIMITS, dataDir: this.#dataDir, minFreeBytes: 0 });
    this.portals = this.#portals();
  }

  async forgetEnded(): Promise<void> {
    this.#nowMs += TOMBSTONE_MS + 1;
    await this.portals.sweep();
  }

  /** @throws Failure `portal/expired` */
  async live(slot: number): Promise<LivePortal> {
    const found = await this.portals.find(requestOf(slot).key);
    if (found?.live === undefined) throw new Failure("portal/expired");
    return found.live;
  }

  /** Who opened the portal's one link. */
  reader(live: LivePortal): Reader {
    return this.portals.reader(live, live.stored.links[0]?.link ?? null);
  }

  async upload(slot: number, { header, bytes }: SealedObject, lease: LeaseKind): Promise<void> {
    const live = await this.live(slot);
    const upload = await this.portals.upload(live, header, leaseNumber(live, lease));
    for (const slice of [bytes.subarray(0, 999), bytes.subarray(999)]) await upload.push(slice);
    await upload.finish();
  }

  /** Gives the bytes when they are served. */
  async read(slot: number, kind: ObjectKind, index: number): Promise<Uint8Array> {
    const source = await this.portals.open(await this.live(slot), kind, index);
    const bytes = new Uint8Array(source.header.length);
    await source.read([bytes], 0);
    source.close();
    return bytes;
  }

  async rot(slot: number, kind: ObjectKind, index: number): Promise<void> {
    const { key } = requestOf(slot);
    const name = kind === "pack" ? String(index) : `${index}.page`;
    const file = await open(join(this.#dataDir, "blobs", key.slice(0, 2), key, name), "r+");
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, 4711);
    await file.write(Buffer.of((byte[0] ?? 0) ^ 4), 0, 1, 4711);
    await file.close();
  }

  scrub(): Promise<{ damaged: number }> {
    const nothing = () => undefined;
    const handlers = { onChecked: nothing, onPass: nothing, onBug: nothing };
    return new Scrubber({ store: this.store, portals: this.portals, periodMs: 0, ...handlers }).pass();
  }

  async close(): Promise<void> {
    await this.store.close();
    await rm(this.#dataDir, { recursive: true });
  }
}

export function requestOf(slot: number): NewPortal {
  const request = REQUESTS[slot];
  if (request === undefined) throw new Error("no such slot");
  return request;
}

export function leaseNumber({ stored }: LivePortal, lease: LeaseKind): number {
  return stored.lease + { held: 0, older: -1, "never given": 1 }[lease];
}
