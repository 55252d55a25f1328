/**
 * What people meet when something is wrong: each ends in its code and a sentence, and the page stays usable.
 *
 * @module
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WEBTRANSPORT_CONNECT_MS } from "../../core/units.ts";
import { FAILURE_MESSAGES } from "../../web/src/messages.ts";
import { noise } from "../support/bytes.ts";
import { launchBrowser } from "../support/chromium.ts";
import { launchRelay, type RunningRelay } from "../support/launch.ts";
import { createLink, openPage, receiveDownload, transferState, waitForState } from "./app.ts";

let relay: RunningRelay;
let browser: Browser;
let folder: string;

beforeAll(async () => {
  [relay, browser, folder] = await Promise.all([
    launchRelay({ env: { MAX_PORTAL_BYTES: String(64 * 1024 * 1024) } }),
    launchBrowser({ args: ["--host-resolver-rules=MAP insecure.test 127.0.0.1"] }),
    mkdtemp(join(tmpdir(), "warp-failures-")),
  ]);
});
afterAll(async () => {
  await Promise.allSettled([browser?.close(), relay?.[Symbol.asyncDispose]()]);
  await rm(folder, { recursive: true, force: true });
});

async function file(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

async function send(path: string, page?: Page): Promise<{ sender: Page; link: string }> {
  const sender = page ?? (await openPage(browser, relay.url));
  await sender.getByTestId("file-input").setInputFiles(path);
  return { sender, link: await createLink(sender) };
}

/** Waits for a failure and checks that the page says its sentence. */
async function expectFailure(page: Page, code: keyof typeof FAILURE_MESSAGES): Promise<void> {
  await page
    .locator(`[data-testid=transfer-state][data-failure="${code}"]`)
    .waitFor({ state: "attached", timeout: 40_000 });
  expect((await transferState(page)).state).toBe("failed");
  await expect.poll(() => page.getByTestId("failure").textContent()).toContain(FAILURE_MESSAGES[code].title);
}

test("a cut link, a wrong secret and an unknown portal are told apart from the link alone", async () => {
  const { sender, link } = await send(await file("small.txt", noise(1000, "small")));
  await waitForState(sender, "done");
  const cut = await openPage(browser, link.slice(0, -6));
  await expectFailure(cut, "link/cut");
  const other = await send(await file("other.txt", noise(1000, "other")));
  const foreign = new URL(link);
  foreign.pathname = new URL(other.link).pathname;
  const mixed = await openPage(browser, foreign.href);
  await expectFailure(mixed, "link/cut");
  for (const page of [sender, other.sender, cut, mixed]) await page.close();
});

test("a deleted portal is unknown or ended, and the page offers to start over", async () => {
  const { sender, link } = await send(await file("gone.bin", noise(40 * 1024 * 1024, "gone")));
  await sender.getByTestId("cancel").click();
  await waitForState(sender, "cancelled");
  const receiver = await openPage(browser, link);
  await receiver.locator("[data-testid=transfer-state][data-state=failed]").waitFor({ state: "attached" });
  expect(["portal/unknown", "portal/expired"]).toContain((await transferState(receiver)).failure);
  await receiver.goto(relay.url);
  await receiver.getByTestId("file-input").waitFor({ state: "attached" });
  await sender.close();
  await receiver.close();
});

test("a password encrypts: a wrong one is refused and may be tried again", async () => {
  const bytes = noise(300_000, "password");
  const sender = await openPage(browser, relay.url);
  await sender.getByTestId("file-input").setInputFiles(await file("locked.bin", bytes));
  const password = sender.getByTestId("option-password");
  if (!(await password.isVisible())) await sender.locator("details summary").first().click();
  await password.fill("correct horse");
  const link = await createLink(sender);
  await waitForState(sender, "done");
  const receiver = await openPage(browser, link);
  await receiver.getByTestId("password-input").fill("battery staple");
  await receiver.getByTestId("unlock").click();
  await expect.poll(() => receiver.locator("body").textContent(), { timeout: 20_000 }).toMatch(/password/i);
  await receiver.getByTestId("password-input").fill("correct horse");
  await receiver.getByTestId("unlock").click();
  const download = await receiveDownload(receiver);
  await waitForState(receiver, "done");
  expect(download.suggestedFilename()).toBe("locked.bin");
  await sender.close();
  await receiver.close();
});

