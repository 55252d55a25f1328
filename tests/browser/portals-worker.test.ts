/**
 * The portals worker before a real relay: the list, live states, rules, links, requests, admin links.
 *
 * @module
 */
import type { Page } from "playwright-core";
import { beforeEach, describe, expect, test } from "vitest";
import { openModulePage, reloadModule } from "../support/module-page.ts";
import {
  completePortal,
  endElsewhere,
  list,
  only,
  openPath,
  refreshed,
  usePortalsPages,
} from "../support/portals-pages.ts";

const HOUR_MS = 3_600_000;

const pages = usePortalsPages();
let page: Page;

beforeEach(async () => {
  page = await pages.open();
});

describe("the list", () => {
  test("says what is remembered at once, and what the relay tells when it was asked", async () => {
    const one = await page.evaluate(() => warpPortals.send("one.txt"));
    await page.evaluate(() => warpPortals.send("two.txt", "delivered"));
    await completePortal(pages.relay.url, one);
    const before = await list(page);
    expect(before.map(({ title, as, live, canManage }) => ({ title, as, live, canManage }))).toEqual([
      { title: "two.txt", as: "delivered", live: null, canManage: true },
      { title: "one.txt", as: "sent", live: null, canManage: true },
    ]);
    expect(before[1]?.link).toBe(one.path);
    expect(await page.evaluate((portal) => warpPortals.portals.linkOf(portal), one.portal)).toBe(one.path);
    expect(await page.evaluate(() => warpPortals.portals.linkOf("AAAAAAAAAAAAAAAAAAAAAA"))).toBeNull();
    const [two, first] = await refreshed(page);
    expect(two?.live).toMatchObject({ phase: "created", isComplete: false, bytes: 0 });
    expect(first?.live).toMatchObject({ phase: "active", isComplete: true, bytes: 5777, downloads: 0, claims: 0 });
    expect(first?.live?.deliveries).toBeNull();
    expect(first?.live?.links).toMatchObject([{ capability: "read", path: one.path, label: "", hasPassword: false }]);
    expect(Math.abs((first?.live?.expiresAtMs ?? 0) - Date.now() - HOUR_MS)).toBeLessThan(120_000);
  });

  test("is told of changes, also those of another tab", async () => {
    await page.evaluate(() => warpPortals.watch());
    const other = await openModulePage(page.context(), pages.module);
    await other.evaluate(() => warpPortals.send("from another tab"));
    await expect.poll(() => page.evaluate(() => warpPortals.changes), { timeout: 30_000 }).toBeGreaterThan(0);
    expect((await only(list(page))).title).toBe("from another tab");
  });

  test("marks what ended elsewhere with its reason, and what the relay does not know", async () => {
    const ended = await page.evaluate(() => warpPortals.send("ended"));
    const own = await page.evaluate(() => warpPortals.send("never made"));
    await endElsewhere(pages.relay.url, ended);
    await page.evaluate(async (portal) => {
      const { record } = await warpPortals.found(portal);
      await warpPortals.remember({ ...record, ownerSecret: new Uint8Array(32), changedAtMs: record.changedAtMs + 1 });
    }, own.portal);
    expect((await refreshed(page)).map((portal) => [portal.title, portal.ended])).toEqual([
      ["never made", "unknown"],
      ["ended", "owner"],
    ]);
    // It is not asked for again, and stays so.
    await reloadModule(page, pages.module);
    expect((await list(page)).map((portal) => portal.ended)).toEqual(["unknown", "owner"]);
  });

  test("shows what it has when no relay answers, and says so", async () => {
    await page.evaluate(() => warpPortals.send("kept"));
    await page.evaluate(async () => {
      const { record } = await warpPortals.found((await warpPortals.portals.list())[0]?.portal ?? "");
      await warpPortals.remember({ ...record, relayOrigin: "http://localhost:9", changedAtMs: record.changedAtMs + 1 });
    });
    expect(await page.evaluate(() => warpPortals.codeOf(warpPortals.portals.refresh()))).toBe("relay/unreachable");
    expect(await only(list(page))).toMatchObject({ title: "kept", live: null, ended: null });
  });

  test("is given as readable text with its links, and forgotten when asked", async () => {
    const { portal, path } = await page.evaluate(() => warpPortals.send("text.txt"));
    await page.evaluate(() => warpPortals.portals.setInvite("an invitation"));
    expect(await page.evaluate(() => warpPortals.portals.invite())).toBe("an invitation");
    const text = await page.evaluate(() => warpPortals.portals.exportList());
    expect(JSON.parse(text)).toMatchObject({
      format: "warp-portal-list/1",
      portals: [{ as: "sent", title: "text.txt", portal, links: [{ url: pages.relay.url + path, revoked: false }] }],
    });
    expect(JSON.parse(text).portals[0].created).toMatch(/^\d{4}-\d\d-\d\dT/);
    await page.evaluate(() => warpPortals.portals.clear());
    expect(await list(page)).toEqual([]);
    expect(await page.evaluate(() => warpPortals.portals.invite())).toBe("");
    expect(await openPath(page, path)).toBe("read");
  });
});

describe("a portal's rules", () => {
  test("are changed: paused and resumed, longer, fewer downloads, ends when idle", async () => {
    const made = await page.evaluate(() => warpPortals.send("rules"));
    await completePortal(pages.relay.url, made);
    const change = async (change: Parameters<typeof warpPortals.portals.change>[1]) => {
      await page.evaluate(([portal, change]) => warpPortals.portals.change(portal, change), [
        made.portal,
        change,
      ] as const);
      return only(list(page));
    };
    expect((await change({ paused: true })).live?.phase).toBe("paused");
    expect((await change({ paused: false })).live?.phase).toBe("active");
    const longer = await change({ expirySeconds: 7200, maxDownloads: 5, idleSeconds: 600 });
    expect(longer.live).toMatchObject({ maxDownloads: 5, idleSeconds: 600 });
    for (const end of [longer.expiresAtMs, longer.live?.expiresAtMs])
      expect(Math.abs((end ?? 0) - Date.now() - 2 * HOUR_MS)).toBeLessThan(120_000);
    const code = await page.evaluate(
      (portal) => warpPortals.codeOf(warpPortals.portals.change(portal, { maxDownloads: -1 })),
      made.portal,
    );
    expect(code).toBe("wire/malformed");
    expect((await only(refreshed(page))).live?.maxDownloads).toBe(5);
  });

  test("end with it: for everybody at once, and it stays on the list until it is taken off", async () => {
    const made = await page.evaluate(() => warpPortals.send("to end"));
    await completePortal(pages.relay.url, made);
    await page.evaluate((portal) => warpPortals.portals.end(portal), made.portal);
    expect(await only(list(page))).toMatchObject({ ended: "owner" });
    expect(await openPath(page, made.path)).toBe("portal/unknown");
    await page.evaluate((portal) => warpPortals.portals.end(portal), made.portal); // over before
    const code = await page.evaluate(
      (portal) => warpPortals.codeOf(warpPortals.portals.change(portal, { paused: true })),
      made.portal,
    );
    expect(code).toBe("portal/expired");
    await page.evaluate((portal) => warpPortals.portals.forget(portal), made.portal);
    expect(await list(page)).toEqual([]);
  });
});
