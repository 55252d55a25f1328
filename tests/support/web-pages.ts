/**
 * What the tests of the pages share: the served app, a browser, pages that are watched, and the steps that people take.
 *
 * @module
 */
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { launchBrowser } from "./chromium.ts";
import { openWatched, type WatchedPage } from "./page-watch.ts";
import type { ScriptedPortals } from "./scripted-portals.ts";
import type { Script, Scripted, ScriptedInterrupted } from "./scripted-transfer.ts";
import { serveWebApp, type WebApp } from "./web-app.ts";

/** Any name that is neither localhost nor an address: a page there is not on a secure origin. */
export const INSECURE_HOST = "warp.test";
export const LINK = "/p/q3Zk1Yw0R5uT8sVbXc2NeA#1.secret-canary.check";

/** A snapshot in mid-transfer. */
export const SENDING = {
  state: "running",
  bytesDone: 312e6,
  bytesTotal: 800e6,
  entriesDone: 1,
  bytesPerSecond: 184.2e6,
  etaSeconds: 17,
  bottleneck: "network",
  path: "tcp",
  carrier: "websocket",
  pathReason: "webtransport-blocked",
} as const;

export const ENTRIES = [
  { kind: "file", path: "set/a.txt", size: 1200, mtimeMs: 0 },
  { kind: "file", path: "set/deep/b.bin", size: 5_000_000, mtimeMs: 0 },
  { kind: "directory", path: "set/hollow", size: 0, mtimeMs: 0 },
] as const;

/** A send of which less than half was sent; without handles. */
export const INTERRUPTED: ScriptedInterrupted = {
  kind: "send",
  portal: "q3Zk1Yw0R5uT8sVbXc2NeA",
  link: LINK,
  title: "12 files",
  bytesDone: 1.215e9,
  bytesTotal: 2.7e9,
  entriesTotal: 12,
  startedAtMs: Date.UTC(2026, 10, 22, 9, 30),
  expiresAtMs: Date.UTC(2100, 0, 1),
  sink: null,
  handles: [],
  isRunning: false,
};

/** The other side of it, into the private file system. */
export const INTERRUPTED_RECEIVE: ScriptedInterrupted = { ...INTERRUPTED, kind: "receive", sink: "private" };

export interface WebPages {
  readonly app: WebApp;
  readonly browser: Browser;
  /** Opens a watched page in a context of its own; closed after the test, which fails when the page misbehaved. */
  open(path: string, script?: Script, options?: BrowserContextOptions): Promise<Page>;
  /** Opens another watched tab of the same browser. */
  openBeside(page: Page, path: string): Promise<Page>;
}

/** Serves the app for the tests of one file. Call it at the top; the values are there from the first test on. */
export function useWebPages(): WebPages {
  let app: WebApp | undefined;
  let browser: Browser | undefined;
  const watched: WatchedPage[] = [];
  beforeAll(async () => {
    const args = [`--host-resolver-rules=MAP ${INSECURE_HOST} 127.0.0.1`];
    [app, browser] = await Promise.all([serveWebApp(), launchBrowser({ args })]);
  });
  afterAll(async () => {
    await browser?.close();
    await app?.[Symbol.asyncDispose]();
  });
  afterEach(async () => {
    const problems = watched.flatMap((one) => one.problems);
    await Promise.all(watched.splice(0).map(({ page }) => page.context().close()));
    expect(problems).toEqual([]);
  });
  const there = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error("the app is served once the tests begin");
    return value;
  };
  return {
    get app() {
      return there(app);
    },
    get browser() {
      return there(browser);
    },
    async open(path, script = {}, options = {}) {
      const context = await there(browser).newContext(options);
      const one = await openWatched(context, there(app).url);
      watched.push(one);
      await one.page.addInitScript((value) => {
        globalThis.script = value;
      }, script);
      if (script.interrupted !== undefined) await makeJournals(context, there(app).url);
      await one.page.goto(there(app).url + path);
      await one.page.locator("h1").first().waitFor({ state: "attached" });
      return one.page;
    },
    async openBeside(page, path) {
      const one = await openWatched(page.context(), there(app).url);
      watched.push(one);
      await one.page.goto(there(app).url + path);
      await one.page.locator("h1").first().waitFor({ state: "attached" });
      return one.page;
    },
  };
}

