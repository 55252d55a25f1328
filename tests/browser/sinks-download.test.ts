/**
 * Streamed downloads in a real Chromium: how they end, who may ask for them, and what the service worker keeps.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import type { Browser, BrowserContext, Download, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { file } from "../contract/sink-cases.ts";
import { type SinkServer, serveSinks } from "../contract/sink-server.ts";
import { launchBrowser } from "../support/chromium.ts";
import { listZip } from "../support/zip.ts";

const MIB = 1024 * 1024;
let version = "1";
let server: SinkServer;
let browser: Browser;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  server = await serveSinks(() => version);
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});
beforeEach(async () => {
  context = await browser.newContext();
  page = await context.newPage();
  await open(page, "/");
});
afterEach(() => context.close());

async function open(on: Page, path: string): Promise<void> {
  await on.goto(server.url + path);
  await on.waitForFunction(() => "sinks" in window);
}

interface Started {
  readonly download: Download;
  readonly result: Promise<unknown>;
  /** The download's address. */
  readonly url: string;
}

async function start(job: "download" | "exportEverything" | "fillStream", argument: unknown): Promise<Started> {
  const asked = page.waitForRequest((request) => request.url().includes("/download/") && request.isNavigationRequest());
  const started = page.waitForEvent("download");
  const result = page.evaluate(
    ([job, argument]) => window.sinks.inWorkerDownloading(job, argument).catch((error: Error) => error.message),
    [job, argument] as const,
  );
  // Where the page is closed, the job has no result.
  result.catch(() => undefined);
  return { download: await started, url: (await asked).url(), result };
}

function oneFile(path: string, size: number, end: "finish" | "abort-before-finish" = "finish"): unknown {
  return { rule: "", entries: [file(path, size)], closed: true, slice: MIB, end };
}

/** Larger than anything that this machine writes before the test goes on. */
const ENDLESS = [2 ** 40];

describe("a streamed download", () => {
  it("fails in the sink with cancelled when the user cancels it in the browser", async () => {
    const { download, result } = await start("fillStream", ENDLESS);
    await download.cancel();
    expect(await result).toBe("cancelled");
  });

  it("fails in the browser when the worker that feeds it dies", async () => {
    const { download } = await start("fillStream", ENDLESS);
    await page.evaluate(() => window.sinkWorker.terminate());
    expect(await download.failure()).not.toBeNull();
  });

  it("fails in the browser when its page goes away", async () => {
    const { download } = await start("fillStream", ENDLESS);
    const other = await context.newPage();
    await open(other, "/");
    await page.close();
    expect(await download.failure()).not.toBeNull();
  });

  it("fails on both sides when the browser stops the service worker", async () => {
    const { download, result } = await start("fillStream", ENDLESS);
    const client = await context.newCDPSession(page);
    await client.send("ServiceWorker.enable");
    await client.send("ServiceWorker.stopAllWorkers");
    expect(await result).toBe("sink/failed");
    expect(await download.failure()).not.toBeNull();
  });

  it("does not ask whether the page may be left, and leaves the page where it is", async () => {
    const dialogs: string[] = [];
    page.on("dialog", (dialog) => {
      dialogs.push(dialog.type());
      void dialog.accept();
    });
    await page.mouse.click(5, 5);
    await page.evaluate(() => addEventListener("beforeunload", (event) => event.preventDefault()));
    const { download, result } = await start("download", oneFile("a.bin", 1000));
    expect(await result).toBeNull();
    expect(await download.failure()).toBeNull();
    expect(dialogs).toEqual([]);
    expect(page.url()).toBe(`${server.url}/`);
  });

  it("is answered once, and the page that asks again stays where it is", async () => {
    const { download, result, url } = await start("download", oneFile("a.bin", 1000));
    await result;
    expect(await download.failure()).toBeNull();
    expect(await page.evaluate(async (url) => (await fetch(url)).status, url)).toBe(204);
    expect(server.strays).toEqual([]);
  });

  it.each(["\u65e5\u672c\u8a9e \u{1f600}.txt", "it's (1) 100%.txt", "a;b,c=d.txt", "x.html"])(
    "is called %s",
    async (name) => {
      const { download, result } = await start("download", oneFile(name, 10));
      await result;
      // Chromium itself replaces letters that some system refuses.
      expect(download.suggestedFilename()).toBe(name);
      expect(await download.failure()).toBeNull();
    },
  );

  it("cannot run as a page, whatever is in it", async () => {
    const { download } = await start("download", oneFile("evil.html", 10));
    expect(await download.failure()).toBeNull();
    expect(context.pages()).toHaveLength(1);
    expect(page.url()).toBe(`${server.url}/`);
  });

  it("gives an archive of what was received into the private file system", async () => {
    const each = { rule: "", entries: [file("a", 5), file("b/c", 3 * MIB)], closed: true, slice: MIB, end: "finish" };
    const { download, result } = await start("exportEverything", each);
    expect(await result).toBeNull();
    const listed = await listZip(await download.path());
    expect(listed.map(({ name, size }) => [name, size])).toEqual([
      ["a", 5],
      ["b/c", 3 * MIB],
    ]);
  });

  it("gives an archive of more than 65,535 files that other readers accept", async () => {
    const count = 70_000;
    const sizes = Array.from({ length: count }, (_, index) => index % 3);
    const { download, result } = await start("fillStream", sizes);
    expect(await result).toBeTypeOf("number");
    expect(await download.failure()).toBeNull();
    const path = await download.path();
    const listed = await listZip(path);
    expect(listed.map(({ size }) => size)).toEqual(sizes);
    expect(new Set(listed.map(({ name }) => name)).size).toBe(count);
    if (hasUnzip()) expect(unzipTest(path)).toContain("No errors detected");
    expect(statSync(path).size).toBeGreaterThan(count * 100);
  }, 300_000);
});

