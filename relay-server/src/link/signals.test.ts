import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { newPortal } from "../../../tests/contract/store-suite.ts";
import { Metrics } from "../metrics.ts";
import { Lifetime } from "../portal/lifetime.ts";
import { LivePortal } from "../portal/live-portal.ts";
import { MAX_AUDIENCE } from "../portal/switchboard.ts";
import type { StoredPortal } from "../store/store.ts";
import { Signals } from "./signals.ts";

const BODY = Uint8Array.of(1, 2, 3);
const GAUGES = { portals: 0, vaults: 0, storeBytes: 0, uploadBufferBytes: 0 };

/** A portal, and what came to each of its connections, as `from`. */
function stage(maxDownloads: number | null = null) {
  const rest = { usedAtMs: 0, isPaused: false, downloads: 0, bytes: 0, lease: 1, commitment: null };
  const link = { ...newPortal().links[0], capability: "read", maxUses: null, uses: 0, createdAtMs: 0 };
  const stored = { ...newPortal({ maxDownloads }), ...rest, links: [link], endedAtMs: null, endReason: null };
  const lifetime = new Lifetime(() => 0, 1000);
  const portal = new LivePortal(stored as unknown as StoredPortal, { pack: [], page: [] }, lifetime, () => {});
  const metrics = new Metrics();
  const connect = () => {
    const heard: number[] = [];
    const output = { hasRoom: () => true, send: (from: number) => void heard.push(from) };
    const signals = new Signals(portal, output, metrics);
    return { signals, heard, output };
  };
  const count = (result: string) => {
    const text = metrics.text({ ...GAUGES, webtransportUp: false, certificateExpiresAtMs: 0 });
    return Number(new RegExp(`warp_signals_total{result="${result}"} (\\d+)`).exec(text)?.[1]);
  };
  return { connect, count };
}

describe("signals", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
  afterEach(() => void vi.useRealTimers());

  it("[RELAY-71] have numbers from 1, which nobody else gets later", () => {
    const { connect } = stage();
    const [a, b] = [connect(), connect()];
    expect([a.signals.member, b.signals.member]).toEqual([1, 2]);
    b.signals.leave();
    const c = connect();
    expect(c.signals.member).toBe(3);
    a.signals.send(2, BODY);
    a.signals.send(3, BODY);
    expect([a.heard, b.heard, c.heard]).toEqual([[], [], [1]]);
  });

  it("[RELAY-71] to everybody reach 32 others, and never whoever sent them; in a crowd nobody is left out", () => {
    const { connect } = stage();
    const crowd = Array.from({ length: 100 }, connect);
    for (const { signals } of crowd) signals.send(0, BODY);
    for (const { signals, heard } of crowd) {
      expect(heard).toHaveLength(MAX_AUDIENCE);
      expect(heard).not.toContain(signals.member);
    }
    const few = stage();
    const [a, b, c] = [few.connect(), few.connect(), few.connect()];
    b.signals.send(0, BODY);
    expect([a.heard, b.heard, c.heard]).toEqual([[2], [], [2]]);
  });

  it("[RELAY-71] to itself come to nobody", () => {
    const { connect } = stage();
    const { signals, heard } = connect();
    signals.send(signals.member, BODY);
    signals.send(0, BODY);
    expect(heard).toEqual([]);
  });

  it("[RELAY-72] pass 64 at once and 4 a second after that, for each connection; the others are counted", () => {
    const { connect, count } = stage();
    const [a, b] = [connect(), connect()];
    const burst = () => {
      for (let i = 0; i < 100; i++) a.signals.send(2, BODY);
    };
    burst();
    expect(b.heard).toHaveLength(64);
    expect(count("limited")).toBe(36);
    b.signals.send(1, BODY);
    expect(a.heard).toEqual([2]);
    vi.advanceTimersByTime(2500);
    burst();
    expect(b.heard).toHaveLength(74);
    vi.advanceTimersByTime(3_600_000);
    burst();
    expect(b.heard).toHaveLength(138);
    expect(count("passed")).toBe(139);
  });

  it("[RELAY-72] of all connections of a portal together are limited too, also of who comes again and again", () => {
    const { connect, count } = stage();
    const audience = Array.from({ length: 32 }, connect);
    const heard = () => audience.reduce((sum, one) => sum + one.heard.length, 0);
    const comeAndGo = () => {
      const { signals } = connect();
      for (let i = 0; i < 64; i++) signals.send(0, BODY);
      signals.leave();
    };
    for (let round = 0; round < 4; round++) comeAndGo();
    expect(heard()).toBe(4096);
    expect(count("limited")).toBe(256 - 128);
    vi.advanceTimersByTime(1000);
    comeAndGo();
    expect(heard()).toBe(4096 + 512);
    const elsewhere = stage();
    const [a, b] = [elsewhere.connect(), elsewhere.connect()];
    a.signals.send(0, BODY);
    expect(b.heard).toEqual([1]);
  });

  it("[RELAY-72] for a peer that does not read are dropped and counted", () => {
    const { connect, count } = stage();
    const [a, b] = [connect(), connect()];
    b.output.hasRoom = () => false;
    a.signals.send(2, BODY);
    expect([b.heard.length, count("unread"), count("passed")]).toEqual([0, 1, 0]);
  });

  it("[RELAY-73] do not pass where downloads are counted", () => {
    const { connect, count } = stage(1);
    const [a, b] = [connect(), connect()];
    a.signals.send(2, BODY);
    expect([b.heard.length, count("counted")]).toEqual([0, 1]);
  });
});
