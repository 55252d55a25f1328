/**
 * What a browser remembers of portals: over its end, over tabs, bounded, and with nothing in clear on the disk.
 *
 * @module
 */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formatLink } from "../../core/seal/link.ts";
import { bundle } from "../support/bundle.ts";
import { noise } from "../support/bytes.ts";
import { launchProfile } from "../support/chromium.ts";
import { type ModulePage, openModulePage, reloadModule } from "../support/module-page.ts";

const ORIGIN = "http://localhost:4445";

let module: ModulePage;
let folder: string;
let context: BrowserContext;

beforeAll(async () => {
  module = { origin: ORIGIN, code: await bundle("tests/browser/registry-page.ts", "es"), global: "warpRegistry" };
  folder = await mkdtemp(join(tmpdir(), "warp-registry-"));
  context = await launchProfile(folder);
});
afterAll(async () => {
  await context?.close();
  await rm(folder, { recursive: true, force: true });
});

/** A page with an empty registry. */
async function open(): Promise<Page> {
  const page = await openModulePage(context, module);
  await page.evaluate(() => warpRegistry.clearRegistry());
  return page;
}

function linkPath(portal: string, seed: number): string {
  return formatLink({
    portal: new Uint8Array(Buffer.from(portal, "base64url")),
    secret: noise(32, `link ${seed}`),
  });
}

