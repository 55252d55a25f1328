import { describe, expect, it } from "vitest";
import { type Carriers, load, setUpSteady, UNREACHABLE } from "../../tests/support/test-link.ts";
import { MIB } from "../units.ts";

describe("coming back", () => {
  it("[EDGE-21] looks for WebTransport after 60 s, then twice as long each time up to 10 min, and when woken", async () => {
    const { clock, steady, dials, wake } = setUpSteady({ websocket: 10 });
    await clock.advance(10);
    const startMs = dials.find(({ carrier }) => carrier === "websocket")?.atMs ?? 0;
    const searches = () =>
      dials
        .filter(({ carrier, atMs }) => carrier === "webtransport" && atMs > startMs)
        .map(({ atMs }) => atMs - startMs);
    await clock.advance(2_400_000);
    expect(searches()).toEqual([60, 180, 420, 900, 1500, 2100].map((seconds) => 1_000 * seconds));
    wake();
    await clock.advance(1_000);
    expect(searches().length).toBe(7);
    // However often the network changes.
    for (let turn = 0; turn < 100; turn++) {
      wake();
      await clock.advance(100);
    }
    expect(searches().length).toBeLessThanOrEqual(10);
    steady.close();
    await clock.advance(2_000_000);
    expect(clock.sleeping).toBe(0);
  });

  it("[EDGE-21] moves back to WebTransport, closes TCP when that is drained, and measures them against each other again", async () => {
    for (const [websocket, reason] of [
      [100, "webtransport-back"],
      [20, "tcp-measured-faster"],
    ] as const) {
      const carriers: Carriers = { websocket };
      const { clock, steady, links, changes } = setUpSteady(carriers);
      const work = load(steady);
      await clock.advance(30_000);
      expect(steady.status).toMatchObject({ carrier: "websocket", reason: "webtransport-blocked" });
      carriers.webtransport = 100;
      await clock.advance(40_000);
      expect(changes).toContain("webtransport:webtransport-back");
      expect(steady.status.reason).toBe(reason);
      expect(links.filter(({ isClosed }) => !isClosed).length).toBe(1);
      expect(links[0]?.pending).toBe(0);
      work.end();
      await clock.advance(1_000);
      await work.ended;
      // Nothing was interrupted, so nothing was sent twice.
      expect(4 * MIB * links.reduce((sum, { puts }) => sum + puts, 0)).toBe(steady.objectBytes);
      steady.close();
    }
  });

  it("[EDGE-21] comes back after WebTransport was lost, and looks soon again when it is lost again", async () => {
    const carriers: Carriers = { webtransport: 100, websocket: 95 };
    const { clock, steady, links } = setUpSteady(carriers);
    const work = load(steady);
    for (let turn = 0; turn < 3; turn++) {
      await clock.advance(10_000);
      carriers.webtransport = UNREACHABLE;
      links.find(({ carrier, isClosed }) => carrier === "webtransport" && !isClosed)?.silence();
      await clock.advance(20_000);
      expect(steady.status.reason).toBe("webtransport-lost");
      carriers.webtransport = 100;
      await clock.advance(60_000);
      expect(steady.status.reason).toBe("webtransport-back");
    }
    work.end();
    await clock.advance(1_000);
    await work.ended;
    steady.close();
  });

  it("[EDGE-21] finds the way from plain requests to a WebSocket, where there is no WebTransport", async () => {
    const carriers: Carriers = { http: 50 };
    const { clock, steady } = setUpSteady(carriers, { webtransportAbsent: "webtransport-absent" });
    await clock.advance(10_000);
    expect(steady.status).toMatchObject({ carrier: "http", reason: "websocket-blocked" });
    carriers.websocket = 50;
    await clock.advance(61_000);
    expect(steady.status).toMatchObject({ carrier: "websocket", reason: "webtransport-absent" });
    steady.close();
  });

  it("[EDGE-21] never looks where a path is forced, absent, or slower as measured", async () => {
    for (const options of [{ forced: "tcp" }, { webtransportAbsent: "webtransport-absent" }] as const) {
      const { clock, steady, dials } = setUpSteady({ webtransport: 10, websocket: 10 }, options);
      await clock.advance(1_500_000);
      expect(dials.map(({ carrier }) => carrier)).toEqual(["websocket"]);
      steady.close();
    }
    const measured = setUpSteady({ webtransport: 100, websocket: 20 });
    const work = load(measured.steady);
    await measured.clock.advance(5_000);
    work.end();
    await measured.clock.advance(1_500_000);
    expect(measured.dials.map(({ carrier }) => carrier)).toEqual(["webtransport", "websocket"]);
    measured.steady.close();
  });
});
