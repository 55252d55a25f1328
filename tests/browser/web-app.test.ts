/**
 * The app around the pages: what is built, accessibility, installing, updating, no network, no secure origin.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { expectAccessible, expectFitting } from "../support/axe.ts";
import {
  attributes,
  choose,
  ENTRIES,
  INSECURE_HOST,
  INTERRUPTED,
  INTERRUPTED_RECEIVE,
  LINK,
  SENDING,
  show,
  startReceiving,
  startSending,
  useWebPages,
} from "../support/web-pages.ts";

const pages = useWebPages();

describe("the built page", () => {
  it("has nothing inline, so that the strict policy holds", async () => {
    const html = await readFile(join(pages.app.folder, "index.html"), "utf8");
    expect(html).not.toMatch(/<style|style=|<script(?![^>]*src=)|\son\w+=/);
    expect(html).toContain('rel="manifest"');
  });

  it("has a manifest whose icons are pictures of the size that they say", async () => {
    const manifest = JSON.parse(await readFile(join(pages.app.folder, "manifest.webmanifest"), "utf8"));
    expect(manifest.icons).toHaveLength(3);
    for (const { src, sizes } of manifest.icons) {
      const png = await readFile(join(pages.app.folder, src));
      expect(`${png.readUInt32BE(16)}x${png.readUInt32BE(20)}`).toBe(sizes);
    }
  });
});

describe("accessibility", () => {
  const STAGES: Readonly<Record<string, () => Promise<Page>>> = {
    "the empty send page": () => pages.open("/"),
    "the list to send": async () => {
      const page = await pages.open("/");
      await choose(page, "a.txt", "b.txt");
      return page;
    },
    sending: async () => {
      const page = await pages.open("/");
      await startSending(page);
      await show(page, SENDING);
      return page;
    },
    "the password form": () => pages.open(LINK, { password: "x" }),
    "the list to receive": async () => {
      const page = await pages.open(LINK, { entryCount: 1000 });
      await page.getByTestId("receive").and(page.locator(":enabled")).waitFor();
      return page;
    },
    "everything received": async () => {
      const page = await pages.open(LINK, { entries: ENTRIES });
      await startReceiving(page);
      await show(page, { ...SENDING, state: "done" });
      return page;
    },
    "the list of unfinished transfers": async () => {
      const page = await pages.open("/", { interrupted: [INTERRUPTED, { ...INTERRUPTED_RECEIVE, isRunning: true }] });
      await page.getByTestId("interrupted-row").last().waitFor();
      return page;
    },
    "the question before discarding": async () => {
      const page = await pages.open("/", { interrupted: [INTERRUPTED] });
      await page.getByTestId("discard-transfer").click();
      return page;
    },
    "the row that asks for its files": async () => {
      const page = await pages.open("/", { interrupted: [INTERRUPTED] });
      await page.getByTestId("resume-transfer").click();
      return page;
    },
    waiting: async () => {
      const page = await pages.open("/");
      await startSending(page);
      await show(page, {
        ...SENDING,
        state: "waiting",
        waitingFor: "relay",
        waitingCode: "relay/full",
        nextTryMs: 4000,
      });
      return page;
    },
    "an interrupted receive": async () => {
      const page = await pages.open(LINK, { entries: ENTRIES, interrupted: [INTERRUPTED_RECEIVE] });
      await page.getByTestId("resume-receive").waitFor();
      return page;
    },
    "a failure": () => pages.open(LINK, { refusal: { code: "portal/expired" } }),
  };

  it.each(Object.keys(STAGES))("finds no fault in %s, light and dark", async (stage) => {
    const page = await STAGES[stage]?.();
    if (page === undefined) throw new Error("no such stage");
    await expectAccessible(page);
  });

  it.each([360, 1280])("fits a window of %d pixels, with controls of 44 pixels and more", async (width) => {
    const page = await pages.open("/", {}, { viewport: { width, height: 800 } });
    await choose(page, `${"long name ".repeat(30)}.txt`);
    await expectFitting(page);
  });
});

describe("the app around the pages", () => {
  it("says on an insecure origin what to do instead of failing", async () => {
    const context = await pages.browser.newContext();
    const page = await context.newPage();
    await page.goto(pages.app.url.replace("localhost", INSECURE_HOST));
    expect(await attributes(page)).toMatchObject({ state: "failed", failure: "browser/insecure" });
    expect(await page.getByTestId("failure").textContent()).toContain("https://");
    await context.close();
  });

  it("opens without a network and says so", async () => {
    const page = await pages.open("/");
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    await page.context().setOffline(true);
    await page.goto(pages.app.url + LINK);
    await page.getByText("You are offline.").waitFor();
    await page.context().setOffline(false);
    await expect.poll(() => page.getByText("You are offline.").count()).toBe(0);
  });

  it("is installable", async () => {
    const page = await pages.open("/");
    const client = await page.context().newCDPSession(page);
    const { errors } = await client.send("Page.getAppManifest");
    expect(errors).toEqual([]);
    const { installabilityErrors } = await client.send("Page.getInstallabilityErrors");
    // A test's window is a private one, which nothing can be installed from.
    expect(installabilityErrors.filter(({ errorId }) => errorId !== "in-incognito")).toEqual([]);
  });

  it("offers the install that the browser offers", async () => {
    const page = await pages.open("/");
    expect(await page.getByRole("button", { name: "Install app" }).count()).toBe(0);
    await page.evaluate(() => {
      const offer = Object.assign(new Event("beforeinstallprompt", { cancelable: true }), {
        prompt: async () => void Object.assign(globalThis, { prompted: true }),
      });
      dispatchEvent(offer);
    });
    await page.getByRole("button", { name: "Install app" }).click();
    expect(await page.evaluate(() => (globalThis as unknown as { prompted?: boolean }).prompted)).toBe(true);
  });

  it("asks before it takes a new version, not while a transfer runs, and takes it on a click", async () => {
    const page = await pages.open("/");
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    await startSending(page);
    pages.app.release();
    await page.evaluate(async () => void (await (await navigator.serviceWorker.ready).update()));
    await page.waitForFunction(async () => (await navigator.serviceWorker.ready).waiting !== null);
    expect(await page.getByTestId("update").count()).toBe(0);
    await show(page, { state: "done" });
    await Promise.all([page.waitForEvent("load"), page.getByTestId("update").click()]);
    await page.getByText("Drop files or folders here").waitFor();
    expect(await page.evaluate(async () => (await navigator.serviceWorker.ready).waiting)).toBeNull();
  });
});