describe("the registry", () => {
  test("keeps its records over the end of the browser, newest first, and its keys cannot be exported", async () => {
    const first = await open();
    await first.evaluate(async () => {
      for (const number of [2, 3, 1]) await warpRegistry.rememberPortal(warpRegistry.record(number));
      await warpRegistry.updatePortal(warpRegistry.name(2), { title: "another title", ended: "owner" });
      await warpRegistry.updatePortal(warpRegistry.name(9), { title: "not on the list" });
      await warpRegistry.forgetPortal(warpRegistry.name(1));
    });
    await context.close();
    context = await launchProfile(folder);
    const second = await openModulePage(context, module);
    const found = await second.evaluate(async () => {
      const keys = await warpRegistry.readRegistry((_, keys) => Promise.resolve(keys));
      const secret = (await warpRegistry.findPortal(warpRegistry.name(3)))?.secret;
      return {
        list: (await warpRegistry.listPortals()).map(({ title, ended }) => ({ title, ended })),
        secret: [...(secret ?? [])],
        absent: (await warpRegistry.findPortal(warpRegistry.name(9))) === undefined,
        exported: await Promise.all(
          [keys.seal, keys.names].map((key) => warpRegistry.codeOf(crypto.subtle.exportKey("raw", key))),
        ),
      };
    });
    expect(found.list).toEqual([
      { title: "portal 3", ended: null },
      { title: "another title", ended: "owner" },
    ]);
    expect(found.secret).toEqual(Array(32).fill(3));
    expect(found.absent).toBe(true);
    for (const exported of found.exported) expect(exported).toMatch(/InvalidAccessError/);
    await second.close();
  });

  test("adds to what is known, loses no change of two tabs, and tells the other tab", async () => {
    const one = await open();
    const two = await openModulePage(context, module);
    const portal = await one.evaluate(() => warpRegistry.name(7));
    const paths = Array.from({ length: 40 }, (_, i) => linkPath(portal, i));
    await one.evaluate(() => warpRegistry.rememberPortal(warpRegistry.record(7)));
    await two.evaluate(() => {
      const told = Promise.withResolvers<void>();
      warpRegistry.onChange(() => told.resolve());
      Object.assign(globalThis, { told: told.promise });
    });
    const add = (page: Page, some: readonly string[]) =>
      page.evaluate(
        (paths) =>
          Promise.all(
            paths.map((path, i) =>
              warpRegistry.rememberPortal(
                warpRegistry.record(7, {
                  links: [{ path, link: null, label: `label ${i}` }],
                  changedAtMs: 2_000_000 + i,
                }),
              ),
            ),
          ),
        some,
      );
    await Promise.all([add(one, paths.slice(0, 20)), add(two, paths.slice(20))]);
    await one.evaluate(() =>
      warpRegistry.rememberPortal(warpRegistry.record(7, { as: "received", ownerSecret: null, secret: null })),
    );
    const record = await two.evaluate(() => warpRegistry.findPortal(warpRegistry.name(7)));
    expect(new Set(record?.links.map(({ path }) => path))).toEqual(new Set(paths));
    expect(record).toMatchObject({ as: "sent", changedAtMs: 2_000_019 });
    expect(record?.ownerSecret).not.toBeNull();
    await two.evaluate(() => (globalThis as unknown as { told: Promise<void> }).told);
    await Promise.all([one.close(), two.close()]);
  });

  test("holds 10,000 records: what is over and oldest goes first, and the list is read in time", async () => {
    const page = await open();
    const result = await page.evaluate(async () => {
      const numbers = Array.from({ length: warpRegistry.MAX_RECORDS }, (_, i) => i + 1);
      const ended = new Set([500, 600]);
      const byName = new Map(numbers.map((number) => [warpRegistry.name(number), number]));
      await warpRegistry.changeManyKept([...byName.keys()], (portal) => {
        const number = byName.get(portal) ?? 0;
        const record = warpRegistry.record(number, ended.has(number) ? { ended: "time" } : {});
        return { ...warpRegistry.freshKept(record), isDirty: false };
      });
      const full = (await warpRegistry.listPortals()).length;
      const again = performance.now();
      await warpRegistry.listPortals();
      const listMs = performance.now() - again;
      await warpRegistry.rememberPortal(warpRegistry.record(warpRegistry.MAX_RECORDS + 1));
      const left = await warpRegistry.listPortals();
      const has = (number: number) => left.some(({ portal }) => portal === warpRegistry.name(number));
      return {
        full,
        left: left.length,
        has: [1, 50, 500, 600, 2000, warpRegistry.MAX_RECORDS + 1].map(has),
        listMs,
      };
    });
    expect(result).toMatchObject({ full: 10_000, left: 9_900, has: [false, false, false, false, true, true] });
    expect(result.listMs).toBeLessThan(10_000);
    await page.close();
  });

  test("leaves out what was damaged, and takes it anew", async () => {
    const page = await open();
    const result = await page.evaluate(async () => {
      for (const number of [1, 2]) await warpRegistry.rememberPortal(warpRegistry.record(number));
      await warpRegistry.readRegistry(async (db) => {
        const [row] = await db.getAll("portals");
        if (row) await db.put("portals", { ...row, sealed: row.sealed.map((byte, i) => (i === 30 ? byte ^ 1 : byte)) });
      });
      const damaged = (await warpRegistry.listPortals()).length;
      for (const number of [1, 2]) await warpRegistry.rememberPortal(warpRegistry.record(number));
      return { damaged, whole: (await warpRegistry.listPortals()).length };
    });
    expect(result).toEqual({ damaged: 1, whole: 2 });
    await page.close();
  });

  test("forgets everything when asked, in every tab", async () => {
    const one = await open();
    const two = await openModulePage(context, module);
    await one.evaluate(async () => {
      await warpRegistry.rememberPortal(warpRegistry.record(1));
      await warpRegistry.storeInvite("canary-invite");
      await warpRegistry.makePhrase();
    });
    await two.evaluate(() => warpRegistry.clearRegistry());
    const left = await one.evaluate(async () => ({
      list: await warpRegistry.listPortals(),
      invite: await warpRegistry.storedInvite(),
      phrase: await warpRegistry.hasUnconfirmed(),
    }));
    expect(left).toEqual({ list: [], invite: null, phrase: false });
    // A tab that was open before writes what a tab that comes later reads.
    await one.evaluate(() => warpRegistry.rememberPortal(warpRegistry.record(2)));
    expect(await two.evaluate(async () => (await warpRegistry.listPortals()).length)).toBe(1);
    await Promise.all([one.close(), two.close()]);
  });

  test("fails with a code in a browser that keeps nothing", async () => {
    const page = await open();
    await page.addInitScript(() => {
      IDBFactory.prototype.open = () => {
        throw new DOMException("not here", "SecurityError");
      };
    });
    await reloadModule(page, module);
    const codes = await page.evaluate(() =>
      Promise.all(
        [
          warpRegistry.rememberPortal(warpRegistry.record(1)),
          warpRegistry.updatePortal(warpRegistry.name(1), { title: "" }),
          warpRegistry.listPortals(),
          warpRegistry.storedInvite(),
          warpRegistry.makePhrase(),
          warpRegistry.clearRegistry(),
        ].map(warpRegistry.codeOf),
      ),
    );
    expect(codes).toEqual(Array(6).fill("journal/damaged"));
    await page.close();
  });

  test("[VAULT-10] leaves no name, link, word or invitation in clear in the browser's profile", async () => {
    const page = await open();
    const portal = Buffer.from(noise(16, "canary portal")).toString("base64url");
    const path = linkPath(portal, 1);
    const words = await page.evaluate(
      async ({ path, portal }) => {
        const links = [{ path, link: null, label: "canary-label" }];
        await warpRegistry.rememberPortal(
          warpRegistry.record(77, {
            portal,
            title: "canary-title",
            relayOrigin: "https://canary-relay.example",
            links,
          }),
        );
        await warpRegistry.storeInvite("canary-invite");
        // What the search must find, so that it is known to look in the right place.
        await new Promise((resolve) => {
          const request = indexedDB.open("in-clear");
          request.onupgradeneeded = () => request.result.createObjectStore("any").put("canary-in-clear", 1);
          request.onsuccess = resolve;
        });
        return warpRegistry.makePhrase();
      },
      { path, portal },
    );
    expect(await page.evaluate(() => warpRegistry.makePhrase())).toEqual(words);
    expect(words).toHaveLength(24);
    await context.close();
    const secret = noise(32, "link 1");
    const canaries: readonly (string | Uint8Array)[] = [
      ...["canary-title", "canary-label", "canary-relay", "canary-invite", "canary-in-clear", portal, path],
      ...[words.join(" "), words.slice(0, 3).join(" ")],
      ...[secret, Buffer.from(portal, "base64url"), new Uint8Array(32).fill(77), new Uint8Array(32).fill(78)],
    ];
    const found = new Set<string | Uint8Array>();
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const bytes = await readFile(join(entry.parentPath, entry.name));
      for (const canary of canaries) {
        const forms = typeof canary === "string" ? [canary, Buffer.from(canary, "utf16le")] : [canary];
        if (forms.some((form) => bytes.includes(form))) found.add(canary);
      }
    }
    expect([...found]).toEqual(["canary-in-clear"]);
    context = await launchProfile(folder);
  });
});
