/**
 * Links of portals, requests and admin links, made by the portals worker before a real relay.
 *
 * @module
 */
import type { Page } from "playwright-core";
import { beforeEach, describe, expect, test } from "vitest";
import { testRelay } from "../integration/relay-fixture.ts";
import { reloadModule } from "../support/module-page.ts";
import {
  addLink,
  completePortal,
  list,
  only,
  openPath,
  PLAIN_LINK,
  portalsPage,
  refreshed,
  usePortalsPages,
} from "../support/portals-pages.ts";

const HOUR_MS = 3_600_000;

const pages = usePortalsPages();
let page: Page;

beforeEach(async () => {
  page = await pages.open();
});

describe("a portal's links", () => {
  test("are made with rules of their own, and revoked one by one", async () => {
    const made = await page.evaluate(() => warpPortals.send("linked"));
    await completePortal(pages.relay.url, made);
    const [later, past] = [Date.now() + HOUR_MS, Date.now() + 120_000];
    const named = await addLink(page, made.portal, {
      label: "for Ada",
      password: "sesame",
      maxUses: 3,
      expiresAtMs: past,
    });
    const early = await addLink(page, made.portal, { label: "from later on", notBeforeMs: later });
    const admin = await addLink(page, made.portal, { capability: "admin", label: "for Bob" });
    expect(await openPath(page, named)).toBe("needs a password");
    expect(await openPath(page, named, "open sesame")).toBe("password/wrong");
    expect(await openPath(page, named, "sesame")).toBe("read");
    expect(await openPath(page, early)).toBe("portal/unknown");
    expect(await openPath(page, admin)).toBe("admin");
    expect(
      await page.evaluate(([portal, link]) => warpPortals.codeOf(warpPortals.portals.addLink(portal, link)), [
        made.portal,
        { ...PLAIN_LINK, capability: "write" as const },
      ] as const),
    ).toBe("link/purpose");
    const links = (await only(list(page))).live?.links ?? [];
    expect(
      links.map(({ label, path, capability, hasPassword, maxUses }) => [label, path, capability, hasPassword, maxUses]),
    ).toEqual([
      ["", made.path, "read", false, null],
      ["for Ada", named, "read", true, 3],
      ["from later on", early, "read", false, null],
      ["for Bob", admin, "admin", false, null],
    ]);
    expect(Math.abs((links[1]?.expiresAtMs ?? 0) - past)).toBeLessThan(5_000);
    expect(Math.abs((links[2]?.notBeforeMs ?? 0) - later)).toBeLessThan(5_000);
    const first = links[0]?.link ?? "";
    await page.evaluate(([portal, link]) => warpPortals.portals.revokeLink(portal, link), [
      made.portal,
      first,
    ] as const);
    expect(await openPath(page, made.path)).toBe("portal/unknown");
    expect(await openPath(page, named, "sesame")).toBe("read");
    const left = await only(list(page));
    expect(left.live?.links.map(({ label }) => label)).toEqual(["for Ada", "from later on", "for Bob"]);
    expect(left.link).toBe(named);
  });

  test("of a portal that is managed by an admin link are made with its rights, and it stays managed after a reload", async () => {
    const made = await page.evaluate(() => warpPortals.send("of the owner"));
    await completePortal(pages.relay.url, made);
    const admin = await addLink(page, made.portal, { capability: "admin", password: "between us" });
    const helper = await pages.open();
    const adopt = (link: string, password: string) =>
      helper.evaluate(
        ([link, password, origin]) => warpPortals.codeOf(warpPortals.portals.adopt(link, password, origin)),
        [link, password, pages.relay.url] as const,
      );
    expect(await adopt(made.path, "")).toBe("link/purpose");
    expect(await adopt(admin, "")).toBe("password/needed");
    expect(await adopt(admin, "between them")).toBe("password/wrong");
    expect(await list(helper)).toEqual([]);
    expect(await adopt(admin, "between us")).toBe("resolved");
    await reloadModule(helper, pages.module);
    expect(await only(refreshed(helper))).toMatchObject({
      as: "managed",
      canManage: true,
      link: null,
      portal: made.portal,
    });
    await helper.evaluate((portal) => warpPortals.portals.change(portal, { paused: true }), made.portal);
    expect((await only(refreshed(page))).live?.phase).toBe("paused");
    const path = await helper.evaluate(([portal, link]) => warpPortals.portals.addLink(portal, link), [
      made.portal,
      { ...PLAIN_LINK, label: "the helper's" },
    ] as const);
    expect(await openPath(page, path)).toBe("read");
    const more = await helper.evaluate(
      ([portal, link]) => warpPortals.codeOf(warpPortals.portals.addLink(portal, link)),
      [made.portal, { ...PLAIN_LINK, capability: "admin" as const }] as const,
    );
    expect(more).toBe("link/purpose");
    expect(await only(list(helper))).toMatchObject({ ended: null, link: path });
    // The owner sees a link that was made elsewhere without what only its maker knows.
    const seen = (await only(refreshed(page))).live?.links.at(-1);
    expect(seen).toMatchObject({ capability: "read", label: "", path: null });
    await helper.evaluate((portal) => warpPortals.portals.end(portal), made.portal);
    expect(await only(refreshed(page))).toMatchObject({ ended: "owner" });
  });
});