function hasUnzip(): boolean {
  try {
    execFileSync("unzip", ["-v"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function unzipTest(path: string): string {
  return execFileSync("unzip", ["-tqq", path], { encoding: "utf8" }) || "No errors detected";
}

describe("the service worker", () => {
  it("is used on the first visit, and every way to receive is found by trying", async () => {
    const probed = await page.evaluate(() => window.sinks.probeSinks("one"));
    expect(probed.streams).toBe(true);
    expect(probed.options.map(({ kind, available }) => [kind, available])).toEqual([
      ["download", true],
      ["directory", true],
      ["private", true],
    ]);
    const several = await page.evaluate(() => window.sinks.probeSinks("several"));
    expect(several.options[0]?.kind).toBe("directory");
  });

  it("shows the app without a network, and keeps no address of a page", async () => {
    await page.evaluate(() => window.sinks.probeSinks("one"));
    await open(page, "/p/portal-canary#1.secret-canary.check");
    await context.setOffline(true);
    await open(page, "/p/other-canary#1.secret-canary.check");
    expect(await page.title()).toBe("Sinks");
    const kept = await page.evaluate(async () => {
      const urls: string[] = [];
      for (const name of await caches.keys()) {
        for (const { url } of await (await caches.open(name)).keys()) urls.push(url);
      }
      return urls;
    });
    expect(kept).toHaveLength(2);
    expect(kept.join()).not.toContain("canary");
  });

  it("lets an update take over only when it was agreed to and no download runs", async () => {
    await page.evaluate(() => window.sinks.probeSinks("one"));
    version = "2";
    await page.evaluate(async () => {
      const registration = await navigator.serviceWorker.ready;
      await registration.update();
      const { installing } = registration;
      if (installing === null) return;
      await new Promise<void>((resolve) => {
        installing.addEventListener("statechange", () => installing.state === "installed" && resolve());
      });
    });
    const { download } = await start("fillStream", ENDLESS);
    const waits = await page.evaluate(async () => {
      const { waiting } = await navigator.serviceWorker.ready;
      window.tookOver = new Promise((resolve) => {
        navigator.serviceWorker.addEventListener("controllerchange", () => resolve("took over"));
      });
      waiting?.postMessage({ type: "update" });
      // The update has asked for the lock when it stands in the queue behind the download.
      for (;;) {
        const { pending = [] } = await navigator.locks.query();
        if (pending.some(({ name }) => name === "downloads")) break;
      }
      return waiting?.state;
    });
    expect(waits).toBe("installed");
    await download.cancel();
    expect(await page.evaluate(() => window.tookOver)).toBe("took over");
  });
});

declare global {
  interface Window {
    tookOver: Promise<string>;
  }
}
