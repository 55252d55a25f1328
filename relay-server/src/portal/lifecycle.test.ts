import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { newLink, newPortal } from "../../../tests/contract/store-suite.ts";
import { random } from "../../../tests/integration/relay-client.ts";
import { ByteBudget } from "../byte-budget.ts";
import type { PortalKey } from "../bytes.ts";
import { openSqliteStore } from "../store/sqlite-store.ts";
import type { NewPortal, Store } from "../store/store.ts";
import type { LivePortal } from "./live-portal.ts";
import { Portals } from "./portals.ts";

const MINUTE = 60_000;

interface Stage extends AsyncDisposable {
  readonly store: Store;
  readonly portals: Portals;
  pass(ms: number): void;
  /** Another process over the same store. */
  restart(): Promise<Portals>;
  create(portal: NewPortal): Promise<LivePortal>;
}

async function stage(): Promise<Stage> {
  const dataDir = await mkdtemp(join(tmpdir(), "warp-life-"));
  const limits = { maxPortalBytes: 2 ** 30, maxStoreBytes: 2 ** 30, maxPortals: 2000, minFreeBytes: 0 };
  const at = { ms: 2_000_000, store: await openSqliteStore({ ...limits, dataDir }) };
  const date = { now: () => at.ms, steady: () => at.ms };
  const make = () => new Portals({ store: at.store, budget: new ByteBudget(1) }, date);
  const portals = make();
  return {
    get store() {
      return at.store;
    },
    portals,
    pass(ms) {
      at.ms += ms;
    },
    async restart() {
      await at.store.close();
      at.store = await openSqliteStore({ ...limits, dataDir });
      const again = make();
      await again.start();
      return again;
    },
    async create(portal) {
      await portals.create(portal);
      return liveOf(portals, portal.key);
    },
    async [Symbol.asyncDispose]() {
      await at.store.close();
      await rm(dataDir, { recursive: true });
    },
  };
}

async function liveOf(portals: Portals, key: PortalKey): Promise<LivePortal> {
  const live = (await portals.find(key))?.live;
  if (live === undefined) throw new Error("the portal is not there");
  return live;
}

const DAY = { expirySeconds: 86_400, maxDownloads: null };
const nobody = () => undefined;

function request(): NewPortal {
  return newPortal({ ...DAY, kind: "request", links: [newLink("write", { maxUses: 1 })] });
}

function deliveryFor(portal: NewPortal): NewPortal {
  const [link] = portal.links;
  if (link === undefined) throw new Error("the request has no link");
  return newPortal({ ...DAY, delivery: { request: portal.key, link: link.link, offer: random(80) } });
}

describe("a link's window", () => {
  it("[RELAY-50] ends whoever came by it, within a sweep", async () => {
    await using at = await stage();
    const [brief, free] = [newLink("read", { expiresAtMs: 2_000_000 + 10 * MINUTE }), newLink("read")];
    const live = await at.create(newPortal({ ...DAY, links: [brief, free] }));
    const ended: string[] = [];
    for (const { link } of [brief, free])
      live.join({ role: "receive", lease: 0, link, onEnd: ({ code }) => ended.push(`${link} ${code}`) });
    at.pass(10 * MINUTE - 1);
    await at.portals.sweep();
    expect(ended).toEqual([]);
    at.pass(1);
    await at.portals.sweep();
    expect(ended).toEqual([`${brief.link} portal/unknown`]);
  });
});

describe("idle time", () => {
  it("[RELAY-56] ends a portal while nobody looks, also over a restart, and never early", async () => {
    await using at = await stage();
    const portal = newPortal({ ...DAY, idleSeconds: 600 });
    const live = await at.create(portal);
    at.pass(5 * MINUTE);
    live.join({ role: "receive", lease: 0 })();
    at.pass(10 * MINUTE - 1);
    const again = await at.restart();
    await again.sweep();
    expect((await at.store.loadPortal(portal.key))?.endReason).toBeNull();
    at.pass(MINUTE + 1);
    await again.sweep();
    expect((await at.store.loadPortal(portal.key))?.endReason).toBe("idle");
  });

  it("[RELAY-56] does not pass while somebody is connected, which is written down now and then", async () => {
    await using at = await stage();
    const portal = newPortal({ ...DAY, idleSeconds: 600 });
    const live = await at.create(portal);
    const leave = live.join({ role: "receive", lease: 0 });
    for (let minute = 0; minute < 60; minute += 5) {
      at.pass(5 * MINUTE);
      await at.portals.sweep();
    }
    expect((await at.store.loadPortal(portal.key))?.endReason).toBeNull();
    const again = await at.restart();
    expect((await again.find(portal.key))?.live).toBeDefined();
    leave();
  });
});

describe("a delivery", () => {
  it("[RELAY-57] that nobody brings ends after an hour, and gives its use back", async () => {
    await using at = await stage();
    const asked = request();
    await at.create(asked);
    const delivery = deliveryFor(asked);
    const live = await at.create(delivery);
    await expect(at.portals.create(deliveryFor(asked))).rejects.toMatchObject({ code: "portal/unknown" });
    const leave = live.join({ role: "send", lease: 1 });
    for (let minute = 0; minute < 120; minute += 30) {
      at.pass(30 * MINUTE);
      await at.portals.sweep();
    }
    leave();
    // Whoever waits for it does not keep it alive.
    const gone = live.join({ role: "receive", lease: 0, onEnd: nobody });
    at.pass(59 * MINUTE);
    await at.portals.sweep();
    expect(live.ended).toBeUndefined();
    at.pass(3 * MINUTE);
    await at.portals.sweep();
    expect(live.ended?.code).toBe("portal/expired");
    gone();
    expect((await at.store.loadPortal(delivery.key))?.endReason).toBe("idle");
    await at.portals.create(deliveryFor(asked));
  });

  it("[RELAY-57] ends with its request, also when the process died in between", async () => {
    await using at = await stage();
    const asked = request();
    await at.create(asked);
    const delivery = deliveryFor(asked);
    await at.create(delivery);
    // All that a process that dies now has written down.
    await at.store.endPortal(asked.key, 2_000_001, "removed");
    expect((await at.store.loadPortal(delivery.key))?.endReason).toBeNull();
    await at.restart();
    expect((await at.store.loadPortal(delivery.key))?.endReason).toBe("removed");
  });

  it("[RELAY-57] finds no place beside a thousand others", async () => {
    await using at = await stage();
    const asked = newPortal({ ...DAY, kind: "request", links: [newLink("write")] });
    await at.create(asked);
    const making = Array.from({ length: 1010 }, () => at.portals.create(deliveryFor(asked)));
    const made = await Promise.allSettled(making);
    expect(made.filter(({ status }) => status === "fulfilled")).toHaveLength(1000);
    for (const one of made) if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "portal/full" });
    expect(await at.store.access.deliveriesOf(asked.key)).toHaveLength(1000);
    expect((await at.store.loadPortal(asked.key))?.links[0]?.uses).toBe(1000);
    await at.portals.end(await liveOf(at.portals, asked.key), "owner");
    expect(at.store.usage().portals).toBe(0);
  }, 60_000);

  it("[RELAY-57] ends when the time of its request is over", async () => {
    await using at = await stage();
    const asked = { ...request(), expirySeconds: 600 };
    await at.create(asked);
    const delivery = deliveryFor(asked);
    await at.create(delivery);
    at.pass(11 * MINUTE);
    await at.portals.sweep();
    expect((await at.store.loadPortal(delivery.key))?.endReason).toBe("time");
  });
});