/** The page looks for the journals' database before it asks the worker what was interrupted. */
async function makeJournals(context: BrowserContext, url: string): Promise<void> {
  // A page of its own, not watched: the browser looks for an icon of a bare picture.
  const page = await context.newPage();
  await page.goto(`${url}/icons/mark.svg`);
  await page.evaluate(async () => {
    const request = indexedDB.open("warp-journal");
    await new Promise((resolve, reject) => Object.assign(request, { onsuccess: resolve, onerror: reject }));
    request.result.close();
  });
  await page.close();
}

/** Chooses files of these names; each holds "contents of" and its name. */
export async function chooseFiles(page: Page, ...names: string[]): Promise<void> {
  const files = names.map((name) => ({ name, mimeType: "text/plain", buffer: Buffer.from(`contents of ${name}`) }));
  await page.getByTestId("file-input").setInputFiles(files);
}

/** Chooses them on the send page. */
export async function choose(page: Page, ...names: string[]): Promise<void> {
  await chooseFiles(page, ...names);
  await page.getByTestId("create-link").waitFor();
}

/** Makes files in a folder of the private file system, where the scripted handles point. */
export const makeFolder = (page: Page, folder: string, files: Readonly<Record<string, string>>): Promise<void> =>
  page.evaluate(
    async ({ folder, files }) => {
      for (const [path, text] of Object.entries(files)) {
        const names = [folder, ...path.split("/")];
        let place = await navigator.storage.getDirectory();
        for (const name of names.slice(0, -1)) place = await place.getDirectoryHandle(name, { create: true });
        const writable = await (await place.getFileHandle(names.at(-1) ?? "", { create: true })).createWritable();
        await writable.write(text);
        await writable.close();
      }
    },
    { folder, files },
  );

/** Drops what lies there on the page's corner. */
export async function drop(page: Page, ...paths: string[]): Promise<void> {
  const client = await page.context().newCDPSession(page);
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const) {
    await client.send("Input.dispatchDragEvent", { type, x: 5, y: 5, data });
  }
}

/** Chooses `a.txt` and `b.txt` and creates the link. */
export async function startSending(page: Page): Promise<void> {
  await choose(page, "a.txt", "b.txt");
  await page.getByTestId("create-link").click();
  await page.getByTestId("share-link").waitFor();
}

/** Receives into the private file system; gives back when it runs. */
export async function startReceiving(page: Page): Promise<void> {
  await page.getByTestId("sink-select").selectOption("private");
  await page.getByTestId("receive").click();
  // The page asks for persistent storage first, for as long as the browser likes.
  await expect.poll(() => attributes(page)).toMatchObject({ state: "running" });
}

/** Changes the snapshot of the page's transfer. */
export const show = (page: Page, change: Parameters<Scripted["show"]>[0]): Promise<void> =>
  page.evaluate((now) => globalThis.scripted.show(now), change);

/** What the page asked of the worker, in order. */
export const calls = (page: Page): Promise<Scripted["calls"]> => page.evaluate(() => globalThis.scripted.calls);

/** What the page asked of the portals worker by this method, in order: the values given. */
export const portalCalls = (page: Page, method: string): Promise<readonly unknown[][]> =>
  page.evaluate(
    (wanted) => globalThis.scriptedPortals.calls.filter(([name]) => name === wanted).map(([, ...values]) => values),
    method,
  );

/** Changes one portal of the list, as another tab or the relay would. */
export const changePortal = (
  page: Page,
  portal: string,
  change: Parameters<ScriptedPortals["change"]>[1],
): Promise<void> =>
  page.evaluate(([id, values]) => globalThis.scriptedPortals.change(id, values), [portal, change] as const);

/** The attributes that scripts may read. */
export const attributes = (page: Page): Promise<Record<string, string | undefined>> =>
  page.getByTestId("transfer-state").evaluate((element) => ({ ...(element as HTMLElement).dataset }));
