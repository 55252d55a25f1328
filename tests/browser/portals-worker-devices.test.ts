/**
 * A list that several devices of one person share, before a real relay: telling changes, taking a device off.
 *
 * @module
 */
import { rm } from "node:fs/promises";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { testRelay } from "../integration/relay-fixture.ts";
import { reloadModule } from "../support/module-page.ts";
import {
  completePortal,
  devicesOf,
  identityOf,
  keepUnderPhrase,
  list,
  portalsPage,
  refreshed,
  restore,
  usePortalsPages,
} from "../support/portals-pages.ts";

const pages = usePortalsPages();

function revoke(page: Page, name: string): Promise<number> {
  return page.evaluate(async (name) => {
    const found = (await warpPortals.portals.devices()).find((each) => each.name === name && !each.isRevoked);
    return warpPortals.portals.revokeDevice(found?.device ?? "");
  }, name);
}

describe("two devices", () => {
  async function pair(): Promise<{ laptop: Page; phone: Page; phrase: string }> {
    const [laptop, phone] = [await pages.open(), await pages.open()];
    const phrase = await keepUnderPhrase(laptop, "Laptop");
    expect(await restore(phone, phrase, "Phone")).toBe("resolved");
    return { laptop, phone, phrase };
  }

  test("[VAULT-14] tell each other what is new, changed and taken off, in both directions", async () => {
    const { laptop, phone } = await pair();
    await laptop.evaluate(() => warpPortals.send("from the laptop"));
    await phone.evaluate(() => warpPortals.send("from the phone"));
    await refreshed(laptop);
    await refreshed(phone);
    const titles = async (page: Page) => (await refreshed(page)).map(({ title }) => title).toSorted();
    expect(await titles(laptop)).toEqual(["from the laptop", "from the phone"]);
    expect(await titles(phone)).toEqual(["from the laptop", "from the phone"]);
    const [mine] = (await list(phone)).filter(({ title }) => title === "from the phone");
    await laptop.evaluate((portal) => warpPortals.portals.forget(portal), mine?.portal ?? "");
    await refreshed(laptop);
    expect(await titles(phone)).toEqual(["from the laptop"]);
  });

  test("[VAULT-14] what was changed while the relay was away is told when it is back", async () => {
    const away = await testRelay();
    const port = new URL(away.url).port;
    const module = await portalsPage(away.url);
    const [laptop, phone] = [await pages.open(module), await pages.open(module)];
    await laptop.evaluate(() => warpPortals.send("kept"));
    const words = await laptop.evaluate(() => warpPortals.portals.makePhrase());
    await laptop.evaluate((origin) => warpPortals.portals.confirmPhrase(origin, "Laptop"), away.url);
    await phone.evaluate(([phrase, origin]) => warpPortals.portals.restore(phrase, origin, "Phone"), [
      words.join(" "),
      away.url,
    ] as const);
    await away.relay.stop();
    await laptop.evaluate(async () => {
      const [kept] = await warpPortals.portals.list();
      const { record } = await warpPortals.found(kept?.portal ?? "");
      await warpPortals.remember({ ...record, title: "renamed offline", changedAtMs: record.changedAtMs + 1 });
    });
    expect(await laptop.evaluate(() => warpPortals.codeOf(warpPortals.portals.refresh()))).toBe("relay/unreachable");
    await using back = await testRelay({ dataDir: away.dataDir, port: Number(port) });
    expect(back.url).toBe(away.url);
    await laptop.evaluate(() => warpPortals.portals.refresh());
    expect((await refreshed(phone)).map(({ title }) => title)).toEqual(["renamed offline"]);
    await rm(away.dataDir, { recursive: true, force: true });
  });

  test("[VAULT-15] an entry that is older than what a device knows does not overwrite it, and is replaced", async () => {
    const { laptop, phone } = await pair();
    const { portal } = await laptop.evaluate(() => warpPortals.send("first title"));
    await refreshed(laptop);
    const old = await laptop.evaluate(async (portal) => (await warpPortals.found(portal)).record.changedAtMs, portal);
    await laptop.evaluate(async (portal) => {
      const { record } = await warpPortals.found(portal);
      await warpPortals.remember({ ...record, title: "second title", changedAtMs: record.changedAtMs + 1 });
      await warpPortals.portals.refresh();
      // As a relay does that gives an old state of the vault for the newest.
      await warpPortals.putElsewhere({ ...record, links: [] });
    }, portal);
    expect((await refreshed(laptop))[0]).toMatchObject({ title: "second title" });
    expect((await refreshed(phone))[0]).toMatchObject({ title: "second title" });
    const onPhone = await phone.evaluate(
      async (portal) => (await warpPortals.found(portal)).record.changedAtMs,
      portal,
    );
    expect(onPhone).toBe(old + 1);
  });

  test("[VAULT-16] a device that was taken off keeps its list, is told nothing new, and its keys open nothing", async () => {
    const { laptop, phone, phrase } = await pair();
    const done = await laptop.evaluate(() => warpPortals.send("done"));
    await completePortal(pages.relay.url, done);
    const sending = await laptop.evaluate(() => warpPortals.send("being sent"));
    await refreshed(laptop);
    expect(await refreshed(phone)).toHaveLength(2);
    const before = await phone.evaluate(
      async (portal) => [...((await warpPortals.found(portal)).record.ownerSecret ?? [])],
      done.portal,
    );

    expect(await revoke(laptop, "Phone")).toBe(1);
    expect(await devicesOf(laptop)).toMatchObject([
      { name: "Laptop", isRevoked: false },
      { name: "Phone", isRevoked: true },
    ]);
    const after = await laptop.evaluate(
      async (portal) => [...((await warpPortals.found(portal)).record.ownerSecret ?? [])],
      done.portal,
    );
    expect(after).not.toEqual(before);
    const pause = (page: Page, portal: string) =>
      page.evaluate((portal) => warpPortals.codeOf(warpPortals.portals.change(portal, { paused: true })), portal);
    expect(await pause(phone, done.portal)).toBe("portal/unknown");
    expect(await pause(phone, sending.portal)).toBe("resolved");
    expect(await pause(laptop, done.portal)).toBe("resolved");

    await phone.evaluate(() => warpPortals.codeOf(warpPortals.portals.refresh()));
    expect(await identityOf(phone)).toBe("revoked");
    expect(await list(phone)).toHaveLength(2);
    expect(await phone.evaluate(() => warpPortals.codeOf(warpPortals.portals.devices()))).toBe("device/revoked");
    await laptop.evaluate(() => warpPortals.send("news"));
    await refreshed(laptop);
    expect(await refreshed(phone)).toHaveLength(2);

    // The portal that was being sent gets another key as soon as it is complete.
    await completePortal(pages.relay.url, sending);
    await refreshed(laptop);
    expect(await pause(phone, sending.portal)).toBe("portal/unknown");
    expect(await pause(laptop, sending.portal)).toBe("resolved");

    // The phrase brings the device back, and with it everything that can be managed.
    expect(await restore(phone, phrase, "Phone again")).toBe("resolved");
    const back = await refreshed(phone);
    expect(back.map(({ title, ended }) => [title, ended]).toSorted()).toEqual([
      ["being sent", null],
      ["done", null],
      ["news", null],
    ]);
    expect(await pause(phone, done.portal)).toBe("resolved");
  });

  test("[VAULT-17] a key whose replacing was cut off is found again", async () => {
    const page = await pages.open();
    const made = await page.evaluate(() => warpPortals.send("cut off"));
    await completePortal(pages.relay.url, made);
    await page.evaluate((portal) => warpPortals.renewHalf(portal), made.portal);
    await reloadModule(page, pages.module);
    expect((await refreshed(page))[0]).toMatchObject({ ended: null, live: { phase: "active" } });
    // The same when the first thing done is a change.
    await page.evaluate((portal) => warpPortals.renewHalf(portal), made.portal);
    await page.evaluate((portal) => warpPortals.portals.change(portal, { paused: true }), made.portal);
    expect((await list(page))[0]?.live?.phase).toBe("paused");
  });

  test("clearing one leaves the list to the other, and takes it off the devices", async () => {
    const { laptop, phone } = await pair();
    await laptop.evaluate(() => warpPortals.send("stays"));
    await refreshed(laptop);
    await refreshed(phone);
    await laptop.evaluate(() => warpPortals.portals.clear());
    expect([await list(laptop), await identityOf(laptop)]).toEqual([[], "local"]);
    expect((await refreshed(phone)).map(({ title }) => title)).toEqual(["stays"]);
    expect((await devicesOf(phone)).map(({ name, isRevoked }) => [name, isRevoked])).toEqual([
      ["Laptop", true],
      ["Phone", false],
    ]);
  });
});
