/**
 * R1: the relay is killed at random instants of transfers from browser to browser, and started again on the same store
 * and port. Whatever it acknowledged is there again, nothing else is, and the transfer ends as if nothing had been.
 *
 * @module
 */
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pass } from "node:timers/promises";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MIB, PACK_PAYLOAD_BYTES } from "../../../core/units.ts";
import { launchBrowser } from "../../support/chromium.ts";
import { freePort, launchRelay, type RunningRelay } from "../../support/launch.ts";
import { noteFigures } from "../lab/figures.ts";
import { SENT_TWICE_BYTES } from "../lab/stage.ts";
import { now, recoveryMs, until } from "../lab/story.ts";
import { readTraffic } from "../lab/traffic.ts";
import { type Cargo, makeCargo, startTransfer } from "../lab/transfer.ts";
import { rounds } from "../scale.ts";

const CARGO_BYTES = rounds(96, 192) * MIB;
/** Killed so often in one transfer; then another one begins. */
const KILLS = rounds(1, 2);
const LIMIT_MS = 120_000;
const TIMES = rounds(1, 7);

let senders: Browser;
let receivers: Browser;
let cargo: Cargo;

beforeAll(async () => {
  [senders, receivers, cargo] = await Promise.all([launchBrowser(), launchBrowser(), makeCargo(CARGO_BYTES, "kill")]);
});
afterAll(async () => {
  await Promise.allSettled([senders?.close(), receivers?.close(), cargo?.[Symbol.asyncDispose]()]);
});

/** Packs that the database of a relay that is not running has rows for; opened as a copy, which is as it would open. */
async function packRows(dataDir: string): Promise<number> {
  const copy = await mkdtemp(join(tmpdir(), "warp-rows-"));
  try {
    for (const name of await readdir(dataDir))
      if (name.startsWith("relay.db")) await cp(join(dataDir, name), join(copy, name));
    const db = new DatabaseSync(join(copy, "relay.db"));
    const row = db.prepare("SELECT count(*) AS rows FROM objects WHERE kind = 1 AND inside = 0").get();
    db.close();
    return Number(row?.["rows"]);
  } finally {
    await rm(copy, { recursive: true });
  }
}

/** Packs that lie in files, whole or not. */
async function packFiles(dataDir: string): Promise<number> {
  const names = await readdir(join(dataDir, "blobs"), { recursive: true, withFileTypes: true });
  return names.filter((entry) => entry.isFile() && /^\d+$/.test(entry.name)).length;
}

describe("R1: a relay that is killed and comes back", () => {
  test.each(["webtransport", "tcp"] as const)(
    `loses nothing that it acknowledged over %s, and the transfer ends whole, with ${TIMES} × ${KILLS} kills`,
    async (path) => {
      const dataDir = await mkdtemp(join(tmpdir(), "warp-kill-"));
      const port = await freePort();
      let relay: RunningRelay = await launchRelay({ dataDir, port });
      try {
        for (let round = 0; round < TIMES; round++) {
          const filesBefore = await packFiles(dataDir);
          const storedBefore = (await readTraffic(relay.url)).storedBytes;
          let received = -(await readTraffic(relay.url)).receivedBytes;
          const forced = path === "tcp" ? { path } : {};
          const pages = { sender: senders, receiver: receivers, url: relay.url, cargo, ...forced };
          await using transfer = await startTransfer(pages);
          const recoveries: number[] = [];
          for (let kill = 0; kill < KILLS; kill++) {
            await transfer.reached((kill + 0.2 * Math.random()) / (KILLS + 0.5));
            await pass(100 + 300 * Math.random());
            received += (await readTraffic(relay.url)).receivedBytes;
            await relay.kill();
            await until(transfer.sender, ({ state }) => state === "waiting" || state === "done", LIMIT_MS);
            const acknowledged = await now(transfer.sender);
            const rows = await packRows(dataDir);
            // First where nobody finds it: on its own port the pages would store into it at once.
            const hidden = await launchRelay({ dataDir });
            expect(await readdir(join(dataDir, "incoming"))).toEqual([]);
            expect(await packFiles(dataDir)).toBe(rows);
            await hidden.kill();
            relay = await launchRelay({ dataDir, port });
            const backAtMs = Date.now();
            // The bytes are noise, so a pack carries no more of them than it has room for.
            const least = Math.floor(acknowledged.bytesDone / PACK_PAYLOAD_BYTES);
            expect(rows - filesBefore).toBeGreaterThanOrEqual(least);
            if (acknowledged.state !== "done") recoveries.push(backAtMs);
          }
          const ended = await transfer.ended(LIMIT_MS);
          const after = await readTraffic(relay.url);
          received += after.receivedBytes;
          const sentTwiceBytes = received - (after.storedBytes - storedBefore);
          const recovered = recoveries.map((at) => recoveryMs(ended.received, at) ?? Number.NaN);
          noteFigures(`R1 kills, ${path}`, { receiverMs: recovered.join(" "), sentTwiceBytes });
          expect(ended.isEqual).toBe(true);
          expect(sentTwiceBytes).toBeLessThanOrEqual(KILLS * SENT_TWICE_BYTES);
        }
      } finally {
        await relay.kill();
        await rm(dataDir, { recursive: true });
      }
    },
    1_800_000,
  );
});
