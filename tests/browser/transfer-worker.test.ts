/**
 * The product's own transfer worker before a real relay: what limits, a pause by the owner and requests mean to it, and what
 * the browser remembers of it.
 *
 * @module
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openLink } from "../../core/portal/client.ts";
import { formatLink, parseLink } from "../../core/seal/link.ts";
import { MIB } from "../../core/units.ts";
import { ROOT } from "../../scripts/lib/process.ts";
import { bundle } from "../support/bundle.ts";
import { launchBrowser } from "../support/chromium.ts";
import { launchRelay, type RunningRelay } from "../support/launch.ts";
import { makeRequest, Owner, portalHost } from "../support/portal-host.ts";

// A browser and a relay share the machine with other tests.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const PATIENCE = { timeout: 90_000 };
let relay: RunningRelay;
let browser: Browser;
let tools: string;
let workerUrl: string;

beforeAll(async () => {
  relay = await launchRelay();
  browser = await launchBrowser();
  tools = await bundle(join(ROOT, "tests/browser/transfer-page.ts"), "iife");
  const assets = await readdir(join(ROOT, "dist/web/assets"));
  workerUrl = `/assets/${assets.find((name) => /^transfer\.worker.*\.js$/.test(name))}`;
});
afterAll(async () => {
  await browser?.close();
  await relay?.[Symbol.asyncDispose]();
});

/** A page of a browser of its own, or of the same one as `beside`. */
async function open(beside?: Page): Promise<Page> {
  const context = beside?.context() ?? (await browser.newContext({ bypassCSP: true }));
  const page = await context.newPage();
  await page.goto(relay.url);
  await page.evaluate(tools);
  await page.evaluate((url) => warpTransfer.start(url), workerUrl);
  return page;
}

const state = (page: Page) => page.evaluate(() => warpTransfer.last?.state);
const waitingFor = (page: Page) => page.evaluate(() => warpTransfer.last?.waitingFor);

/** Sends some bytes to the end. Gives the link. */
async function sent(page: Page, options: Parameters<typeof warpTransfer.send>[2], bytes = 9 * MIB): Promise<string> {
  const link = await page.evaluate(([size, chosen]) => warpTransfer.send("a file.bin", size, chosen), [
    bytes,
    options,
  ] as const);
  await expect.poll(() => state(page), PATIENCE).toBe("done");
  return link;
}

/** Starts receiving and does not wait for its end. */
const startReceive = (page: Page, resume: boolean) =>
  page.evaluate((again) => {
    void warpTransfer.codeOf(warpTransfer.api.receive({ kind: "private" }, again));
  }, resume);

test("[MOVE-27] a receive that is interrupted and continued is one download, and both sides are remembered", async () => {
  const sender = await open();
  const link = await sent(sender, { maxDownloads: 1 });
  const told = { title: "a file.bin", bytesTotal: 9 * MIB, entriesTotal: 1, path: link, ended: null };
  await expect
    .poll(() => sender.evaluate(() => warpTransfer.list()), PATIENCE)
    .toEqual([{ as: "sent", isOwned: true, ...told }]);

  const receiver = await open();
  const opened = await receiver.evaluate((path) => warpTransfer.open(path), link);
  expect(opened).toMatchObject({ passwordNeeded: false, purpose: { capability: "read" }, interrupted: null });
  await receiver.evaluate(() => warpTransfer.api.pause());
  await startReceive(receiver, false);
  const wireBytes = () => receiver.evaluate(() => warpTransfer.last?.wireBytes ?? 0);
  await expect.poll(wireBytes, PATIENCE).toBeGreaterThan(0);

  // Somebody else has to wait for that download.
  const other = await open();
  await other.evaluate((path) => warpTransfer.open(path), link);
  await startReceive(other, false);
  await expect.poll(() => waitingFor(other), PATIENCE).toBe("turn");

  await receiver.evaluate((url) => warpTransfer.start(url), workerUrl);
  const again = await receiver.evaluate((path) => warpTransfer.open(path), link);
  expect(again.interrupted).toMatchObject({ kind: "receive", sink: "private" });
  await startReceive(receiver, true);
  await expect.poll(() => state(receiver), PATIENCE).toBe("done");
  await expect
    .poll(() => receiver.evaluate(() => warpTransfer.list()), PATIENCE)
    .toEqual([{ as: "received", isOwned: false, ...told }]);
  await expect.poll(() => state(other), PATIENCE).toBe("failed");
  expect(await other.evaluate(() => warpTransfer.last?.failure?.code)).toMatch(/^portal\/(unknown|expired)$/);
  for (const page of [sender, receiver, other]) await page.context().close();
});

