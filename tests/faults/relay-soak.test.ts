import { readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { KIB, MIB, SEALED_PACK_BYTES } from "../../core/units.ts";
import { encodeHeader, STREAM_OBJECTS } from "../../core/wire/object.ts";
import { bearer, createPortal, getObject, putObject, sealed, TestLink } from "../integration/relay-client.ts";
import { launchRelay, type RunningRelay } from "../support/launch.ts";
import { pause, residentBytes } from "../support/relay-load.ts";
import { rounds } from "./scale.ts";

const SECONDS = rounds(5, 300);
const AT_A_TIME = 4;
/** Memory that may come and go between two looks. */
const SLACK_BYTES = 64 * MIB;

const pack = sealed("pack", 0, SEALED_PACK_BYTES);
const page = (index: number) => sealed("page", index, (4 + (index % 5) * 10) * KIB);
const chance = (probability: number) => Math.random() < probability;

/** One short life of a portal: things are stored, asked for, cut off in the middle, and often deleted. */
async function liveOnce(url: string): Promise<void> {
  const portal = await createPortal(url, { expirySeconds: 60, maxDownloads: 1 });
  const sender = await TestLink.open(url, portal, "send");
  const receiver = await TestLink.open(url, portal, "receive");
  const waiting = getObject(url, portal, "pack", 9, 1).then((answer) => answer.arrayBuffer());
  for (let index = 0; index < 3; index++) {
    receiver.want("page", index);
    sender.put(page(index));
    await sender.next("ack");
  }
  await receiver.object();
  receiver.want("pack", 0);
  if (chance(0.5)) {
    sender.put(pack);
    if (chance(0.5)) await receiver.object();
  } else {
    sender.sendRaw(STREAM_OBJECTS, encodeHeader(pack.header));
    sender.sendRaw(STREAM_OBJECTS, pack.bytes.subarray(0, Math.floor(Math.random() * 60_000)));
  }
  if (chance(0.5)) await putObject(url, portal, page(7));
  await (chance(0.5) ? sender : receiver).cut();
  if (chance(0.3)) {
    const abort = new AbortController();
    const path = `${url}/api/v1/portals/${portal.text}/pages/0`;
    const answer = await fetch(path, { headers: bearer(portal.readToken), signal: abort.signal });
    abort.abort();
    await answer.body?.cancel().catch(() => undefined);
  }
  await Promise.all([sender.cut(), receiver.cut()]);
  await waiting;
  // The others end by themselves, a minute later.
  if (chance(0.9))
    await fetch(`${url}/api/v1/portals/${portal.text}`, { method: "DELETE", headers: bearer(portal.ownerToken) });
}

/** Open files and connections of a process; undefined where the system does not say. */
async function openFiles(relay: RunningRelay): Promise<string[] | undefined> {
  const folder = `/proc/${relay.pid}/fd`;
  const names = await readdir(folder).catch(() => undefined);
  if (names === undefined) return undefined;
  return Promise.all(names.map((name) => readlink(join(folder, name)).catch(() => "")));
}

describe("R15: a relay that is used for a while", () => {
  it(`${SECONDS} s of transfers and random cuts leave no file open, nothing half-stored, no growth and no complaint`, async () => {
    await using relay = await launchRelay({ env: { MIN_FREE_BYTES: "1", LOG_LEVEL: "warn" } });
    await liveOnce(relay.url);
    const before = await openFiles(relay);
    const end = performance.now() + SECONDS * 1000;
    let lives = 0;
    const work = async (): Promise<void> => {
      for (; performance.now() < end; lives++) await liveOnce(relay.url);
    };
    const memory: number[] = [];
    const watch = async (): Promise<void> => {
      for (; performance.now() < end; await pause(SECONDS * 50)) memory.push(await residentBytes(relay.url));
    };
    await Promise.all([watch(), ...Array.from({ length: AT_A_TIME }, work)]);
    expect(lives).toBeGreaterThan(AT_A_TIME);
    await vi.waitUntil(async () => (await readdir(join(relay.dataDir, "incoming"))).length === 0, { timeout: 10_000 });
    if (before !== undefined) {
      const isSettled = async () => ((await openFiles(relay)) ?? []).length <= before.length + 10;
      await vi.waitUntil(isSettled, { timeout: 20_000, interval: 200 });
    }
    // The first third warms up.
    const warm = memory.slice(Math.floor(memory.length / 3));
    const [half] = [Math.floor(warm.length / 2)];
    const most = (values: readonly number[]) => Math.max(...values);
    expect(most(warm.slice(half))).toBeLessThan(most(warm.slice(0, half)) + SLACK_BYTES);
    // A bug is logged as an error; so is a promise that nobody watched.
    expect(relay.output()).not.toMatch(/"level":"error"/);
    expect(await relay.stop()).toBe(0);
  }, 420_000);
});
