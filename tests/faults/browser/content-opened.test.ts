/**
 * S2: hostile contents, received in the app and saved by what it offers; then opened in every way in which a page can open a
 * file of its origin. Nothing of them runs in the app's origin, and nothing leaves it. The relay's own answers run nowhere.
 *
 * @module
 */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLink, waitForState, withQuery } from "../../e2e/app.ts";
import { bearer, createPortal, putObject } from "../../integration/relay-client.ts";
import { objectHash } from "../../support/bytes.ts";
import { launchBrowser } from "../../support/chromium.ts";
import { launchRelay, type RunningRelay } from "../../support/launch.ts";
import { openWatched } from "../../support/page-watch.ts";
import { readZip } from "../../support/zip.ts";
import { HOSTILE_CONTENTS, RAN } from "../hostile-contents.ts";
import { rounds } from "../scale.ts";

let relay: RunningRelay;
let browser: Browser;
beforeAll(async () => {
  [relay, browser] = await Promise.all([launchRelay(), launchBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await relay?.[Symbol.asyncDispose]();
});

/** Contents that are known to run, where nothing stops them. */
const RUNNING = ["page.html", "handlers.html", "page.xhtml", "drawing.svg", "onload.svg", "sixteen.html"];

/** Those that are opened in tabs of their own, the ones that run first. */
const IN_TABS = [...new Set([...RUNNING, ...HOSTILE_CONTENTS.map(({ name }) => name)])].slice(0, rounds(6, 29));

/** Those that are opened one by one at the relay's own addresses. */
const AT_RELAY = HOSTILE_CONTENTS.slice(0, rounds(3, 29));

/** Notes every request of a context that a content asked for. */
function watchRequests(context: BrowserContext): string[] {
  const asked: string[] = [];
  context.on("request", (request) => {
    if (request.url().includes(RAN) || request.url().includes("evil.example")) asked.push(request.url());
  });
  return asked;
}

/** Where scripts leave word in this origin. */
async function wordsLeft(page: Page): Promise<unknown> {
  return page.evaluate((ran) => [localStorage.getItem(ran), ran in globalThis], RAN);
}

/** Sends all of the contents. */
async function send(): Promise<string> {
  const sender = await (await browser.newContext()).newPage();
  await sender.goto(relay.url);
  const files = HOSTILE_CONTENTS.map(({ name, bytes }) => ({
    name,
    mimeType: "application/octet-stream",
    buffer: Buffer.from(bytes),
  }));
  await sender.getByTestId("file-input").setInputFiles(files);
  const link = await createLink(sender);
  await waitForState(sender, "done");
  await sender.context().close();
  return link;
}

/** Opens every received file in every way there is. Runs in the page; gives how many were opened. */
async function openAll({ inTabs }: { inTabs: readonly string[] }): Promise<number> {
  const files: File[] = [];
  const walk = async (folder: FileSystemDirectoryHandle): Promise<void> => {
    for await (const handle of folder.values())
      if (handle instanceof FileSystemFileHandle) files.push(await handle.getFile());
      else if (handle instanceof FileSystemDirectoryHandle) await walk(handle);
  };
  await walk(await (await navigator.storage.getDirectory()).getDirectoryHandle("received"));
  const settle = () => new Promise((resolve) => setTimeout(resolve, 10));
  for (const file of files)
    for (const way of ["tab", "window", "iframe", "object", "embed", "img", "style", "worker"]) {
      if (/tab|window/.test(way) && !inTabs.includes(file.name)) continue;
      const types = way === "tab" || way === "iframe" ? [file.type, "text/html"] : [file.type];
      for (const type of types) {
        const url = URL.createObjectURL(new Blob([file], { type }));
        const element = (name: string, attributes: Record<string, string>): HTMLElement => {
          const made = document.createElement(name);
          for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
          return made;
        };
        try {
          if (way === "tab") element("a", { href: url, target: "_blank" }).click();
          else if (way === "window") open(url);
          else if (way === "worker") new Worker(url);
          else if (way === "style") document.head.append(element("link", { rel: "stylesheet", href: url }));
          else document.body.append(element(way, { src: url, data: url }));
        } catch {
          // refused by a policy, as it should be
        }
        if (/tab|window/.test(way)) await settle();
      }
      await settle();
    }
  return files.length;
}

describe("S2: hostile contents", () => {
  test("would run where nothing stops them, so that what follows shows something", async () => {
    const server = createServer((request, response) => {
      const found = HOSTILE_CONTENTS.find(({ name }) => encodeURI(`/${name}`) === request.url);
      const [, extension = ""] = /\.(\w+)$/.exec(request.url ?? "") ?? [];
      const types: Record<string, string> = { xhtml: "application/xhtml+xml", svg: "image/svg+xml", xml: "text/xml" };
      response.writeHead(found === undefined ? 404 : 200, { "Content-Type": types[extension] ?? "text/html" });
      response.end(found?.bytes);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const origin = `http://localhost:${typeof address === "object" && address !== null ? address.port : 0}`;
    const context = await browser.newContext();
    const ran: string[] = [];
    for (const name of RUNNING) {
      const page = await context.newPage();
      await page.goto(origin + encodeURI(`/${name}`));
      if ((await page.evaluate((ran) => localStorage.getItem(ran), RAN)) === name) ran.push(name);
      await page.close();
    }
    await context.close();
    server.closeAllConnections();
    server.close();
    expect(HOSTILE_CONTENTS.length).toBeGreaterThanOrEqual(20);
    expect(ran).toEqual(RUNNING);
  });

  test("are saved as they are, and run nowhere in the app's origin however they are opened there", async () => {
    const link = await send();
    const context = await browser.newContext({ acceptDownloads: true });
    const asked = watchRequests(context);
    const { page, problems } = await openWatched(context, relay.url);
    await page.goto(withQuery(link, { sink: "private" }));
    await page.getByTestId("receive").click();
    await waitForState(page, "done");
    for (const { name, bytes } of HOSTILE_CONTENTS) {
      const button = page.getByTestId("file-row").filter({ hasText: name }).first().getByRole("button");
      const [download] = await Promise.all([page.waitForEvent("download"), button.click()]);
      // Chromium gives a name without an ending one; never one that runs.
      expect([name, `${name}.txt`]).toContain(download.suggestedFilename());
      expect(new Uint8Array(await readFile(await download.path()))).toEqual(new Uint8Array(bytes));
      // Chromium drops what a page downloads beyond ten a second, which nobody clicks.
      await page.waitForTimeout(110);
    }
    const [archive] = await Promise.all([page.waitForEvent("download"), page.getByTestId("export-archive").click()]);
    expect((await readZip(await readFile(await archive.path()))).length).toBe(HOSTILE_CONTENTS.length);
    // What the app offers opens no page and takes nobody away.
    expect(context.pages()).toHaveLength(1);
    expect(problems).toEqual([]);
    expect(await wordsLeft(page)).toEqual([null, false]);

    const opened = await page.evaluate(openAll, { inTabs: IN_TABS });
    expect(opened).toBe(HOSTILE_CONTENTS.length);
    const tabs = context.pages().filter((tab) => tab !== page);
    expect(tabs.length).toBeGreaterThanOrEqual(2 * RUNNING.length);
    for (const tab of tabs) {
      await tab.waitForLoadState("load", { timeout: 5_000 }).catch(() => {});
      await tab.close();
    }
    // Nor in the page that opened them.
    expect(await wordsLeft(page)).toEqual([null, false]);
    const after = await context.newPage();
    await after.goto(`${relay.url}/dashboard`);
    expect(await wordsLeft(after)).toEqual([null, false]);
    expect(asked).toEqual([]);
    await context.close();
  }, 240_000);

  test("in the place of sealed objects are answered by the relay as what nobody runs", async () => {
    const portal = await createPortal(relay.url);
    for (const [index, { name, bytes }] of AT_RELAY.entries()) {
      const header = { kind: "page" as const, index, final: false, length: bytes.length, hash: objectHash(bytes) };
      const { ok } = await putObject(relay.url, portal, { header, bytes });
      expect([name, ok]).toEqual([name, true]);
    }
    const context = await browser.newContext({ acceptDownloads: true, extraHTTPHeaders: bearer(portal.readToken) });
    const asked = watchRequests(context);
    for (const [index, { name }] of AT_RELAY.entries()) {
      const page = await context.newPage();
      const url = `${relay.url}/api/v1/portals/${portal.text}/pages/${index}`;
      // A navigation that turns into a download has no page.
      const [download, answer] = await Promise.all([
        page.waitForEvent("download", { timeout: 15_000 }).catch(() => null),
        page.goto(url).catch(() => null),
      ]);
      expect([name, download?.url(), answer, page.url()]).toEqual([name, url, null, "about:blank"]);
      await page.close();
    }
    const page = await context.newPage();
    await page.goto(`${relay.url}/dashboard`);
    expect(await wordsLeft(page)).toEqual([null, false]);
    expect(asked).toEqual([]);
    await context.close();
  });
});
