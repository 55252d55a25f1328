/**
 * The relay's half of links with one portal, over carriers whose peers are the test.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LeaseWish } from "../../core/ports/link.ts";
import { MIB } from "../../core/units.ts";
import { PROTOCOL_VERSION } from "../../core/wire/frame.ts";
import { ByteBudget } from "../../relay-server/src/byte-budget.ts";
import { fromHex } from "../../relay-server/src/bytes.ts";
import { FIXED_LIMITS, Guard } from "../../relay-server/src/guard/guard.ts";
import { Link } from "../../relay-server/src/link/link.ts";
import { SlabPool } from "../../relay-server/src/link/slab-pool.ts";
import { Logger } from "../../relay-server/src/log.ts";
import { Metrics } from "../../relay-server/src/metrics.ts";
import { Portals } from "../../relay-server/src/portal/portals.ts";
import type { DownloadKey } from "../../relay-server/src/store/access.ts";
import { openSqliteStore } from "../../relay-server/src/store/sqlite-store.ts";
import type { Store } from "../../relay-server/src/store/store.ts";
import { newLink, newPortal } from "../contract/store-suite.ts";
import { random, sha256 } from "../integration/relay-client.ts";
import { FakeCarrier } from "./fake-carrier.ts";

/** A relay's links over carriers that the test drives, with one portal of theirs. */
export interface Stage extends AsyncDisposable {
  readonly portal: { readonly id: Uint8Array; readonly ownerToken: Uint8Array };
  /** Of the portal's read link. */
  readonly readToken: Uint8Array;
  readonly store: Store;
  /** One claim, through the read link. */
  readonly download: DownloadKey;
  /** Lets time pass for the portal. */
  pass(ms: number): void;
  readonly services: ConstructorParameters<typeof Link>[1];
  readonly budget: ByteBudget;
  /** Says hello and does not wait. */
  hello(role: "send" | "receive", wish: LeaseWish, token?: Uint8Array): { carrier: FakeCarrier; link: Link };
  connect(role: "send" | "receive", token?: Uint8Array): Promise<{ carrier: FakeCarrier; link: Link }>;
}

/** @param held while unsettled, objects do not become durable */
export async function stage(held: Promise<void> = Promise.resolve(), slabs = new SlabPool(MIB)): Promise<Stage> {
  const dataDir = await mkdtemp(join(tmpdir(), "warp-link-"));
  const limits = { maxPortalBytes: 2 ** 30, maxStoreBytes: 2 ** 30, maxPortals: 10, minFreeBytes: 0 };
  const real = await openSqliteStore({ ...limits, dataDir });
  const storing: Promise<unknown>[] = [];
  const store: Store = Object.create(real, {
    receive: {
      value: async (...args: Parameters<Store["receive"]>) => {
        const incoming = await real.receive(...args);
        const stored = incoming.store.bind(incoming);
        incoming.store = () => {
          const work = held.then(stored);
          storing.push(work.catch(() => undefined));
          return work;
        };
        return incoming;
      },
    },
  });
  for (const name of ["find", "open", "createPortal", "loadPortal", "heldIndexes", "endPortal", "takeLease"] as const)
    Object.defineProperty(store, name, { value: (real[name] as (...args: never[]) => unknown).bind(real) });
  const budget = new ByteBudget(MIB);
  let passedMs = 0;
  const date = { now: () => 2_000_000 + passedMs, steady: () => passedMs };
  const portals = new Portals({ store, budget }, date);
  const [ownerToken, readToken] = [random(32), random(32)];
  const entry = newLink("read", { tokenHash: sha256(readToken), password: null });
  const row = newPortal({ ownerTokenHash: sha256(ownerToken), links: [entry], expirySeconds: 1e6, expiresAtMs: 1e9 });
  await real.createPortal(row);
  const guard = new Guard({ ...FIXED_LIMITS, createsPerHour: 1, bytesPerDay: 2 ** 40 });
  const services = { portals, guard, slabs, metrics: new Metrics(), log: new Logger("silent") };
  const portal = { id: fromHex(row.key), ownerToken };
  const hello: Stage["hello"] = (role, wish, token = ownerToken) => {
    const carrier = new FakeCarrier();
    const link = new Link(carrier, services, () => undefined);
    const who = { portal: portal.id, role, token };
    void carrier.frame({ t: "hello", v: PROTOCOL_VERSION, ...who, ...wish });
    return { carrier, link };
  };
  return {
    portal,
    services,
    budget,
    hello,
    readToken,
    store: real,
    download: { key: row.key, link: entry.link, claim: random(16) },
    pass(ms) {
      passedMs += ms;
    },
    async connect(role, token) {
      const peer = hello(role, { lease: role === "send" ? 1 : 0, takeOver: false }, token);
      await peer.carrier.next("welcome");
      return peer;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(storing);
      await real.close();
      await rm(dataDir, { recursive: true });
    },
  };
}