describe("a relay whose date is another", () => {
  test("is understood by this machine's clock, and told its own", async () => {
    const ahead = () => Date.now() + 5 * HOUR_MS;
    await using relay = await testRelay({}, { clocks: { wall: ahead, steady: () => performance.now() } });
    page = await pages.open(await portalsPage(relay.url));
    const { portal } = await page.evaluate(() => warpPortals.send("five hours ahead"));
    const [nowMs, link] = [Date.now(), { expiresAtMs: Date.now() + 30 * 60_000 }];
    const early = await addLink(page, portal, { ...link, notBeforeMs: nowMs + 20 * 60_000 });
    const present = await addLink(page, portal, { ...link, notBeforeMs: nowMs - 20 * 60_000 });
    expect([await openPath(page, early), await openPath(page, present)]).toEqual(["portal/unknown", "read"]);
    const found = await only(refreshed(page));
    const [, first] = found.live?.links ?? [];
    for (const [timeMs, wantedMs] of [
      [found.expiresAtMs, nowMs + HOUR_MS],
      [found.live?.expiresAtMs, nowMs + HOUR_MS],
      [found.live?.usedAtMs, nowMs],
      [first?.createdAtMs, nowMs],
      [first?.notBeforeMs, nowMs + 20 * 60_000],
      [first?.expiresAtMs, link.expiresAtMs],
    ])
      expect(Math.abs((timeMs ?? 0) - (wantedMs ?? 0))).toBeLessThan(120_000);
  });
});

describe("a request", () => {
  test("is made, answered by a stranger, and shows what was handed in to whoever asked alone", async () => {
    const request = (title: string) =>
      page.evaluate(
        ([relayOrigin, title]) =>
          warpPortals.portals.createRequest({
            title,
            relayOrigin,
            expirySeconds: 3600,
            maxUses: 2,
            password: "photos",
          }),
        [pages.relay.url, title] as const,
      );
    const path = await request("Photos of the day");
    const stranger = await pages.open();
    expect(await openPath(stranger, path, "photos")).toBe("write: Photos of the day");
    const delivery = await stranger.evaluate((path) => warpPortals.deliver(path, "photos"), path);
    await completePortal(pages.relay.url, delivery);
    const asked = await only(refreshed(page));
    expect(asked).toMatchObject({ as: "request", kind: "request", title: "Photos of the day", link: path });
    expect(asked.live?.deliveries).toMatchObject([{ portal: delivery.portal, path: delivery.path, isComplete: true }]);
    expect(asked.live?.links).toMatchObject([{ capability: "write", uses: 1, maxUses: 2, hasPassword: true }]);
    expect(await openPath(page, asked.live?.deliveries?.[0]?.path ?? "")).toBe("read");
    const second = await addLink(page, asked.portal, { capability: "write", label: "for Ada" });
    expect(await openPath(stranger, second, "")).toBe("write: Photos of the day");
    await page.evaluate((portal) => warpPortals.portals.end(portal), asked.portal);
    expect(await openPath(page, delivery.path)).toBe("portal/unknown");
  });
});
