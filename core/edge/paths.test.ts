import { describe, expect, it } from "vitest";
import { settle } from "../../tests/support/fake-clock.ts";
import { type Carriers, load, outcome, packObject, setUpSteady, UNREACHABLE } from "../../tests/support/test-link.ts";
import { MIB } from "../units.ts";

const carriersOf = (links: readonly { carrier: string; isClosed: boolean }[]) =>
  links.map(({ carrier, isClosed }) => `${carrier} ${isClosed ? "closed" : "open"}`);

describe("recovery", () => {
  it("[EDGE-18] is back 5 s after a line that was cut for a minute, and 30 s after one that was cut for ten", async () => {
    for (const [cutMs, limitMs] of [
      [5_000, 5_000],
      [60_000, 5_000],
      [600_000, 30_000],
    ] as const) {
      for (let at = 0; at < 6; at++) {
        const carriers: Carriers = { webtransport: 500, websocket: 500, http: 500 };
        const { clock, steady, links } = setUpSteady(carriers, { random: () => (at % 3) / 2.01 });
        await clock.advance(1_000 + at * 97);
        // Whatever is begun while it is cut hears nothing, also when the line is back.
        Object.assign(carriers, { webtransport: "silence", websocket: "silence", http: "silence" });
        for (const link of links) if (cutMs === 5_000) link.silence();
        for (const link of links) if (cutMs > 5_000) link.end(UNREACHABLE);
        const put = outcome(steady.put(packObject()));
        await clock.advance(cutMs + at * 1_223);
        Object.assign(carriers, { webtransport: 1, websocket: 1, http: 1 });
        expect(put.code).toBe("pending");
        await clock.advance(limitMs);
        expect(put.code, `cut of ${cutMs} ms, phase ${at}`).toBe("resolved");
        expect(steady.status).toMatchObject({ nextTryAtMs: null, failure: null });
        steady.close();
      }
    }
  });

  it("[EDGE-18] tries at once when the browser says that the network is back, and never forgets that it did", async () => {
    const carriers: Carriers = {};
    const { clock, steady, wake, wakers, dials } = setUpSteady(carriers, { webtransportAbsent: "webtransport-absent" });
    const put = outcome(steady.put(packObject()));
    await clock.advance(200_000);
    carriers.websocket = 10;
    wake();
    await clock.advance(50);
    expect(put.code).toBe("resolved");
    // In the middle of an attempt: the next one follows without a delay.
    steady.close();
    expect(wakers.size).toBe(0);
    const busy: Carriers = { websocket: "silence", http: "silence" };
    const other = setUpSteady(busy, { webtransportAbsent: "webtransport-absent" });
    await other.clock.advance(200);
    other.wake();
    await other.clock.advance(8_500);
    const [first, second] = other.dials.filter(({ carrier }) => carrier === "websocket");
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeLessThanOrEqual(6_000);
    expect(dials.length).toBeGreaterThan(10);
    other.steady.close();
  });

  it("[EDGE-18] forgets old trouble when a connection has stood for a minute", async () => {
    const carriers: Carriers = {};
    const { clock, steady, links } = setUpSteady(carriers, { webtransportAbsent: "webtransport-absent" });
    await clock.advance(300_000);
    carriers.websocket = 1e9;
    await clock.advance(40_000);
    expect(links.length).toBe(1);
    await clock.advance(61_000);
    links[0]?.end(UNREACHABLE);
    await settle();
    expect((steady.status.nextTryAtMs ?? 0) - clock.now()).toBe(400);
    steady.close();
  });
});

