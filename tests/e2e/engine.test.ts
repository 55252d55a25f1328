/**
 * Transfers whose cutting and hashing is done on the GPU (here the software one), and what becomes of them when the GPU
 * goes away.
 *
 * @module
 */
import { readFile, rm, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MIB } from "../../core/units.ts";
import { noise, prose } from "../support/bytes.ts";
import { launchBrowser } from "../support/chromium.ts";
import { launchRelay, type RunningRelay } from "../support/launch.ts";
import { freshPath } from "../support/tree.ts";
import { createLink, dropPaths, openPage, receiveDownload, transferState, waitForState, withQuery } from "./app.ts";

const FILE_BYTES = 40 * MIB;

let relay: RunningRelay;
let file: string;
let content: Buffer;

beforeAll(async () => {
  content = Buffer.concat([prose(6 * MIB, "engine"), noise(FILE_BYTES - 6 * MIB, "engine")]);
  file = freshPath();
  [relay] = await Promise.all([launchRelay(), writeFile(file, content)]);
});
afterAll(async () => {
  await Promise.allSettled([relay?.[Symbol.asyncDispose](), rm(file, { force: true })]);
});

/** A browser with a GPU of its own, so that it may be taken away. */
async function withBrowser(work: (browser: Browser) => Promise<void>): Promise<void> {
  const browser = await launchBrowser({ gpu: true });
  try {
    await work(browser);
  } finally {
    await browser.close();
  }
}

async function crashGpu(browser: Browser): Promise<void> {
  const client = await browser.newBrowserCDPSession();
  await client.send("Browser.crashGpuProcess").catch(() => {
    // the answer is lost with the process
  });
  await client.detach();
}

/** Chromium starts a GPU process that died again, but not for ever: then it has no adapter any more. */
async function crashUntilGone(browser: Browser): Promise<void> {
  const page = await openPage(browser, relay.url);
  const hasAdapter = () => page.evaluate(async () => (await navigator.gpu.requestAdapter()) !== null);
  for (let crash = 0; (await hasAdapter()) && crash < 10; crash++) {
    await crashGpu(browser);
    await page.waitForTimeout(300);
  }
  expect(await hasAdapter()).toBe(false);
  await page.close();
}

/** Sends a file that is not worth keeping, and receives it; gives what both pages say of their engines. */
async function sentences(browser: Browser, bytes: number): Promise<string[]> {
  const path = freshPath();
  try {
    await writeFile(path, noise(bytes, "by itself"));
    const sender = await openPage(browser, withQuery(relay.url, { path: "tcp" }));
    await dropPaths(sender, [path]);
    const link = await createLink(sender);
    const receiver = await openPage(browser, link);
    await receiveDownload(receiver);
    const said = [sender, receiver].map(async (page) => {
      await waitForState(page, "done");
      return (await page.getByText(/^(CPU|GPU)( engine| for)/).textContent()) ?? "";
    });
    return await Promise.all(said);
  } finally {
    await rm(path, { force: true });
  }
}

/** Sends the file, does `meanwhile` once its first bytes are on the relay, receives it, and compares. Gives both engines. */
async function transfer(browser: Browser, meanwhile: () => Promise<void> = async () => {}): Promise<(string | null)[]> {
  const query = { engine: "gpu", path: "tcp" };
  const sender = await openPage(browser, withQuery(relay.url, query));
  await dropPaths(sender, [file]);
  const link = await createLink(sender);
  await expect.poll(async () => (await transferState(sender)).bytesDone, { timeout: 30_000 }).toBeGreaterThan(0);
  await meanwhile();
  const sent = await waitForState(sender, "done");
  const receiver = await openPage(browser, withQuery(link, query));
  const download = await receiveDownload(receiver);
  const received = await waitForState(receiver, "done");
  expect(download.suggestedFilename()).toBe(basename(file));
  expect(Buffer.compare(await readFile(await download.path()), content)).toBe(0);
  await sender.close();
  await receiver.close();
  return [sent.engine, received.engine];
}

describe("a transfer on the GPU", () => {
  test("arrives byte for byte, and both pages say that the GPU did it", async () => {
    await withBrowser(async (browser) => {
      expect(await transfer(browser)).toEqual(["gpu", "gpu"]);
    });
  });

  test("is looked into by itself from 64 MiB on, by both sides, which leave a GPU alone that is none", async () => {
    await withBrowser(async (browser) => {
      const small = "CPU engine: there is too little to do for it to be worth while to ask the GPU.";
      expect(await sentences(browser, 64 * MIB - 1)).toEqual([small, small]);
      const none = "CPU engine: this browser's GPU is only imitated by the processor.";
      expect(await sentences(browser, 64 * MIB)).toEqual([none, none]);
    });
  });

  test("goes on on the CPU when the GPU process dies on the way, and never asks again where it does not come back", async () => {
    await withBrowser(async (browser) => {
      const [sender] = await transfer(browser, () => crashGpu(browser));
      expect(sender).toBe("cpu");
      await crashUntilGone(browser);
      expect(await transfer(browser)).toEqual(["cpu", "cpu"]);
    });
  });
});
