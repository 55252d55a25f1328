/**
 * Browsers of one portal give each other packs over real data channels: alone with a relay that the test plays, and in the
 * product before a real relay.
 *
 * @module
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { MIB, SEALED_PACK_BYTES } from "../../core/units.ts";
import { ROOT } from "../../scripts/lib/process.ts";
import {
  createLink,
  dropPaths,
  openPage,
  pauseAtOnce,
  receiveDownload,
  transferState,
  waitForState,
  withQuery,
} from "../e2e/app.ts";
import { bundle } from "../support/bundle.ts";
import { noise } from "../support/bytes.ts";
import { launchBrowser } from "../support/chromium.ts";
import { launchRelay, type RunningRelay } from "../support/launch.ts";
import { openModulePage } from "../support/module-page.ts";
import { openSlowLine } from "../support/slow-line.ts";

const PATIENCE = { timeout: 30_000 };

let relay: RunningRelay;
let browser: Browser;
beforeAll(async () => {
  [relay, browser] = await Promise.all([launchRelay(), launchBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await relay?.[Symbol.asyncDispose]();
});

interface Signal {
  readonly from: number;
  readonly to: number;
  readonly body: number[];
}

describe("two pages of one browser", () => {
  let code: string;
  beforeAll(async () => {
    code = await bundle(join(ROOT, "tests/browser/peers-page.ts"), "es");
  });
  let pages: Page[] = [];
  afterEach(async () => {
    await Promise.all(pages.map((page) => page.context().close()));
    pages = [];
  });

  /** Opens members whose signals go through `pass`, which gives what the relay hands on. */
  async function meet(secrets: readonly number[], pass: (signal: Signal) => Promise<Signal | null>): Promise<Page[]> {
    const signals: Signal[] = [];
    for (const _ of secrets) {
      const context = await browser.newContext();
      const member = pages.length + 1;
      await context.exposeFunction("signalOut", async (to: number, body: number[]) => {
        const signal = await pass({ from: member, to, body });
        if (signal === null) return;
        signals.push(signal);
        for (const [i, other] of pages.entries())
          if (i + 1 !== signal.from && (signal.to === 0 || signal.to === i + 1))
            await other.evaluate(([from, bytes]) => warpPeers.signalIn(from, bytes), [
              signal.from,
              signal.body,
            ] as const);
      });
      pages.push(await openModulePage(context, { origin: relay.url, code, global: "warpPeers" }));
    }
    for (const [i, page] of pages.entries())
      await page.evaluate(([member, secret]) => warpPeers.join(member, secret), [i + 1, secrets[i] ?? 0] as const);
    return pages;
  }

  const links = (page: Page) => page.evaluate(() => warpPeers.links());

  it("[PEER-4, PEER-5, PEER-8] connect without any server and give each other packs, byte for byte", async () => {
    const [one, two] = (await meet([1, 1], async (signal) => signal)) as [Page, Page];
    expect(await one.evaluate(() => warpPeers.canConnectPeers())).toBe(true);
    await expect.poll(() => links(one), PATIENCE).toBe(1);
    await expect.poll(() => links(two), PATIENCE).toBe(1);
    await one.evaluate(() => warpPeers.put(0, 1, 2, 3, 4, 5, 6, 7));
    await expect.poll(() => two.evaluate(() => warpPeers.held()), PATIENCE).toEqual([0, 8]);
    expect(await two.evaluate(() => warpPeers.get(0, 8))).toMatchObject({ right: true });
    await two.evaluate(() => warpPeers.put(40));
    await expect.poll(() => one.evaluate(() => warpPeers.held()), PATIENCE).toEqual([40, 41]);
    expect(await one.evaluate(() => warpPeers.get(40, 41))).toMatchObject({ right: true });
    expect(await one.evaluate(() => warpPeers.rttMs())).toBeGreaterThanOrEqual(0);
    await two.evaluate(() => warpPeers.leave());
    await expect.poll(() => links(one), PATIENCE).toBe(0);
  });

  it.each<[string, readonly number[], (body: number[]) => number[]]>([
    ["a relay that changes what they say", [1, 1], (body) => body.with(-1, ((body.at(-1) ?? 0) + 1) % 256)],
    ["a relay, to somebody who does not have the portal's secret", [1, 2], (body) => body],
  ])("[PEER-2] do not connect through %s", async (_what, secrets, change) => {
    let passed = 0;
    const [one, two] = (await meet(secrets, async (signal) => {
      passed += 1;
      return { ...signal, body: change(signal.body) };
    })) as [Page, Page];
    await expect.poll(() => passed, PATIENCE).toBe(2);
    for (const page of [one, two]) expect(await page.evaluate(() => warpPeers.begun)).toBe(0);
  });

  it("[PEER-5] do not connect when a certificate is not the one that the signal names", async () => {
    let offers = 0;
    const [one, two] = (await meet([1, 1], async (signal) => {
      const body = await pages[0]?.evaluate((bytes) => warpPeers.withOtherFingerprint(bytes), signal.body);
      if (signal.body[0] === 2) offers += 1;
      return body ? { ...signal, body } : signal;
    })) as [Page, Page];
    // The second offer says that the first one led to nothing.
    await expect.poll(() => offers, { timeout: 60_000 }).toBe(2);
    expect([await links(one), await links(two)]).toEqual([0, 0]);
  });
});