test("[MOVE-27] a receive that is cancelled lets the next one have its download", async () => {
  const sender = await open();
  const link = await sent(sender, { maxDownloads: 1 });
  const [first, second] = [await open(), await open()];
  for (const page of [first, second]) await page.evaluate((path) => warpTransfer.open(path), link);
  await first.evaluate(() => warpTransfer.api.pause());
  await startReceive(first, false);
  await expect.poll(() => first.evaluate(() => warpTransfer.last?.wireBytes ?? 0), PATIENCE).toBeGreaterThan(0);
  await startReceive(second, false);
  await expect.poll(() => waitingFor(second), PATIENCE).toBe("turn");
  await first.evaluate(() => warpTransfer.api.cancel());
  await expect.poll(() => state(second), PATIENCE).toBe("done");
  for (const page of [sender, first, second]) await page.context().close();
});

test("[MOVE-26] a receiver waits while the owner paused the portal, and goes on", async () => {
  const sender = await open();
  const link = await sent(sender, {});
  const secret = await sender.evaluate(() => warpTransfer.ownerToken());
  const owner = new Owner(relay.url, parseLink(link).portal, Uint8Array.from(secret));
  await owner.change({ paused: true });
  const receiver = await open();
  await receiver.evaluate((path) => warpTransfer.open(path), link);
  await expect.poll(() => waitingFor(receiver), PATIENCE).toBe("owner");
  await startReceive(receiver, false);
  expect(await waitingFor(receiver)).toBe("owner");
  await owner.change({ paused: false });
  await expect.poll(() => state(receiver), PATIENCE).toBe("done");
  for (const page of [sender, receiver]) await page.context().close();
});

test("[MOVE-29] files are handed in to a request and remembered as that; its link receives nothing", async () => {
  const request = await makeRequest(relay.url, "Photos", { password: "please" });
  const path = formatLink(request.link);
  const stranger = await open();
  const opened = await stranger.evaluate((link) => warpTransfer.open(link), path);
  expect(opened).toMatchObject({ passwordNeeded: true, purpose: null });
  const unlock = (password: string) =>
    stranger.evaluate((text) => warpTransfer.codeOf(warpTransfer.api.unlock(text)), password);
  expect(await unlock("wrong")).toBe("password/wrong");
  expect(await stranger.evaluate(() => warpTransfer.unlock("please"))).toEqual({
    capability: "write",
    title: "Photos",
  });
  const received = stranger.evaluate(() => warpTransfer.codeOf(warpTransfer.api.receive({ kind: "private" }, false)));
  expect(await received).toBe("link/purpose");

  const sender = await open(stranger);
  const link = await sent(sender, { request: { link: path, password: "please" } }, 1000);
  const owner = new Owner(relay.url, request.link.portal, request.ownerToken);
  expect((await owner.deliveries()).deliveries).toMatchObject([{ isComplete: true }]);
  expect(await openLink(portalHost(relay.url), parseLink(link), null)).toMatchObject({ grant: { capability: "read" } });
  await expect
    .poll(() => sender.evaluate(() => warpTransfer.list()), PATIENCE)
    .toMatchObject([{ as: "delivered", title: "a file.bin", bytesTotal: 1000, path: link, isOwned: true }]);
  const wrong = sender.evaluate(
    (to) => warpTransfer.codeOf(warpTransfer.send("b", 10, { request: { link: to, password: "" } })),
    link,
  );
  expect(await wrong).toBe("link/purpose");
  await stranger.context().close();
});
