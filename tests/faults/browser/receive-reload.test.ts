/**
 * R4: the receiver's tab is closed or crashed, or its whole browser killed, in mid-transfer. The link, opened again, offers
 * to go on; what arrives is whole, nothing incomplete ever stands under a final name, and little travels twice.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DOWNLOAD_WINDOW_PACKS, MIB, SEALED_PACK_BYTES } from "../../../core/units.ts";
import { noise } from "../../support/bytes.ts";
import { launchRelay, type RunningRelay } from "../../support/launch.ts";
import { DEATHS, LastingBrowser } from "../lab/deaths.ts";
import { noteFigures } from "../lab/figures.ts";
import { until, watchStory } from "../lab/story.ts";
import { readTraffic } from "../lab/traffic.ts";
import { createLink } from "../lab/transfer.ts";
import { rounds } from "../scale.ts";

const SMALL_FILES = 120;
const LARGE_BYTES = rounds(120, 240) * MIB;
const LIMIT_MS = 120_000;
const TIMES = rounds(2, 20);
/** What one death may cost: what was on its way, what was expanded, and two marks of 16 MiB. */
const FETCHED_TWICE_BYTES = (DOWNLOAD_WINDOW_PACKS + 2) * SEALED_PACK_BYTES + 32 * MIB;
const PASSWORD = "open sesame";

