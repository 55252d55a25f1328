/**
 * A relay that dies, and a relay whose disk lies: nothing wrong is ever written, and what can go on goes on.
 *
 * @module
 */
import { mkdtemp, open, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MIB } from "../../core/units.ts";
import { noise } from "../support/bytes.ts";
import { launchBrowser } from "../support/chromium.ts";
import { launchRelay } from "../support/launch.ts";
import { createLink, openPage, receiveDownload, transferState, waitForState } from "./app.ts";

let browser: Browser;
let folder: string;

beforeAll(async () => {
  [browser, folder] = await Promise.all([launchBrowser(), mkdtemp(join(tmpdir(), "warp-hostile-"))]);
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Files of at least `bytes` bytes below a folder. */
async function largeFiles(root: string, bytes: number): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(root, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && (await stat(path)).size >= bytes && !/sqlite|\.db/.test(entry.name)) found.push(path);
  }
  return found;
}

test.each(["webtransport", "tcp"])(
  "a relay killed in mid-transfer over %s and started again loses nothing",
  async (path) => {
    await using relay = await launchRelay();
    const bytes = noise(96 * MIB, `killed ${path}`);
    const file = join(folder, `killed-${path}.bin`);
    await writeFile(file, bytes);
    const sender = await openPage(browser, `${relay.url}/?path=${path}`);
    await sender.getByTestId("file-input").setInputFiles(file);
    const link = await createLink(sender);
    await expect
      .poll(async () => (await transferState(sender)).bytesDone, { timeout: 60_000 })
      .toBeGreaterThan(8 * MIB);
    await relay.kill();
    await sender.locator("[data-testid=transfer-state][data-state=waiting]").waitFor({ state: "attached" });
    await using again = await launchRelay({ port: relay.port, dataDir: relay.dataDir });
    await waitForState(sender, "done");
    const receiver = await openPage(browser, link);
    const download = await receiveDownload(receiver);
    await waitForState(receiver, "done");
    const got = await readFile(await download.path());
    expect(got.equals(bytes)).toBe(true);
    expect(again.url).toBe(relay.url);
    await sender.close();
    await receiver.close();
  },
);

test("a pack that changed on the relay's disk fails the receive with its code, and the download does not complete", async () => {
  await using relay = await launchRelay();
  const file = join(folder, "flipped.bin");
  await writeFile(file, noise(80 * MIB, "flipped"));
  const sender = await openPage(browser, relay.url);
  await sender.getByTestId("file-input").setInputFiles(file);
  const link = await createLink(sender);
  await waitForState(sender, "done");
  // The relay forgets what it holds in memory.
  await relay.stop();
  for (const path of (await largeFiles(relay.dataDir, MIB)).slice(-3)) {
    await using handle = await open(path, "r+");
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, 12_345);
    await handle.write(Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, 12_345);
  }
  await using again = await launchRelay({ port: relay.port, dataDir: relay.dataDir });
  const receiver = await openPage(browser, link);
  const download = await receiveDownload(receiver);
  await receiver.locator("[data-testid=transfer-state][data-state=failed]").waitFor({ state: "attached" });
  expect((await transferState(receiver)).failure).toBe("object/corrupt");
  expect(await download.failure()).not.toBeNull();
  expect(again.port).toBe(relay.port);
  await sender.close();
  await receiver.close();
});
