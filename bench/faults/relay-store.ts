/**
 * How fast the relay's embedded store lists packs, and how long it takes to say what a portal holds among millions of
 * others: what a relay does at each resume.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { portalKey } from "../../relay-server/src/bytes.ts";
import { openSqliteStore } from "../../relay-server/src/store/sqlite-store.ts";
import type { NewPortal, Store } from "../../relay-server/src/store/store.ts";

/** Transfers at a time, and packs that each has on its way: what a window holds. */
const TRANSFERS = 250;
const WINDOW_PACKS = 8;
const PACK_BYTES = 48;
const FIRST_LEASE = 1;
const QUERIES = 1000;

export interface StoreWish {
  readonly portals: number;
  readonly packsPerPortal: number;
  /** Where the store is made; the system's temporary folder when absent. */
  readonly folder?: string;
}

export interface StoreSpeed {
  readonly rows: number;
  readonly rowsPerSecond: number;
  /** The time in which 99 of 100 questions for all held packs of a portal are answered. */
  readonly resumeP99Ms: number;
  readonly databaseBytes: number;
  readonly residentBytes: number;
}

/** Fills a store, asks it, and removes it. Each pack is acknowledged by a durable commit, as in a relay. */
export async function measureStore({ portals, packsPerPortal, folder = tmpdir() }: StoreWish): Promise<StoreSpeed> {
  const dataDir = await mkdtemp(join(folder, "warp-rows-"));
  const limit = 2 ** 50;
  const limits = { maxPortalBytes: limit, maxStoreBytes: limit, maxPortals: portals, minFreeBytes: 0 };
  const store = await openSqliteStore({ ...limits, dataDir });
  try {
    const made = Array.from({ length: portals }, inventPortal);
    await Promise.all(made.map((portal) => store.createPortal(portal)));
    const started = performance.now();
    await storeAll(store, made, packsPerPortal);
    const seconds = (performance.now() - started) / 1000;
    const rows = portals * packsPerPortal;
    const resumeP99Ms = await askAll(store, made, packsPerPortal);
    const { size } = await stat(join(dataDir, "relay.db"));
    const residentBytes = process.memoryUsage.rss();
    return { rows, rowsPerSecond: rows / seconds, resumeP99Ms, databaseBytes: size, residentBytes };
  } finally {
    await store.close();
    await rm(dataDir, { recursive: true });
  }
}

/** Portals are filled one after the other, some hundred at a time, each in order. */
async function storeAll(store: Store, portals: readonly NewPortal[], packs: number): Promise<void> {
  const bytes = randomBytes(PACK_BYTES);
  const hash = Uint8Array.from(createHash("sha256").update(bytes).digest());
  const fill = async (portal: NewPortal): Promise<void> => {
    let index = 0;
    const work = async (): Promise<void> => {
      while (index < packs) {
        const header = { kind: "pack", index: index++, final: false, length: PACK_BYTES, hash } as const;
        const incoming = await store.receive(portal.key, header, FIRST_LEASE);
        await incoming.append([bytes]);
        await incoming.store();
      }
    };
    await Promise.all(Array.from({ length: WINDOW_PACKS }, work));
  };
  let next = 0;
  const fillSome = async (): Promise<void> => {
    for (let portal = portals[next++]; portal !== undefined; portal = portals[next++]) await fill(portal);
  };
  await Promise.all(Array.from({ length: TRANSFERS }, fillSome));
}

async function askAll(store: Store, portals: readonly NewPortal[], packs: number): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < QUERIES; n++) {
    const portal = portals[Math.floor(Math.random() * portals.length)];
    if (portal === undefined) break;
    const started = performance.now();
    const held = await store.heldIndexes(portal.key, "pack");
    await store.heldIndexes(portal.key, "page");
    times.push(performance.now() - started);
    if (held.length !== packs) throw new Error(`a portal holds ${held.length} packs instead of ${packs}`);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? Number.NaN;
}

function inventPortal(): NewPortal {
  const random = () => Uint8Array.from(randomBytes(32));
  return {
    key: portalKey(Uint8Array.from(randomBytes(16))),
    kind: "send",
    requestHash: random(),
    ownerTokenHash: random(),
    maxDownloads: null,
    expirySeconds: 3600,
    idleSeconds: null,
    links: [],
    isPartial: false,
    delivery: null,
    createdAtMs: 0,
    expiresAtMs: 3_600_000,
  };
}
