/**
 * The product's own transfer worker and portals at two relays: where they are made, and what becomes of them when a send is
 * cancelled, interrupted, or one relay refuses or dies.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { base64urlnopad } from "@scure/base";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { parseLink } from "../../core/seal/link.ts";
import { MIB } from "../../core/units.ts";
import { ROOT } from "../../scripts/lib/process.ts";
import { bundle } from "../support/bundle.ts";
import { launchBrowser } from "../support/chromium.ts";
import { codeOf } from "../support/fake-http.ts";
import { freePort, launchRelay, type RunningRelay } from "../support/launch.ts";
import { Owner } from "../support/portal-host.ts";

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const PATIENCE = { timeout: 90_000 };
let home: RunningRelay;
let further: RunningRelay;
let browser: Browser;
let tools: string;
let workerUrl: string;

beforeAll(async () => {
  const [one, other] = [await freePort(), await freePort()];
  const urlOf = (port: number) => `http://localhost:${port}`;
  home = await launchRelay({ port: one, env: { RELAYS: urlOf(other) } });
  further = await launchRelay({ port: other, env: { RELAYS: urlOf(one) } });
  browser = await launchBrowser();
  tools = await bundle(join(ROOT, "tests/browser/transfer-page.ts"), "iife");
  const assets = await readdir(join(ROOT, "dist/web/assets"));
  workerUrl = `/assets/${assets.find((name) => /^transfer\.worker.*\.js$/.test(name))}`;
});
afterAll(async () => {
  await browser?.close();
  await home?.[Symbol.asyncDispose]();
  await further?.[Symbol.asyncDispose]();
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
});

async function open(): Promise<Page> {
  const context = await browser.newContext({ bypassCSP: true });
  const page = await context.newPage();
  await page.goto(home.url);
  await page.evaluate(tools);
  await page.evaluate((url) => warpTransfer.start(url), workerUrl);
  return page;
}

function send(page: Page, bytes: number, options: Parameters<typeof warpTransfer.send>[2] = {}): Promise<string> {
  return page.evaluate(([size, chosen]) => warpTransfer.send("a file.bin", size, chosen), [bytes, options] as const);
}

const state = (page: Page) => page.evaluate(() => warpTransfer.last?.state);
const done = (page: Page) => page.evaluate(() => warpTransfer.last?.bytesDone ?? 0);
const relays = (page: Page) => page.evaluate(() => warpTransfer.relays());

/** The owner of what was sent last, at one relay. */
async function ownerAt(page: Page, link: string, { url }: RunningRelay): Promise<Owner> {
  const token = await page.evaluate((at) => warpTransfer.ownerToken(at), url);
  return new Owner(url, parseLink(link).portal, Uint8Array.from(token));
}

/** Restarts the further relay with more environment, where it was. */
async function restart(env: Readonly<Record<string, string>>): Promise<void> {
  await further.kill();
  const { port, dataDir } = further;
  further = await launchRelay({ port, dataDir, env: { RELAYS: home.url, ...env } });
}

/** Receives by the link in a browser of its own, where every byte is verified. */
async function receives(link: string): Promise<void> {
  const page = await open();
  await page.evaluate((path) => warpTransfer.open(path), link);
  expect(await page.evaluate(() => warpTransfer.codeOf(warpTransfer.api.receive({ kind: "private" }, false)))).toBe(
    "resolved",
  );
}

test("[KEY-13] a send lives at both relays, each has some of it, and home has all of it at the end", async () => {
  const page = await open();
  const link = await send(page, 120 * MIB);
  await expect.poll(() => state(page), PATIENCE).toBe("done");
  expect(await relays(page)).toEqual([further.url]);
  const here = await (await ownerAt(page, link, home)).details();
  const there = await (await ownerAt(page, link, further)).details();
  expect(here).toMatchObject({ isComplete: true, receivers: 0 });
  expect(here.bytes).toBeGreaterThan(120 * MIB);
  expect(there.bytes).toBeGreaterThan(4 * MIB);
  expect(there.links.map((each) => each.link)).toEqual(here.links.map((each) => each.link));
  await receives(link);
});

test("[KEY-13] a send whose downloads are counted lives at home alone", async () => {
  const page = await open();
  const link = await send(page, 9 * MIB, { maxDownloads: 3 });
  await expect.poll(() => state(page), PATIENCE).toBe("done");
  expect(await relays(page)).toEqual([]);
  expect(await codeOf((await ownerAt(page, link, further)).details())).toBe("portal/unknown");
});

test("[KEY-14] a send that is cancelled ends at both", async () => {
  const page = await open();
  const link = await send(page, 200 * MIB);
  const there = await ownerAt(page, link, further);
  await expect
    .poll(
      () =>
        there
          .details()
          .then(({ bytes }) => bytes > 0)
          .catch(() => false),
      PATIENCE,
    )
    .toBe(true);
  await page.evaluate(() => warpTransfer.api.cancel());
  for (const relay of [home, further])
    expect((await (await ownerAt(page, link, relay)).details()).endReason).toBe("owner");
  await expect.poll(() => relays(page), PATIENCE).toEqual([]);
});

test("a send that was interrupted goes on at both relays, which hold different parts of it", async () => {
  const page = await open();
  const link = await send(page, 160 * MIB);
  const there = await ownerAt(page, link, further);
  await expect
    .poll(
      () =>
        there
          .details()
          .then(({ bytes }) => bytes > 0)
          .catch(() => false),
      PATIENCE,
    )
    .toBe(true);
  await expect.poll(() => done(page), PATIENCE).toBeGreaterThan(8 * MIB);
  await page.evaluate((url) => warpTransfer.start(url), workerUrl); // the old worker dies without a word
  const before = await there.details();
  const portal = base64urlnopad.encode(parseLink(link).portal);
  await page.evaluate((id) => warpTransfer.resume(id), portal);
  await expect.poll(() => state(page), PATIENCE).toBe("done");
  const [here, after] = [await (await ownerAt(page, link, home)).details(), await there.details()];
  expect(here.isComplete).toBe(true);
  expect(after.bytes).toBeGreaterThan(before.bytes);
  await receives(link);
});

test("[KEY-13] a relay that wants an invitation is left out, and the send is done without it", async () => {
  const operator = createHash("sha256").update("operator").digest("hex");
  await restart({ INVITE_ONLY: "1", OPERATOR_TOKEN: operator });
  const page = await open();
  const link = await send(page, 9 * MIB);
  await expect.poll(() => state(page), PATIENCE).toBe("done");
  await expect.poll(() => relays(page), PATIENCE).toEqual([]);
  await receives(link);
  await restart({});
});

test("a send goes on when the further relay dies, and what only that held is sent again", async () => {
  const page = await open();
  const link = await send(page, 160 * MIB);
  const there = await ownerAt(page, link, further);
  await expect
    .poll(
      () =>
        there
          .details()
          .then(({ bytes }) => bytes > 8 * MIB)
          .catch(() => false),
      PATIENCE,
    )
    .toBe(true);
  await further.kill();
  await expect.poll(() => state(page), PATIENCE).toBe("done");
  expect((await (await ownerAt(page, link, home)).details()).isComplete).toBe(true);
  await receives(link);
  await restart({});
});
