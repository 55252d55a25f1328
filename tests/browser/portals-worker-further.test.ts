/**
 * The portals worker and portals that live at two relays: what is changed at home is changed at the other one too, and told
 * later where that is away.
 *
 * @module
 */
import { rm } from "node:fs/promises";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PortalDetails } from "../../core/portal/portal.ts";
import { type TestRelay, testRelay } from "../integration/relay-fixture.ts";
import { reloadModule } from "../support/module-page.ts";
import {
  addLink,
  completePortal,
  keepUnderPhrase,
  list,
  only,
  openPath,
  refreshed,
  restore,
  usePortalsPages,
} from "../support/portals-pages.ts";

const pages = usePortalsPages();
let further: TestRelay;

beforeAll(async () => {
  further = await testRelay({ relays: { origins: [pages.relay.url], mode: "striped" } });
});
afterAll(async () => {
  await further[Symbol.asyncDispose]();
  await rm(further.dataDir, { recursive: true, force: true });
});

/** A page that this test serves, not a relay, needs to be allowed what the relay's own may do: to ask another one on this machine. */
async function open(): Promise<Page> {
  const page = await pages.open();
  await page.context().grantPermissions(["local-network-access"]);
  return page;
}

/** A portal at both relays. */
function send(page: Page, title: string) {
  return page.evaluate(([title, at]) => warpPortals.send(title, "sent", [at]), [title, further.url] as const);
}

/** What the further relay tells of it, or the failure's code. */
function there(page: Page, portal: string): Promise<PortalDetails | string> {
  return page.evaluate(([at, portal]) => warpPortals.detailsAt(at, portal), [further.url, portal] as const);
}

/** Opens a link at the further relay. */
function openThere(page: Page, path: string): Promise<string> {
  return page.evaluate(([path, at]) => warpPortals.open(path, "", at), [path, further.url] as const);
}

const change = (page: Page, portal: string, rules: Parameters<typeof warpPortals.portals.change>[1]) =>
  page.evaluate(([portal, rules]) => warpPortals.portals.change(portal, rules), [portal, rules] as const);

/** The relay is away for as long as `work` takes. */
async function whileAway(work: () => Promise<void>): Promise<void> {
  const { dataDir, url } = further;
  await further.relay.stop();
  await work();
  const relays = { origins: [pages.relay.url], mode: "striped" } as const;
  further = await testRelay({ port: Number(new URL(url).port), dataDir, relays });
}

/** As when somebody comes back to the list. */
async function comeBack(page: Page) {
  await reloadModule(page, pages.module);
  return only(refreshed(page));
}

describe("a portal at two relays", () => {
  test("[KEY-14] is paused, prolonged and ended at both, and has the same links at both", async () => {
    const page = await open();
    const { portal, path } = await send(page, "two");
    expect((await only(refreshed(page))).relays).toEqual([further.url]);
    await change(page, portal, { paused: true, expirySeconds: 7200 });
    expect(await there(page, portal)).toMatchObject({ phase: "paused" });
    await change(page, portal, { paused: false });
    const details = (await there(page, portal)) as PortalDetails;
    expect(details.phase).toBe("created");
    expect(Math.abs(details.expiresAtMs - details.nowMs - 7_200_000)).toBeLessThan(60_000);

    const second = await addLink(page, portal, { label: "second" });
    expect([await openPath(page, second), await openThere(page, second)]).toEqual(["read", "read"]);
    const [first] = (await only(list(page))).live?.links ?? [];
    await page.evaluate(([portal, link]) => warpPortals.portals.revokeLink(portal, link), [
      portal,
      first?.path === path ? first.link : "",
    ] as const);
    expect([await openPath(page, path), await openThere(page, path)]).toEqual(["portal/unknown", "portal/unknown"]);
    expect(await openThere(page, second)).toBe("read");

    await page.evaluate((portal) => warpPortals.portals.end(portal), portal);
    expect(await openThere(page, second)).toBe("portal/unknown");
    expect(await only(list(page))).toMatchObject({ ended: "owner", relays: [] });
  });

  test("[KEY-14] is ended at the other one when its downloads are to be counted", async () => {
    const page = await open();
    const [one, other] = [await send(page, "counted"), await send(page, "counted by a link")];
    await change(page, one.portal, { maxDownloads: 2 });
    await addLink(page, other.portal, { maxUses: 1 });
    for (const { portal, path } of [one, other]) {
      expect(await openThere(page, path)).toBe("portal/unknown");
      expect(await openPath(page, path)).toBe("read");
      expect((await there(page, portal)) as PortalDetails).toMatchObject({ endReason: "owner" });
    }
    expect((await list(page)).map(({ relays }) => relays)).toEqual([[], []]);
    expect((await list(page)).find(({ title }) => title === "counted")?.live?.maxDownloads).toBe(2);
  });

  test("[KEY-15] is told later what it could not be told, the last of several wishes", async () => {
    const page = await open();
    const { portal, path } = await send(page, "away");
    await refreshed(page);
    let second = "";
    await whileAway(async () => {
      await change(page, portal, { paused: true });
      await change(page, portal, { expirySeconds: 7200 });
      second = await addLink(page, portal, { label: "made meanwhile" });
      await change(page, portal, { paused: false, idleSeconds: 900 });
    });
    expect(await openThere(page, second)).toBe("portal/unknown");
    expect(await comeBack(page)).toMatchObject({ ended: null, relays: [further.url] });
    expect(await there(page, portal)).toMatchObject({ phase: "created", idleSeconds: 900 });
    expect([await openThere(page, path), await openThere(page, second)]).toEqual(["read", "read"]);
  });

  test("[KEY-15] has its end told later, though nobody asks home for what is over", async () => {
    const page = await open();
    const { portal, path } = await send(page, "ended meanwhile");
    await whileAway(() => page.evaluate((portal) => warpPortals.portals.end(portal), portal));
    expect(await openThere(page, path)).toBe("read");
    expect(await only(list(page))).toMatchObject({ ended: "owner", relays: [further.url] });
    expect(await comeBack(page)).toMatchObject({ ended: "owner", relays: [] });
    expect(await openThere(page, path)).toBe("portal/unknown");
  });

  test("[KEY-15] gets its owner's new key also where it was away when a device was taken off", async () => {
    const [page, phone] = [await open(), await open()];
    const phrase = await keepUnderPhrase(page, "Laptop");
    const made = await send(page, "kept");
    await completePortal(pages.relay.url, made);
    await refreshed(page);
    expect(await restore(phone, phrase, "Phone")).toBe("resolved");
    expect((await only(refreshed(phone))).relays).toEqual([further.url]);
    await whileAway(async () => {
      const left = await page.evaluate(async () => {
        const phone = (await warpPortals.portals.devices()).find(({ name }) => name === "Phone");
        return warpPortals.portals.revokeDevice(phone?.device ?? "");
      });
      expect(left).toBe(0);
    });
    // The phone's key is still the one that the relay knows.
    expect(await there(phone, made.portal)).toMatchObject({ phase: "created" });
    expect(await there(page, made.portal)).toBe("portal/unknown");
    await comeBack(page);
    expect(await there(phone, made.portal)).toBe("portal/unknown");
    expect(await there(page, made.portal)).toMatchObject({ phase: "created" });
  });
});
