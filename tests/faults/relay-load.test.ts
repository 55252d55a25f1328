import { describe, expect, it, vi } from "vitest";
import { MIB, SEALED_PACK_BYTES } from "../../core/units.ts";
import { createPortal, sealed, TestLink } from "../integration/relay-client.ts";
import { launchRelay } from "../support/launch.ts";
import { loadRelay, pause, residentBytes, startTraffic } from "../support/relay-load.ts";
import { rounds } from "./scale.ts";

const env = { MAX_LINKS: "5000", MAX_LINKS_PER_ADDRESS: "5000", MIN_FREE_BYTES: "1", LOG_LEVEL: "error" };

describe("R13: many connections", () => {
  const [idle, active] = [rounds(200, 2000), rounds(10, 50)];
  // The aim is 200 ms; beside the other tests the machine itself may pause for longer.
  const limitMs = rounds(1000, 200);
  it(`${idle} idle and ${active} active links take less than 1 GiB, and a ping is answered within ${limitMs} ms`, async () => {
    await using relay = await launchRelay({ env });
    const wish = { idle, active, seconds: rounds(3, 30), bytesPerSecond: 2e6 };
    const report = await loadRelay(relay.url, wish);
    expect(report.lost).toBe(0);
    expect(report.pings).toBeGreaterThanOrEqual(idle);
    expect(report.movedBytes).toBeGreaterThan(0);
    expect(report.peakBytes).toBeLessThan(1024 * MIB);
    expect(report.controlP99Ms).toBeLessThan(limitMs);
    await vi.waitUntil(async () => /links\{path="websocket"\} 0/.test(await metricsOf(relay.url)), { timeout: 10_000 });
    expect(relay.output()).not.toMatch(/"level":"error"/);
  }, 180_000);
});

const metricsOf = async (url: string) => (await fetch(`${url}/metrics`)).text();

/** A receiver that takes so many bytes per second and no more, and says that it lives. */
class SlowReader {
  readonly link: TestLink;
  received = 0;
  readonly #timer: NodeJS.Timeout;
  #allowed = 0;
  #pings = 0;

  constructor(link: TestLink, bytesPerSecond: number) {
    this.link = link;
    link.socket.on("message", (data: Buffer) => {
      this.received += data.length;
      if (this.received > this.#allowed) link.socket.pause();
    });
    let ticks = 0;
    this.#timer = setInterval(() => {
      this.#allowed += bytesPerSecond / 10;
      if (this.received <= this.#allowed) link.socket.resume();
      if (++ticks % 40 === 0) link.send({ t: "ping", n: ++this.#pings });
      // What came is not kept.
      link.objects.length = 0;
      link.frames.length = 0;
    }, 100);
  }

  stop(): Promise<void> {
    clearInterval(this.#timer);
    return this.link.cut();
  }
}

describe("R14: slow readers", () => {
  const [readers, rate] = [50, 64_000];
  // Paced where other tests run on the machine, as fast as it goes where none does.
  const fast = rounds(8e6, 1e12);
  const seconds = rounds(2, 15);
  it(`[RELAY-45] ${readers} readers at 64 kB/s cost others nothing and the relay little, and none is dropped`, async () => {
    await using relay = await launchRelay({ env });
    await using traffic = await startTraffic(relay.url, 1, fast);
    const rateNow = async (): Promise<number> => {
      await traffic.rate();
      await pause(seconds * 1000);
      return traffic.rate();
    };
    await rateNow();
    const alone = await rateNow();
    const before = await residentBytes(relay.url);

    const portal = await createPortal(relay.url);
    const sender = await TestLink.open(relay.url, portal, "send");
    const pack = sealed("pack", 0, SEALED_PACK_BYTES);
    for (let index = 0; index < 4; index++) {
      sender.put({ header: { ...pack.header, index }, bytes: pack.bytes });
      await sender.next("ack");
    }
    const links = await Promise.all(Array.from({ length: readers }, () => TestLink.open(relay.url, portal, "receive")));
    for (const link of links) for (let index = 0; index < 4; index++) link.want("pack", index);
    const slow = links.map((link) => new SlowReader(link, rate));
    let peak = before;
    const watch = setInterval(async () => {
      sender.send({ t: "ping", n: 1 });
      peak = Math.max(peak, await residentBytes(relay.url));
    }, 500);
    const started = performance.now();
    // At first the relay fills the buffers of all the connections, at the cost of everybody.
    const isFast = async () => (await rateNow()) > 0.8 * alone;
    await vi.waitUntil(isFast, { timeout: 60_000, interval: 10 }).finally(() => clearInterval(watch));
    const elapsed = (performance.now() - started) / 1000;
    expect(peak - before).toBeLessThan(readers * 2 * SEALED_PACK_BYTES + 64 * MIB);
    for (const reader of slow) {
      expect(reader.link.socket.readyState).toBe(1);
      expect(reader.received).toBeGreaterThan(0);
      expect(reader.received).toBeLessThan(rate * (elapsed + 5));
    }
    await Promise.all(slow.map((reader) => reader.stop()));
    await sender.cut();
    await traffic.stop();
  }, 180_000);
});
