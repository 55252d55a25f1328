/**
 * A link with a password and two downloads, as people and bots meet it, in several real browsers: only what was received whole
 * is counted. The rest of a portal's life is in `tests/browser/web-with-relay.test.ts`.
 *
 * @module
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { noise } from "../support/bytes.ts";
import { launchBrowser } from "../support/chromium.ts";
import { launchRelay, type RunningRelay } from "../support/launch.ts";
import { createLink, openPage, receiveDownload, transferState, waitForState } from "./app.ts";

const MIB = 2 ** 20;
const PASSWORD = "correct horse battery staple";

let relay: RunningRelay;
let owner: Browser;
let stranger: Browser;
let folder: string;

beforeAll(async () => {
  [relay, owner, stranger, folder] = await Promise.all([
    launchRelay({}),
    launchBrowser(),
    launchBrowser(),
    mkdtemp(join(tmpdir(), "warp-portals-")),
  ]);
});
afterAll(async () => {
  await Promise.allSettled([owner?.close(), stranger?.close(), relay?.[Symbol.asyncDispose]()]);
  await rm(folder, { recursive: true, force: true });
});

async function file(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

async function unlock(page: Page, password: string): Promise<void> {
  await page.getByTestId("password-input").fill(password);
  await page.getByTestId("password-input").press("Enter");
}

/** Opens a link with its password and gives the downloaded bytes. */
async function download(link: string, password: string): Promise<Buffer> {
  const page = await openPage(stranger, link);
  await unlock(page, password);
  await page.getByTestId("receive").waitFor();
  const saved = await receiveDownload(page);
  await waitForState(page, "done");
  const bytes = await readFile(await saved.path());
  await page.context().close();
  return bytes;
}

test("a portal with a password and two downloads: previews do not count, two arrive, the third is refused", async () => {
  const bytes = noise(6 * MIB, "report");
  const sender = await openPage(owner, relay.url);
  await sender.getByTestId("file-input").setInputFiles(await file("report.bin", bytes));
  await sender.getByTestId("option-downloads").fill("2");
  await sender.getByTestId("option-password").fill(PASSWORD);
  const link = await createLink(sender);
  await waitForState(sender, "done");

  // A bot of a chat opens what it sees, with and without the fragment, also in a real browser that runs scripts.
  for (const address of [link, link.replace(/#.*/, "")]) {
    const answer = await fetch(address, { headers: { "User-Agent": "previewbot" } });
    expect(answer.status).toBe(200);
    expect(await answer.text()).not.toContain("report");
  }
  const bot = await openPage(stranger, link);
  await bot.getByTestId("password-input").waitFor();
  await unlock(bot, "a guess");
  await bot.locator("[data-testid=transfer-state][data-failure='password/wrong']").waitFor({ state: "attached" });
  await bot.context().close();
  // Somebody unlocks it, looks, begins, and breaks off.
  const curious = await openPage(stranger, link);
  await unlock(curious, PASSWORD);
  await curious.getByTestId("receive").waitFor();
  await curious.context().close();

  expect(Buffer.compare(await download(link, PASSWORD), bytes)).toBe(0);
  await sender.getByTestId("manage").click();
  await sender.getByText("1 of 2\u00a0downloads").waitFor();
  expect(Buffer.compare(await download(link, PASSWORD), bytes)).toBe(0);

  const late = await openPage(stranger, link);
  await late.locator("[data-testid=transfer-state][data-state=failed]").waitFor({ state: "attached" });
  expect((await transferState(late)).failure).toBe("portal/unknown");
  await late.context().close();
  await sender.context().close();
});