let relay: RunningRelay;
let folder: string;
let profile: LastingBrowser;
let link: string;
/** Name and SHA-256 of each file that is sent. */
const sent = new Map<string, string>();
/** Bytes of all sealed objects. */
let storedBytes = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "warp-profile-"));
  const cargo = await mkdtemp(join(tmpdir(), "warp-cargo-"));
  try {
    for (let i = 0; i < SMALL_FILES; i++)
      await writeFile(join(cargo, `small-${i}.txt`), noise(i * 2_003, `small ${i}`));
    await writeFile(join(cargo, "large.bin"), noise(LARGE_BYTES, "receive-reload"));
    [relay, profile] = await Promise.all([launchRelay(), LastingBrowser.start(folder)]);
    const names = await readdir(cargo);
    for (const name of names)
      sent.set(
        name,
        createHash("sha256")
          .update(await readFile(join(cargo, name)))
          .digest("hex"),
      );
    const page = await profile.newPage();
    await page.goto(relay.url);
    await page.getByTestId("file-input").setInputFiles(names.map((name) => join(cargo, name)));
    await page.getByTestId("option-password").fill(PASSWORD);
    await watchStory(page);
    link = await createLink(page);
    await until(page, ({ state }) => state === "done", LIMIT_MS);
    await page.close();
    ({ storedBytes } = await readTraffic(relay.url));
  } finally {
    await rm(cargo, { recursive: true, force: true });
  }
});
afterAll(async () => {
  await profile?.[Symbol.asyncDispose]();
  await relay?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Opens the link. The picker is the operating system's; a private folder stands in for the one that it would give. */
async function openLink(picked: string): Promise<Page> {
  const page = await profile.newPage();
  await page.goto(link);
  await page.evaluate((picked) => {
    Object.defineProperty(window, "showDirectoryPicker", {
      value: async () => (await navigator.storage.getDirectory()).getDirectoryHandle(picked, { create: true }),
    });
  }, picked);
  await watchStory(page);
  return page;
}

/** Opens the link where nothing was interrupted: the password is asked for. */
async function unlock(picked: string): Promise<Page> {
  const page = await openLink(picked);
  await page.getByTestId("password-input").fill(PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByTestId("receive").waitFor();
  expect(await page.getByTestId("interrupted").count()).toBe(0);
  return page;
}

/** SHA-256 of each file in a folder of the private file system, by path; what lies aside is left out. */
function arrived(page: Page, path: readonly string[]): Promise<Record<string, string>> {
  return page.evaluate(async (path) => {
    let root = await navigator.storage.getDirectory();
    for (const name of path) root = await root.getDirectoryHandle(name, { create: true });
    const hashes: Record<string, string> = {};
    for await (const [name, handle] of root.entries()) {
      if (!(handle instanceof FileSystemFileHandle)) continue;
      const bytes = await (await handle.getFile()).arrayBuffer();
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
      hashes[name] = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
    }
    return hashes;
  }, path);
}

/** What lies anywhere in the private file system under the name of the folder for unfinished files. */
function aside(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const found: string[] = [];
    const look = async (folder: FileSystemDirectoryHandle, path: string): Promise<void> => {
      for await (const [name, handle] of folder.entries()) {
        if (name === ".warp-partial") found.push(path + name);
        else if (handle instanceof FileSystemDirectoryHandle) await look(handle, `${path}${name}/`);
      }
    };
    await look(await navigator.storage.getDirectory(), "");
    return found;
  });
}

describe("R4: a receiver whose page ends in mid-transfer", () => {
  test.each(["directory", "private"] as const)(
    `[MOVE-20] [MOVE-21] goes on where it was, into the sink "%s", after ${TIMES} deaths`,
    async (sink) => {
      const portal = new URL(link).pathname.split("/").at(-1) ?? "";
      const target = sink === "directory" ? ["picked"] : ["received", portal];
      const before = await readTraffic(relay.url);
      let page = await unlock("picked");
      await page.getByTestId("sink-select").selectOption(sink);
      await page.getByTestId("receive").click();
      for (let round = 0; round < TIMES; round++) {
        // Far enough on that something is written down, and not so far that it may be over before it dies.
        const share = ((round + 0.3 + 0.3 * Math.random()) / TIMES) * 0.7;
        await until(page, ({ bytesDone }) => bytesDone >= share * LARGE_BYTES, LIMIT_MS);
        await profile.end(page, DEATHS[round % DEATHS.length] ?? "closed");
        page = await openLink("picked");
        // The keys were kept, so that no password is asked for.
        await page.getByTestId("interrupted").waitFor();
        for (const [name, hash] of Object.entries(await arrived(page, target)))
          expect(`${name} ${hash}`).toBe(`${name} ${sent.get(name)}`);
        await page.getByTestId("resume-receive").click();
      }
      await until(page, ({ state }) => state === "done", LIMIT_MS);
      expect(await arrived(page, target)).toEqual(Object.fromEntries(sent));
      expect(await aside(page)).toEqual([]);
      const fetchedTwiceBytes = (await readTraffic(relay.url)).sentBytes - before.sentBytes - storedBytes;
      noteFigures(`R4 receiver, ${sink}`, {
        deaths: TIMES,
        fetchedTwiceBytes,
        each: Math.round(fetchedTwiceBytes / TIMES),
      });
      expect(fetchedTwiceBytes).toBeLessThanOrEqual(TIMES * FETCHED_TWICE_BYTES);
      // Nothing is offered any more.
      await page.close();
      page = await unlock("picked");
      await page.close();
    },
    900_000,
  );

  test("[MOVE-25] that another tab continues ends, and the other one has it all", async () => {
    const first = await unlock("shared");
    await first.getByTestId("sink-select").selectOption("directory");
    await first.getByTestId("receive").click();
    await until(first, ({ bytesDone }) => bytesDone >= 0.2 * LARGE_BYTES, LIMIT_MS);
    await first.getByTestId("pause").click();
    const second = await openLink("shared");
    await second.getByTestId("resume-receive").click();
    await first
      .locator("[data-testid=transfer-state][data-failure='transfer/elsewhere']")
      .waitFor({ state: "attached" });
    await until(second, ({ state }) => state === "done", LIMIT_MS);
    expect(await arrived(second, ["shared"])).toEqual(Object.fromEntries(sent));
    expect(await aside(second)).toEqual([]);
    await Promise.all([first.close(), second.close()]);
  });

  test("[MOVE-23] that is started over and cancelled leaves nothing to go on with, and nothing aside", async () => {
    const dying = await unlock("cancelled");
    await dying.getByTestId("sink-select").selectOption("directory");
    await dying.getByTestId("receive").click();
    await until(dying, ({ bytesDone }) => bytesDone >= 0.3 * LARGE_BYTES, LIMIT_MS);
    await dying.close();
    const page = await openLink("cancelled");
    await page.getByTestId("restart-receive").click();
    await until(page, ({ bytesDone }) => bytesDone >= 0.2 * LARGE_BYTES, LIMIT_MS);
    await page.getByTestId("cancel").click();
    await page.locator("[data-testid=transfer-state][data-state=cancelled]").waitFor({ state: "attached" });
    await expect.poll(() => aside(page)).toEqual([]);
    expect(Object.keys(await arrived(page, ["cancelled"]))).not.toContain("large.bin");
    await page.close();
    await (await unlock("cancelled")).close();
  });
});
