/**
 * Everything at once, in one transfer: the relay is killed three times, the sender's page ends twice, the receiver's once.
 * What arrives is byte for byte what was sent, and little of it crossed the network twice.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GIB, MIB } from "../../../core/units.ts";
import { launchProfile } from "../../support/chromium.ts";
import { freePort, launchRelay, type RunningRelay } from "../../support/launch.ts";
import { noteFigures } from "../lab/figures.ts";
import { SENT_TWICE_BYTES } from "../lab/stage.ts";
import { until, watchStory } from "../lab/story.ts";
import { readTraffic } from "../lab/traffic.ts";
import { type Cargo, createLink, makeCargo, receivedDigest } from "../lab/transfer.ts";
import { rounds } from "../scale.ts";

const CARGO_BYTES = rounds(128 * MIB, 2 * GIB);
const LIMIT_MS = 900_000;

let folder: string;
let cargo: Cargo;
let sending: BrowserContext;
let receiving: BrowserContext;
let relay: RunningRelay;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "warp-long-"));
  [cargo, sending, receiving, relay] = await Promise.all([
    makeCargo(CARGO_BYTES, "long"),
    launchProfile(join(folder, "sender")),
    launchProfile(join(folder, "receiver")),
    freePort().then((port) => launchRelay({ port, dataDir: join(folder, "relay") })),
  ]);
});
afterAll(async () => {
  await Promise.allSettled([sending?.close(), receiving?.close(), relay?.kill()]);
  await Promise.allSettled([cargo?.[Symbol.asyncDispose](), rm(folder, { recursive: true, force: true })]);
});

/** The two pages, which end and come back, and what the relays counted in all their lives. */
class Journey {
  sender: Page | undefined;
  receiver: Page | undefined;
  link = "";
  receivedBytes = 0;
  sentBytes = 0;

  async start(): Promise<void> {
    const sender = await sending.newPage();
    this.sender = sender;
    await sender.goto(relay.url);
    await sender.getByTestId("file-input").setInputFiles(cargo.path);
    await watchStory(sender);
    this.link = await createLink(sender);
    const receiver = await receiving.newPage();
    this.receiver = receiver;
    await receiver.goto(this.link);
    await receiver.getByTestId("sink-select").selectOption("private");
    await watchStory(receiver);
    await receiver.getByTestId("receive").click();
  }

  async killRelay(): Promise<void> {
    await this.#count();
    const { port, dataDir } = relay;
    await relay.kill();
    relay = await launchRelay({ port, dataDir });
  }

  async reloadSender(): Promise<void> {
    await this.sender?.close();
    const sender = await sending.newPage();
    this.sender = sender;
    await sender.goto(relay.url);
    await sender.getByTestId("resume-transfer").click();
    await watchStory(sender);
    await sender.getByTestId("interrupted-row").getByTestId("file-input").setInputFiles(cargo.path);
  }

  async reloadReceiver(): Promise<void> {
    await this.receiver?.close();
    const receiver = await receiving.newPage();
    this.receiver = receiver;
    await receiver.goto(this.link);
    await receiver.getByTestId("resume-receive").click();
    await watchStory(receiver);
  }

  async end(): Promise<void> {
    for (const page of [this.sender, this.receiver])
      if (page !== undefined) await until(page, ({ state }) => state === "done", LIMIT_MS);
    await this.#count();
  }

  /** Before a relay ends, because its counts end with it. */
  async #count(): Promise<void> {
    const { receivedBytes, sentBytes } = await readTraffic(relay.url);
    this.receivedBytes += receivedBytes;
    this.sentBytes += sentBytes;
  }
}

describe("a transfer to which everything happens", () => {
  test(
    `arrives byte for byte: ${CARGO_BYTES / MIB} MiB, three relays, three sender pages, two receiver pages`,
    async () => {
      const startedMs = performance.now();
      const journey = new Journey();
      await journey.start();
      const faults = [
        [0.1, () => journey.killRelay()],
        [0.25, () => journey.reloadSender()],
        [0.4, () => journey.killRelay()],
        [0.5, () => journey.reloadReceiver()],
        [0.6, () => journey.reloadSender()],
        [0.75, () => journey.killRelay()],
      ] as const;
      for (const [share, strike] of faults) {
        const { sender } = journey;
        if (sender !== undefined) await until(sender, ({ bytesDone }) => bytesDone >= share * CARGO_BYTES, LIMIT_MS);
        await strike();
      }
      await journey.end();
      const { storedBytes } = await readTraffic(relay.url);
      const sentTwiceBytes = journey.receivedBytes - storedBytes;
      const fetchedTwiceBytes = journey.sentBytes - storedBytes;
      noteFigures("everything at once", {
        cargoBytes: CARGO_BYTES,
        seconds: ((performance.now() - startedMs) / 1000).toFixed(1),
        sentTwiceBytes,
        fetchedTwiceBytes,
      });
      const portal = /\/p\/([^#/?]+)/.exec(journey.link)?.[1] ?? "";
      const { receiver } = journey;
      expect(receiver && (await receivedDigest(receiver, ["received", portal]))).toBe(cargo.digest);
      // Five faults for what is on its way up; four for what is on its way down, and what of it was not yet written.
      expect(sentTwiceBytes).toBeLessThanOrEqual(5 * SENT_TWICE_BYTES);
      expect(fetchedTwiceBytes).toBeLessThanOrEqual(4 * 2 * SENT_TWICE_BYTES);
    },
    2 * LIMIT_MS,
  );
});
