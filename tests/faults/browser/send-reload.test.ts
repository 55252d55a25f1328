/**
 * R3: the sender's tab is closed, crashed, or its whole browser killed in mid-transfer. The app, opened again, offers to
 * resume; the same files go on where they were, and others are refused.
 *
 * @module
 */
import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MIB } from "../../../core/units.ts";
import { FAILURE_MESSAGES } from "../../../web/src/messages.ts";
import { noise } from "../../support/bytes.ts";
import { launchBrowser } from "../../support/chromium.ts";
import { launchRelay, type RunningRelay } from "../../support/launch.ts";
import { DEATHS, LastingBrowser } from "../lab/deaths.ts";
import { noteFigures } from "../lab/figures.ts";
import { SENT_TWICE_BYTES } from "../lab/stage.ts";
import { until, watchStory } from "../lab/story.ts";
import { readTraffic } from "../lab/traffic.ts";
import { type Cargo, createLink, makeCargo, openReceiver, receivedDigest } from "../lab/transfer.ts";
import { rounds } from "../scale.ts";

const CARGO_BYTES = rounds(112, 192) * MIB;
const LIMIT_MS = 120_000;
const TIMES = rounds(1, 7);

let relay: RunningRelay;
let receivers: Browser;
let cargo: Cargo;
let folder: string;
let profile: LastingBrowser;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "warp-profile-"));
  [relay, receivers, cargo, profile] = await Promise.all([
    launchRelay(),
    launchBrowser(),
    makeCargo(CARGO_BYTES, "reload"),
    LastingBrowser.start(folder),
  ]);
});
afterAll(async () => {
  await Promise.allSettled([profile?.[Symbol.asyncDispose](), receivers?.close()]);
  await Promise.allSettled([relay?.[Symbol.asyncDispose](), cargo?.[Symbol.asyncDispose]()]);
  await rm(folder, { recursive: true, force: true });
});

async function openApp(): Promise<Page> {
  const page = await profile.newPage();
  await page.goto(relay.url);
  return page;
}

async function startSend(path: string): Promise<{ page: Page; link: string }> {
  const page = await openApp();
  await page.getByTestId("file-input").setInputFiles(path);
  await watchStory(page);
  return { page, link: await createLink(page) };
}

/** Opens the app again, resumes what it offers with the file, and waits for the link. */
async function resume(path: string): Promise<{ page: Page; link: string }> {
  const page = await openApp();
  const row = page.getByTestId("interrupted-row");
  await row.getByTestId("resume-transfer").click();
  await watchStory(page);
  await row.getByTestId("file-input").setInputFiles(path);
  const link = await page.getByTestId("share-link").inputValue();
  return { page, link };
}

describe("R3: a sender whose page ends in mid-transfer", () => {
  test.each(DEATHS)(
    `goes on where it was when it was %s, ${TIMES} times`,
    async (how) => {
      for (let round = 0; round < TIMES; round++) {
        const before = await readTraffic(relay.url);
        const { page, link } = await startSend(cargo.path);
        const share = 0.08 + 0.2 * Math.random();
        await until(page, ({ bytesDone }) => bytesDone >= share * CARGO_BYTES, LIMIT_MS);
        await profile.end(page, how);
        const resumed = await resume(cargo.path);
        expect(resumed.link).toBe(link);
        await until(resumed.page, ({ state }) => state === "done", LIMIT_MS);
        const after = await readTraffic(relay.url);
        const sentTwiceBytes = after.receivedBytes - before.receivedBytes - (after.storedBytes - before.storedBytes);
        noteFigures(`R3 sender ${how}`, { share: share.toFixed(2), sentTwiceBytes });
        expect(sentTwiceBytes).toBeLessThanOrEqual(SENT_TWICE_BYTES);
        const receiver = await openReceiver(receivers, link);
        await receiver.getByTestId("receive").click();
        await until(receiver, ({ state }) => state === "done", LIMIT_MS);
        expect(await receivedDigest(receiver)).toBe(cargo.digest);
        await receiver.context().close();
        await resumed.page.reload();
        await resumed.page
          .getByTestId("create-link")
          .or(resumed.page.getByTestId("file-input"))
          .first()
          .waitFor({ state: "attached" });
        expect(await resumed.page.getByTestId("interrupted-row").count()).toBe(0);
        await resumed.page.close();
      }
    },
    900_000,
  );

  test("refuses a file that changed, says so, and takes the right one afterwards", async () => {
    const path = join(folder, "mutable.bin");
    const content = noise(CARGO_BYTES, "mutable");
    await writeFile(path, content);
    // Whole seconds, so that the same time can be set again exactly.
    const time = new Date(1_790_000_000_000);
    await utimes(path, time, time);
    const { page } = await startSend(path);
    await until(page, ({ bytesDone }) => bytesDone >= 0.3 * CARGO_BYTES, LIMIT_MS);
    await page.close();

    const refuse = async (): Promise<void> => {
      const refused = await openApp();
      const row = refused.getByTestId("interrupted-row");
      await row.getByTestId("resume-transfer").click();
      await row.getByTestId("file-input").setInputFiles(path);
      const sentence = refused.getByText(FAILURE_MESSAGES["file/changed"].what);
      await sentence.first().waitFor({ timeout: LIMIT_MS });
      await refused.close();
    };
    // Another time is known at once; other bytes under the same size and time when what was sent is read again.
    await utimes(path, time, new Date(time.getTime() + 5000));
    await refuse();
    const other = content.slice();
    other[7 * MIB] = (other[7 * MIB] ?? 0) ^ 1;
    await writeFile(path, other);
    await utimes(path, time, time);
    await refuse();
    await writeFile(path, content);
    await utimes(path, time, time);
    const resumed = await resume(path);
    await until(resumed.page, ({ state }) => state === "done", LIMIT_MS);
    await resumed.page.close();
  }, 300_000);

  test("is told apart from one that runs in another tab, which may be taken over", async () => {
    const { page, link } = await startSend(cargo.path);
    await until(page, ({ bytesDone }) => bytesDone >= 0.1 * CARGO_BYTES, LIMIT_MS);
    await page.getByTestId("pause").click();
    const second = await resume(cargo.path);
    expect(second.link).toBe(link);
    await until(second.page, ({ state }) => state === "done", LIMIT_MS);
    const told = page.locator("[data-testid=transfer-state][data-state=failed]");
    await told.waitFor({ timeout: LIMIT_MS });
    expect(await told.getAttribute("data-failure")).toMatch(/^(transfer\/elsewhere|portal\/lease-lost)$/);
    await Promise.all([page.close(), second.page.close()]);
  }, 300_000);
});
