/**
 * One receive over three edges: two relays and another browser. One relay gets slow, the other dies; what arrives is what was
 * sent, and the dashboard says what happened.
 *
 * @module
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { EdgesSnapshot } from "../../core/transfer/edges-snapshot.ts";
import { MIB } from "../../core/units.ts";
import { noise } from "../support/bytes.ts";
import { launchBrowser } from "../support/chromium.ts";
import { launchRelay } from "../support/launch.ts";
import { openSlowLine } from "../support/slow-line.ts";
import { createLink, openPage, receiveDownload, transferState, waitForState, withQuery } from "./app.ts";

const BYTES = 192 * MIB;
/** Of each line, until one is made slower: the first receiver is not done, and gone, before the second one has begun. */
const LINE_BYTES_PER_SEC = 6e6;
const SLOW_BYTES_PER_SEC = 1.5e6;
/** While the test waits for something that must happen before the end. */
const CRAWL_BYTES_PER_SEC = 0.3e6;
/** Two pages on one machine meet well within this time. */
const MEET_MS = 4_000;

let browser: Browser;
let folder: string;

beforeAll(async () => {
  [browser, folder] = await Promise.all([launchBrowser(), mkdtemp(join(tmpdir(), "warp-edges-"))]);
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

type Listening = typeof globalThis & { heard?: EdgesSnapshot[] };

/** Runs inside a page: keeps what its transfer announces. */
function listen(): void {
  const page = globalThis as Listening;
  const heard: EdgesSnapshot[] = [];
  page.heard = heard;
  new BroadcastChannel("warp-live").onmessage = ({ data }) => {
    if (data.t === "transfer" && data.transfer.edges !== null) heard.push(data.transfer.edges);
  };
}

function heardBy(page: Page): Promise<EdgesSnapshot[]> {
  return page.evaluate(() => (globalThis as Listening).heard ?? []);
}

async function untilBytes(page: Page, bytes: number): Promise<void> {
  await expect
    .poll(async () => (await transferState(page)).bytesDone, { timeout: 60_000, interval: 50 })
    .toBeGreaterThan(bytes);
}

/** What the page has told of why it planned anew: "drift 0" for one edge. */
async function causesOf(page: Page): Promise<string[]> {
  const replans = (await heardBy(page)).at(-1)?.replans ?? [];
  return replans.flatMap(({ causes }) => causes.map(({ cause, edges }) => `${cause} ${edges.join()}`));
}

async function untilTold(page: Page, cause: string): Promise<void> {
  await expect.poll(() => causesOf(page), { timeout: 60_000, interval: 100 }).toContain(cause);
}

test("a receive takes from two relays and a peer, and goes on when one relay gets slow and the other one dies", async () => {
  let ports: readonly number[] = [];
  await using homeLine = await openSlowLine(() => ports[0] ?? 0, Number.POSITIVE_INFINITY);
  await using otherLine = await openSlowLine(() => ports[1] ?? 0, Number.POSITIVE_INFINITY);
  const [home, other] = [`localhost:${homeLine.port}`, `localhost:${otherLine.port}`];
  const env = { RELAYS_MODE: "replicated" };
  await using homeRelay = await launchRelay({ env: { ...env, RELAYS: `http://${other}` } });
  await using otherRelay = await launchRelay({ env: { ...env, RELAYS: `http://${home}` } });
  ports = [homeRelay.port, otherRelay.port];

  const bytes = noise(BYTES, "three edges");
  const file = join(folder, "edges.bin");
  await writeFile(file, bytes);
  const sender = await openPage(browser, `http://${home}/?path=tcp`, [other]);
  await sender.getByTestId("file-input").setInputFiles(file);
  const link = await createLink(sender);
  await waitForState(sender, "done", 120_000);

  for (const line of [homeLine, otherLine]) line.setRate(LINE_BYTES_PER_SEC);
  const address = withQuery(link, { path: "tcp", peers: "on" });
  const first = await openPage(browser, address, [other]);
  const second = await openPage(browser, address, [other]);
  await second.evaluate(listen);
  // They meet when the link is open; from then on the first one keeps for the second what it receives.
  await Promise.all([first, second].map((page) => page.getByTestId("receive").waitFor()));
  await new Promise((resolve) => setTimeout(resolve, MEET_MS));
  const firstDownload = receiveDownload(first);
  await untilBytes(first, 16 * MIB);
  const secondDownload = receiveDownload(second);
  const dashboard = await second.context().newPage();
  await dashboard.goto(`http://${home}/dashboard`);

  await untilBytes(second, 48 * MIB);
  homeLine.setRate(SLOW_BYTES_PER_SEC);
  await untilTold(second, "drift 0");
  await untilBytes(second, 96 * MIB);
  homeLine.setRate(CRAWL_BYTES_PER_SEC);
  await otherRelay.kill();
  await untilTold(second, "edge-lost 1");
  homeLine.setRate(LINE_BYTES_PER_SEC);
  await untilBytes(second, 120 * MIB);
  await mkdir(".cache/screens", { recursive: true });
  await dashboard.screenshot({ path: ".cache/screens/dashboard-three-edges.png", fullPage: true });

  for (const [page, download] of [
    [first, await firstDownload],
    [second, await secondDownload],
  ] as const) {
    await waitForState(page, "done", 180_000);
    expect((await readFile(await download.path())).equals(bytes)).toBe(true);
  }
  const heard = await heardBy(second);
  const last = heard.at(-1);
  const edges = last?.edges ?? [];
  expect(edges.map(({ kind, name }) => [kind, name])).toEqual([
    ["tcp", home],
    ["tcp", other],
    ["peer", ""],
  ]);
  for (const edge of edges) expect(edge.packs, `packs of edge ${edge.edge}`).toBeGreaterThan(0);
  expect((await transferState(second)).path).toBe("mixed");
  await Promise.all([sender.close(), first.close(), second.close()]);
}, 300_000);