test("after the last completed download the link has ended", async () => {
  const sender = await openPage(browser, relay.url);
  await sender.getByTestId("file-input").setInputFiles(await file("once.bin", noise(100_000, "once")));
  const downloads = sender.getByTestId("option-downloads");
  if (!(await downloads.isVisible())) await sender.locator("details summary").first().click();
  await downloads.fill("1");
  const link = await createLink(sender);
  await waitForState(sender, "done");
  const looked = await openPage(browser, link);
  await looked.getByTestId("file-row").first().waitFor();
  await looked.close();
  const first = await openPage(browser, link);
  await receiveDownload(first);
  await waitForState(first, "done");
  const second = await openPage(browser, link);
  await second.locator("[data-testid=transfer-state][data-state=failed]").waitFor({ state: "attached" });
  expect(["portal/unknown", "portal/expired"]).toContain((await transferState(second)).failure);
  for (const page of [sender, first, second]) await page.close();
});

test("a file that changed since it was picked fails the send with its code, and nothing of it completes", async () => {
  const path = await file("moving.bin", noise(8 * 1024 * 1024, "moving"));
  const sender = await openPage(browser, relay.url);
  await sender.getByTestId("file-input").setInputFiles(path);
  await appendFile(path, "more");
  await sender.getByTestId("create-link").click();
  await sender.locator("[data-testid=transfer-state][data-state=failed]").waitFor({ state: "attached" });
  expect(["file/changed", "file/unreadable"]).toContain((await transferState(sender)).failure);
  await sender.close();
});

test("more than the relay takes for one portal is refused with its code", async () => {
  const { sender } = await send(await file("big.bin", noise(80 * 1024 * 1024, "big")));
  await expectFailure(sender, "portal/full");
  await sender.close();
});

test("a private store without room fails before anything is written", async () => {
  const { sender, link } = await send(await file("room.bin", noise(24 * 1024 * 1024, "room")));
  await waitForState(sender, "done");
  const receiver = await openPage(browser, link);
  const client = await receiver.context().newCDPSession(receiver);
  await client.send("Storage.overrideQuotaForOrigin", { origin: relay.url, quotaSize: 4 * 1024 * 1024 });
  await receiver.getByTestId("sink-select").selectOption("private");
  await receiver.getByTestId("receive").click();
  await expectFailure(receiver, "sink/full");
  await sender.close();
  await receiver.close();
});

test("where UDP gets no answer the transfer runs over TCP within 3 s and says why", async () => {
  const hole = createSocket("udp4").bind(0, "127.0.0.1");
  await once(hole, "listening");
  const context = await browser.newContext();
  let askedMs = Number.NaN;
  await context.route("**/api/v1/relay", async (route) => {
    askedMs = performance.now();
    const response = await route.fetch();
    const info = (await response.json()) as { webtransport: { url: string } };
    info.webtransport.url = `https://127.0.0.1:${hole.address().port}/api/v1/link`;
    await route.fulfill({ response, json: info });
  });
  const sender = await context.newPage();
  await sender.goto(relay.url);
  await sender.getByTestId("file-input").setInputFiles(await file("tcp.bin", noise(100_000, "tcp")));
  await sender.getByTestId("create-link").click();
  await sender.locator("[data-testid=transfer-state][data-path=tcp]").waitFor({ state: "attached", timeout: 10_000 });
  // The address is asked for at the click, while the portal is made.
  expect(performance.now() - askedMs).toBeLessThan(WEBTRANSPORT_CONNECT_MS);
  expect(await sender.getByTestId("path-sentence").textContent()).toMatch(/TCP/);
  await waitForState(sender, "done");
  hole.close();
  await context.close();
});

test("an unreachable relay is said, not hung on", async () => {
  const own = await launchRelay();
  const sender = await openPage(browser, own.url);
  const workerLoaded = sender.waitForResponse(/transfer\.worker/).then((response) => response.finished());
  await sender.getByTestId("file-input").setInputFiles(await file("lost.bin", noise(1000, "lost")));
  await workerLoaded;
  await own.kill();
  await sender.getByTestId("create-link").click();
  await sender.locator('[data-testid=transfer-state][data-failure="relay/unreachable"]').waitFor({ state: "attached" });
  await own[Symbol.asyncDispose]();
  await sender.close();
});

test("an insecure origin says so in a sentence instead of failing", async () => {
  const page = await openPage(browser, `http://insecure.test:${relay.port}/`);
  await page.locator('[data-testid=transfer-state][data-failure="browser/insecure"]').waitFor({ state: "attached" });
  expect(await page.locator("main").textContent()).toMatch(/https/i);
  await page.close();
});
