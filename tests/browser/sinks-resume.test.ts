/**
 * Receives that are killed, in a real Chromium with its real private file system and database: the worker is terminated at
 * a step of its sink or its journal, and another one goes on.
 *
 * @module
 */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { caseBytes, sha256 } from "../contract/sink-cases.ts";
import { SWAP } from "../contract/sink-driver.ts";
import { KEPT_ENTRIES, type KeepArgument, type KeepResult, type KeptTarget } from "../contract/sink-keep.ts";
import { type SinkServer, serveSinks } from "../contract/sink-server.ts";
import { rounds } from "../faults/scale.ts";
import { launchBrowser } from "../support/chromium.ts";

const MIB = 1024 * 1024;
const LARGE = KEPT_ENTRIES.findIndex(({ path }) => path === "large.bin");

let server: SinkServer;
let browser: Browser;
let page: Page;
/** By path, what each file must be. */
const hashes = new Map<string, string>();

beforeAll(async () => {
  server = await serveSinks();
  browser = await launchBrowser();
  page = await (await browser.newContext()).newPage();
  await page.goto(server.url);
  await page.waitForFunction(() => "sinks" in window);
  for (const { path, size, kind } of KEPT_ENTRIES)
    if (kind === "file") hashes.set(path, await sha256(caseBytes(path, 0, size)));
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

/** One that it had just made for a thread that was killed: it may stay, empty, until the receive goes on. */
const isLeft = ({ path, size }: { path: string; size: number }) => path.endsWith(SWAP) && size === 0;
/** How soon the browser removes its own files of a thread that is gone. */
const CLEARED = { timeout: 15_000 };

/** Runs until `killAt`, or to the end; null when it was killed. */
function keep(
  folder: string,
  target: KeptTarget,
  resume: boolean,
  killAt: KeepArgument["killAt"],
): Promise<KeepResult | null> {
  return page.evaluate((argument) => window.sinks.keepAndKill(argument), { folder, target, resume, killAt });
}

/** What stands in a folder, once the browser has cleared away what it wrote aside for a thread that was killed. */
async function seen(folder: string): ReturnType<typeof window.sinks.seen> {
  const look = () => page.evaluate((folder) => window.sinks.seen(folder), folder);
  let entries = await look();
  await expect
    .poll(async () => {
      entries = await look();
      return entries.filter((entry) => entry.path.endsWith(SWAP) && !isLeft(entry));
    }, CLEARED)
    .toEqual([]);
  return entries;
}
const meddle = (folder: string, path: string, text: string | null) =>
  page.evaluate(([folder, path, text]) => window.sinks.meddle(folder, path, text), [folder, path, text] as const);

/** Nothing but whole files, and where nothing can be moved perhaps empty ones, which a crash leaves. */
async function expectNothingPartial(folder: string, target: KeptTarget): Promise<void> {
  const mayBeEmpty = target !== "own" && target !== "picked, with moves";
  const broken = (await seen(folder)).filter(
    ({ path, hash, size, kind }) =>
      kind === "file" && hash !== hashes.get(path) && !(mayBeEmpty && size === 0) && !isLeft({ path, size }),
  );
  expect(broken).toEqual([]);
}

async function expectWhole(folder: string): Promise<void> {
  const arrived = new Map((await seen(folder)).map(({ path, hash }) => [path, hash]));
  expect([...arrived.keys()].toSorted()).toEqual(KEPT_ENTRIES.map(({ path }) => path).toSorted());
  for (const [path, hash] of hashes) expect(`${path} ${arrived.get(path)}`).toBe(`${path} ${hash}`);
}

/** What is left of a folder's receive in the private file system and in the database, once it is over. */
async function leftovers(folder: string): Promise<string[]> {
  const names = (await page.evaluate((folder) => window.sinks.inWorker("discardKept", folder), folder)) as string[];
  return names.filter((name) => name.startsWith("."));
}

const TARGETS: readonly KeptTarget[] = [
  "own",
  "picked",
  "picked, with moves",
  "picked, without sync access",
  "picked, with little room for staging",
];

/** Targets where what is written aside of a large file is gone with its tab. */
const FORGETFUL: ReadonlySet<KeptTarget> = new Set([
  "picked, without sync access",
  "picked, with little room for staging",
]);

describe.each(TARGETS)("a killed receive into a folder (%s)", (target) => {
  const name = target.replaceAll(/\W/g, "");
  const folder = (round: number) => `kill-${name}-${round}`;

  it("[MOVE-20] [MOVE-22] goes on until it is whole, shows nothing incomplete meanwhile and leaves nothing aside", async () => {
    for (let round = 0; round < rounds(1, 8); round += 1) {
      const steps = rounds(0, 1) === 0 ? [20, 47] : [1, 7, 20, 33 + round, 60 + 3 * round, 75 + round];
      await seen(folder(round));
      let result = await keep(folder(round), target, false, 30 + 17 * round);
      for (const step of steps) {
        if (result !== null) break;
        await expectNothingPartial(folder(round), target);
        result = await keep(folder(round), target, true, step);
      }
      result ??= await keep(folder(round), target, true, null);
      await expectWhole(folder(round));
      expect(result?.renamed).toEqual([]);
      expect(await leftovers(folder(round))).toEqual([]);
    }
  });

  it("[MOVE-21] keeps the bytes of a large open file, where a file that is written aside outlives its tab", async () => {
    await seen(folder(100));
    expect(await keep(folder(100), target, false, { largeBytes: 40 * MIB })).toBeNull();
    await expectNothingPartial(folder(100), target);
    const result = await keep(folder(100), target, true, null);
    const kept = new Map(result?.bytes).get(LARGE) ?? 0;
    if (FORGETFUL.has(target)) expect(kept).toBe(0);
    // The mark before the last one at least: the last one may still have been on its way to the journal.
    else expect(kept).toBeGreaterThanOrEqual(12 * MIB);
    const total = KEPT_ENTRIES.reduce((sum, { size }) => sum + size, 0);
    const placed = (result?.placed ?? []).reduce((sum, number) => sum + (KEPT_ENTRIES[number]?.size ?? 0), 0);
    const aside = (result?.bytes ?? []).reduce((sum, [, bytes]) => sum + bytes, 0);
    expect(result?.written).toBe(total - placed - aside);
    await expectWhole(folder(100));
  });

  it("[MOVE-22] finds its own files beside those of others, and receives again what was removed", async () => {
    await meddle(folder(200), "small/3", "mine");
    await meddle(folder(200), "more", "a file where a folder should be");
    expect(await keep(folder(200), target, false, { largeBytes: 0 })).toBeNull();
    await meddle(folder(200), "small/9", null);
    expect(await keep(folder(200), target, true, { largeBytes: 20 * MIB })).toBeNull();
    const result = await keep(folder(200), target, true, null);
    const arrived = await seen(folder(200));
    const paths = KEPT_ENTRIES.map(({ path }) => path.replace("more/", "more (2)/")).concat("more", "small/3 (2)");
    expect(arrived.map(({ path }) => path).toSorted()).toEqual(paths.toSorted());
    const hashOf = (path: string) => arrived.find((each) => each.path === path)?.hash;
    expect(hashOf("small/3 (2)")).toBe(hashes.get("small/3"));
    expect(hashOf("small/9")).toBe(hashes.get("small/9"));
    expect(hashOf("small/3")).not.toBe(hashes.get("small/3"));
    for (const [path, hash] of hashes)
      if (path.startsWith("more/")) expect(hashOf(path.replace("more", "more (2)"))).toBe(hash);
    expect(result?.renamed).toContain("small/3 > small/3 (2)");
  });

  it("[MOVE-23] is discarded with what it left aside; what arrived whole stays", async () => {
    await seen(folder(300));
    expect(await keep(folder(300), target, false, { largeBytes: 20 * MIB })).toBeNull();
    const whole = async () => (await seen(folder(300))).filter((entry) => !isLeft(entry));
    const before = await whole();
    expect(await leftovers(folder(300))).toEqual([]);
    expect(await whole()).toEqual(before);
    expect(before.length).toBeGreaterThan(20);
  });
});