describe("a quiet connection", () => {
  it("[EDGE-19] is replaced over TCP within 9 s when UDP is blocked in mid-transfer, and says so", async () => {
    const carriers: Carriers = { webtransport: 100, websocket: 90 };
    const { clock, steady, links, changes } = setUpSteady(carriers);
    const work = load(steady);
    await clock.advance(3_000);
    expect(carriersOf(links)).toEqual(["webtransport open", "websocket closed"]);
    carriers.webtransport = "silence";
    links[0]?.silence();
    const before = { puts: links.reduce((sum, { puts }) => sum + puts, 0), bytes: steady.objectBytes };
    await clock.advance(6_200);
    expect(steady.status).toMatchObject({ failure: "relay/unreachable", carrier: "webtransport" });
    expect(steady.status.nextTryAtMs).not.toBeNull();
    await clock.advance(2_700);
    expect(steady.objectBytes).toBeGreaterThan(before.bytes);
    expect(steady.status).toEqual({
      carrier: "websocket",
      reason: "webtransport-lost",
      nextTryAtMs: null,
      failure: null,
    });
    expect(carriersOf(links)).toEqual(["webtransport closed", "websocket closed", "websocket open"]);
    expect(changes).toContain("websocket:webtransport-lost");
    work.end();
    await clock.advance(1_000);
    await work.ended;
    // What was on its way is sent again, and nothing else.
    const sent = links.reduce((sum, { puts }) => sum + puts, 0);
    expect(4 * MIB * sent - steady.objectBytes).toBe(3 * 4 * MIB);
    steady.close();
  });

  it("[EDGE-19] stays when it speaks again before another one stands", async () => {
    const carriers: Carriers = { webtransport: 1e9, websocket: "silence" };
    const { clock, steady, links } = setUpSteady(carriers);
    const put = outcome(steady.put(packObject()));
    await clock.advance(1_000);
    links[0]?.silence();
    carriers.webtransport = "silence";
    await clock.advance(7_000);
    expect(steady.status.failure).toBe("relay/unreachable");
    links[0]?.speak();
    await clock.advance(10_000);
    expect(carriersOf(links)).toEqual(["webtransport open"]);
    expect(steady.status).toEqual({
      carrier: "webtransport",
      reason: "first-choice",
      nextTryAtMs: null,
      failure: null,
    });
    expect(put.code).toBe("pending");
    steady.close();
  });

  it("[EDGE-19] is left alone while nothing is to be done", async () => {
    const { clock, steady, links } = setUpSteady({ webtransport: 10, websocket: 10 });
    await clock.advance(100);
    links[0]?.silence();
    await clock.advance(14_000);
    expect(carriersOf(links)).toEqual(["webtransport open"]);
    expect(steady.status.failure).toBeNull();
    steady.close();
  });

  it("[EDGE-19] is replaced by one of its kind when it is TCP or forced, and keeps its reason", async () => {
    for (const [first, options, reason] of [
      ["websocket", { webtransportAbsent: "webtransport-absent" }, "webtransport-absent"],
      ["http", { webtransportAbsent: "webtransport-absent" }, "websocket-blocked"],
      ["webtransport", { forced: "webtransport" }, "forced"],
      ["websocket", { forced: "tcp" }, "forced"],
    ] as const) {
      const { clock, steady, links } = setUpSteady({ [first]: 50 }, options);
      const work = load(steady);
      await clock.advance(500);
      links[0]?.silence();
      const before = steady.objectBytes;
      await clock.advance(6_500);
      expect(steady.objectBytes).toBeGreaterThan(before);
      expect(carriersOf(links)).toEqual([`${first} closed`, `${first} open`]);
      expect(steady.status.reason).toBe(reason);
      work.end();
      await clock.advance(1_000);
      await work.ended;
      steady.close();
    }
  });

  it("[EDGE-19] gives way to the second path at once where one is being measured, and that one to the first", async () => {
    for (const silent of [0, 1]) {
      const { clock, steady, links } = setUpSteady({ webtransport: 100, websocket: 1_000 });
      const work = load(steady);
      await clock.advance(1_500);
      expect(carriersOf(links)).toEqual(["webtransport open", "websocket open"]);
      links[silent]?.silence();
      const hold = packObject();
      const put = outcome(steady.put(hold)); // there is something to be done on both
      const before = steady.objectBytes;
      await clock.advance(12_000);
      expect(steady.objectBytes).toBeGreaterThan(before);
      expect(links[silent]?.isClosed || silent === 0).toBe(true);
      expect(put.code).toBe("resolved");
      work.end();
      await clock.advance(5_000);
      await work.ended;
      steady.close();
    }
  });

  it("[EDGE-19] is doubted after 2 s when the browser says that the network changed", async () => {
    const { clock, steady, links, wake } = setUpSteady(
      { websocket: 50 },
      { webtransportAbsent: "webtransport-absent" },
    );
    const work = load(steady);
    await clock.advance(500);
    links[0]?.silence();
    await clock.advance(100);
    wake();
    expect(links[0]?.pings).toBe(1);
    const before = steady.objectBytes;
    await clock.advance(2_500);
    expect(steady.objectBytes).toBeGreaterThan(before);
    expect(carriersOf(links)).toEqual(["websocket closed", "websocket open"]);
    work.end();
    await clock.advance(1_000);
    await work.ended;
    steady.close();
  });
});