describe("the product", () => {
  let folder: string;
  const open: (() => PromiseLike<unknown>)[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "warp-peers-"));
  });
  afterEach(async () => {
    for (const close of open.splice(0).toReversed()) await close();
  });
  afterAll(async () => rm(folder, { recursive: true, force: true }));

  /** A browser on a line of its own to the relay. */
  async function onLine() {
    const line = await openSlowLine(() => relay.port, Number.POSITIVE_INFINITY);
    open.push(() => line[Symbol.asyncDispose]());
    const args = [`--host-resolver-rules=MAP localhost:${relay.port} 127.0.0.1:${line.port}`];
    const own = await launchBrowser({ args });
    open.push(() => own.close());
    return { line, browser: own };
  }

  /** Opens the app and counts connections to other browsers (made, and standing) and the packs that came by them. */
  async function openCounted(own: Browser, url: string): Promise<Page> {
    const page = await openPage(own, `${relay.url}/dashboard`);
    await page.context().addInitScript(() => {
      const counts = { made: 0, standing: 0, packs: 0 };
      Reflect.set(globalThis, "counts", counts);
      // What the page tells the dashboard.
      new BroadcastChannel("warp-live").onmessage = ({ data }) => {
        const edges: { kind: string; packs: number }[] = data.transfer?.edges?.edges ?? [];
        for (const { kind, packs } of edges) if (kind === "peer") counts.packs = Math.max(counts.packs, packs);
      };
      const Real = RTCPeerConnection;
      globalThis.RTCPeerConnection = class extends Real {
        constructor(configuration?: RTCConfiguration) {
          super(configuration);
          // One without a configuration is made to see whether that can be done.
          if (configuration === undefined) return;
          counts.made += 1;
          this.addEventListener("connectionstatechange", () => {
            if (this.connectionState === "connected") counts.standing += 1;
          });
        }
      };
    });
    await page.goto(url);
    return page;
  }
  const counted = (page: Page, what: "made" | "standing" | "packs") =>
    page.evaluate((name) => Number(Reflect.get(Reflect.get(globalThis, "counts"), name)), what);

  /** Sends a file to a browser whose line to the relay is slow, and gives how it went. */
  async function sendBeside(bytes: number, query: Readonly<Record<string, string>>) {
    const path = join(folder, `${bytes}.bin`);
    await writeFile(path, noise(bytes, bytes));
    const [from, to] = [await onLine(), await onLine()];
    const options = { path: "tcp", engine: "cpu", peers: "on", ...query };
    const sender = await openCounted(from.browser, withQuery(`${relay.url}/`, options));
    await dropPaths(sender, [path]);
    await pauseAtOnce(sender);
    const link = await createLink(sender);
    const receiver = await openCounted(to.browser, withQuery(link, options));
    await receiver.getByTestId("receive").waitFor();
    for (const page of query["peers"] === "off" ? [] : [sender, receiver])
      await expect.poll(() => counted(page, "standing"), PATIENCE).toBe(1);
    // So few bytes a second are some acknowledged packs: the sender is busy for as long as this takes.
    from.line.setRate(200);
    to.line.setRate(2_000_000);
    await sender.getByTestId("resume").click();
    const before = to.line.carriedBytes;
    const download = await receiveDownload(receiver);
    await waitForState(receiver, "done", 110_000);
    expect(Buffer.compare(await readFile(await download.path()), await readFile(path))).toBe(0);
    return {
      byRelay: to.line.carriedBytes - before,
      byPeer: await counted(receiver, "packs"),
      made: [await counted(sender, "made"), await counted(receiver, "made")] as const,
    };
  }

  it("[PEER-8, PEER-15] gives a receiver with a slow line to the relay a file from its sender, byte for byte", async () => {
    const { byPeer, made } = await sendBeside(48 * MIB, {});
    expect(byPeer).toBeGreaterThanOrEqual(1);
    // Whoever is left tries again.
    expect(Math.min(...made)).toBeGreaterThan(0);
  });

  it("[PEER-16] gives a receiver that comes late what its sender sent long ago, made again from the file", async () => {
    const path = join(folder, "late.bin");
    await writeFile(path, noise(320 * MIB, "late"));
    const [from, to] = [await onLine(), await onLine()];
    const options = { path: "tcp", engine: "cpu", peers: "on" };
    const sender = await openCounted(from.browser, withQuery(`${relay.url}/`, options));
    await dropPaths(sender, [path]);
    const link = await createLink(sender);
    from.line.setRate(1_000);
    // Nobody is there, so the shelf is empty: these packs are at the relay alone.
    const sentBytes = async () => (await transferState(sender)).bytesDone;
    await expect.poll(sentBytes, { ...PATIENCE, interval: 10 }).toBeGreaterThan(100 * MIB);
    await pauseAtOnce(sender);
    const sentPacks = Math.floor((await sentBytes()) / SEALED_PACK_BYTES);
    const receiver = await openCounted(to.browser, withQuery(link, options));
    await receiver.getByTestId("receive").waitFor();
    for (const page of [sender, receiver]) await expect.poll(() => counted(page, "standing"), PATIENCE).toBe(1);
    from.line.setRate(200);
    to.line.setRate(2_000_000);
    await sender.getByTestId("resume").click();
    const before = to.line.carriedBytes;
    const downloaded = receiveDownload(receiver);
    await expect.poll(() => counted(receiver, "packs"), { timeout: 60_000, interval: 50 }).toBeGreaterThanOrEqual(8);
    // All of these together are fewer than were sent before it came.
    expect((to.line.carriedBytes - before) / SEALED_PACK_BYTES).toBeLessThan(sentPacks - 8);
    for (const { line } of [from, to]) line.setRate(Number.POSITIVE_INFINITY);
    const download = await downloaded;
    for (const page of [sender, receiver]) await waitForState(page, "done", 110_000);
    expect(Buffer.compare(await readFile(await download.path()), await readFile(path))).toBe(0);
  });

  it("[PEER-13] connects to nobody where that is switched off", async () => {
    const bytes = 8 * MIB;
    const { byRelay, made } = await sendBeside(bytes, { peers: "off" });
    expect(byRelay).toBeGreaterThan(bytes);
    expect(made).toEqual([0, 0]);
  });
});
