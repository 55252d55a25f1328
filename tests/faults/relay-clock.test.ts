import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, vi } from "vitest";
import { KIB } from "../../core/units.ts";
import { createCertificate, findCertificate } from "../../relay-server/src/tls/certificate-files.ts";
import { bearer, createPortal, putObject, sealed, TestLink, type TestPortal } from "../integration/relay-client.ts";
import { testRelay } from "../integration/relay-fixture.ts";
import { launchRelay } from "../support/launch.ts";
import { rounds } from "./scale.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const GONE = 410;

/** The machine's clocks, both in the test's hand. */
function handClocks(wallMs = Date.UTC(2030, 0, 1)) {
  const at = { wall: wallMs, steady: 5_000_000 };
  return {
    at,
    clocks: { wall: () => at.wall, steady: () => at.steady },
    pass(ms: number): void {
      at.wall += ms;
      at.steady += ms;
    },
    jump(ms: number): void {
      at.wall += ms;
    },
  };
}

const statusOf = async (url: string, portal: TestPortal): Promise<number> =>
  (await fetch(`${url}/api/v1/portals/${portal.text}`, { headers: bearer(portal.ownerToken) })).status;

describe("R11: the clock jumps", () => {
  it("[RELAY-42] a portal in use keeps its whole time through a jump of three days, and one that nobody uses does not keep it for ever", async () => {
    const { clocks, pass, jump } = handClocks();
    await using relay = await testRelay({}, { clocks });
    const day = { expirySeconds: 86_400 };
    const [used, idle] = [await createPortal(relay.url, day), await createPortal(relay.url, day)];
    const link = await TestLink.open(relay.url, used, "send");
    for (let index = 0; index < rounds(3, 12); index++) {
      jump(3 * DAY_MS);
      // By the date it is over long ago, however slowly that follows.
      pass(23 * HOUR_MS * (1 / rounds(3, 12)));
      link.put(sealed("page", index, 20 * KIB));
      expect(await link.next("ack")).toMatchObject({ index });
    }
    expect(await statusOf(relay.url, used)).toBe(200);
    expect(await statusOf(relay.url, idle)).toBe(GONE);
    // A cut of ten minutes changes nothing.
    await link.cut();
    await vi.waitUntil(async () => (await stateOf(relay.url, used)).senders === 0, { interval: 20 });
    pass(10 * 60_000);
    expect(await statusOf(relay.url, used)).toBe(200);
    const again = await TestLink.open(relay.url, used, "send");
    pass(HOUR_MS);
    expect(await statusOf(relay.url, used)).toBe(GONE);
    expect(await again.next("bye")).toMatchObject({ code: 7 });
  });

  it("[RELAY-42] two hours back keep no portal for more than twice its time", async () => {
    const { clocks, pass, jump } = handClocks();
    await using relay = await testRelay({}, { clocks });
    const [used, idle] = [await createPortal(relay.url), await createPortal(relay.url)];
    const link = await TestLink.open(relay.url, used, "receive");
    for (let hour = 0; hour < 2; hour += 0.5) {
      if (hour < 1) expect(await statusOf(relay.url, idle)).toBe(200);
      jump(-2 * HOUR_MS);
      pass(0.5 * HOUR_MS);
    }
    for (const portal of [used, idle]) expect(await statusOf(relay.url, portal)).toBe(GONE);
    expect(await link.next("bye")).toMatchObject({ code: 7 });
  });

  it("[RELAY-42] two hours back while the relay is off give a portal its time once more, and no more", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "warp-clock-"));
    try {
      const hand = handClocks();
      let portal: TestPortal;
      {
        await using relay = await testRelay({ dataDir }, { clocks: hand.clocks });
        portal = await createPortal(relay.url);
        hand.pass(0.5 * HOUR_MS);
      }
      hand.jump(-2 * HOUR_MS);
      await using relay = await testRelay({ dataDir }, { clocks: hand.clocks });
      expect((await stateOf(relay.url, portal)).expiresAtMs).toBe(hand.at.wall + HOUR_MS);
      hand.pass(0.9 * HOUR_MS);
      expect(await statusOf(relay.url, portal)).toBe(200);
      hand.pass(0.2 * HOUR_MS);
      expect(await statusOf(relay.url, portal)).toBe(GONE);
    } finally {
      await rm(dataDir, { recursive: true });
    }
  });

  it("[RELAY-24] a certificate that was made while the clock was ahead is not used when it has been set back", async () => {
    const folder = await mkdtemp(join(tmpdir(), "warp-clock-"));
    try {
      const now = Date.now();
      const ahead = await createCertificate(folder, now + 2 * HOUR_MS, 13 * DAY_MS);
      expect(ahead.startsAtMs).toBeGreaterThan(now);
      expect(await findCertificate(folder, now, now + DAY_MS)).toBeUndefined();
      const right = await createCertificate(folder, now, 13 * DAY_MS);
      expect((await findCertificate(folder, now, now + DAY_MS))?.sha256).toBe(right.sha256);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

async function stateOf(url: string, portal: TestPortal): Promise<{ senders: number; expiresAtMs: number }> {
  return (await fetch(`${url}/api/v1/portals/${portal.text}`, { headers: bearer(portal.readToken) })).json();
}

const FAKETIME = ["x86_64", "aarch64"]
  .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketime.so.1`)
  .find((path) => existsSync(path));

/** Environment of a process whose date follows a file. */
function clockEnvironment(file: string): Record<string, string> {
  if (FAKETIME === undefined) {
    const shim = fileURLToPath(new URL("clock-shim.ts", import.meta.url));
    return { NODE_OPTIONS: `--import=${shim}`, WARP_CLOCK_FILE: file };
  }
  const steady = { FAKETIME_DONT_FAKE_MONOTONIC: "1", DONT_FAKE_MONOTONIC: "1" };
  return { ...steady, LD_PRELOAD: FAKETIME, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: "1" };
}

describe(`R11: a relay process ${FAKETIME === undefined ? "whose Date jumps (no libfaketime here)" : "under libfaketime"}`, () => {
  it("[RELAY-42] goes on with a transfer through jumps of +3 days and −2 hours, with sane times, and ends what is over", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "warp-clock-"));
    const file = join(dataDir, "..", `${dataDir.split("/").at(-1)}.offset`);
    await writeFile(file, "+0");
    const env = { ...clockEnvironment(file), MIN_FREE_BYTES: "1", LOG_LEVEL: "info" };
    const relay = await launchRelay({ dataDir, env });
    try {
      const minute = { expirySeconds: 60 };
      const [used, idle] = [await createPortal(relay.url, minute), await createPortal(relay.url, minute)];
      const link = await TestLink.open(relay.url, used, "send");
      const offsets = ["+259200", "-7200", "+0", "+259200"];
      let index = 0;
      for (let round = 0; round < rounds(1, 6); round++) {
        for (const offset of offsets) {
          await writeFile(file, offset);
          for (let n = 0; n < 5; n++, index++) {
            link.put(sealed("page", index, 20 * KIB));
            expect(await link.next("ack")).toMatchObject({ index });
            link.send({ t: "ping", n: index });
            expect(await link.next("pong")).toMatchObject({ n: index });
          }
        }
      }
      // At ten times real speed the minute is over after six seconds.
      await vi.waitUntil(async () => (await statusOf(relay.url, idle)) === GONE, { timeout: 20_000, interval: 200 });
      link.put(sealed("page", index, 20 * KIB));
      expect(await link.next("ack")).toMatchObject({ index });
      expect(await statusOf(relay.url, used)).toBe(200);
      expect((await putObject(relay.url, idle, sealed("page", 0, 20 * KIB))).status).toBe(GONE);
      await expectSane(relay.url, relay.output());
      await link.cut();
    } finally {
      await relay.kill();
      await rm(dataDir, { recursive: true });
      await rm(file, { force: true });
    }
  }, 120_000);
});

/** No time that is told or logged is negative or from nowhere. */
async function expectSane(url: string, output: string): Promise<void> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  for (const name of ["store_seconds_sum", "store_seconds_count", "links", "received_bytes_total"])
    for (const [, value] of metrics.matchAll(new RegExp(`^warp_${name}(?:\\{.*\\})? (.+)$`, "gm")))
      expect(Number(value), name).toBeGreaterThanOrEqual(0);
  const lines = output.split("\n").filter((line) => line.startsWith("{"));
  for (const line of lines) expect(JSON.parse(line).ms ?? 0, line).toBeGreaterThanOrEqual(0);
  expect(output).not.toMatch(/TimeoutNegativeWarning|TimeoutOverflowWarning|unwatched/);
}
