import { describe, expect, it } from "vitest";
import { FakeClock, settle } from "../../tests/support/fake-clock.ts";
import { Failure } from "../failure.ts";
import type { Link } from "../ports/link.ts";
import type { Carrier } from "../transfer/snapshot.ts";
import { WEBTRANSPORT_CONNECT_MS } from "../units.ts";
import { type ConnectOptions, connect } from "./connect.ts";

/** How one carrier behaves: after how long it connects or fails; never when absent. */
interface Behaviour {
  readonly afterMs?: number;
  readonly failure?: Failure;
}

function setUp(carriers: Partial<Record<Carrier, Behaviour>>, options: Partial<ConnectOptions> = {}) {
  const clock = new FakeClock();
  const dialled: Carrier[] = [];
  const open = new Set<Link>();
  const dial = async (carrier: Carrier, signal: { readonly aborted: boolean }) => {
    dialled.push(carrier);
    const { afterMs, failure } = carriers[carrier] ?? {};
    await (afterMs === undefined ? new Promise(() => {}) : clock.sleep(afterMs));
    if (failure !== undefined) throw failure;
    const link = {
      carrier,
      close: () => open.delete(link),
      late: signal.aborted,
    } as unknown as Link;
    open.add(link);
    return link;
  };
  const stop = new AbortController();
  const startMs = clock.now();
  const outcome: { atMs?: number; carrier?: Carrier; reason?: string; code?: string } = {};
  connect({ dial, clock, forced: undefined, webtransportAbsent: null, ...options }, stop.signal).then(
    ({ link, reason }) => Object.assign(outcome, { atMs: clock.now() - startMs, carrier: link.carrier, reason }),
    (error) =>
      Object.assign(outcome, {
        atMs: clock.now() - startMs,
        code: error instanceof Failure ? error.code : String(error),
      }),
  );
  return { clock, dialled, open, stop, outcome };
}

const UNREACHABLE = new Failure("relay/unreachable");

describe("connecting", () => {
  it("[EDGE-1] takes WebTransport at once when it is there, and opens nothing else", async () => {
    const { clock, dialled, outcome } = setUp({ webtransport: { afterMs: 200 }, websocket: { afterMs: 5 } });
    await clock.advance(20_000);
    expect(outcome).toEqual({ atMs: 200, carrier: "webtransport", reason: "first-choice" });
    expect(dialled).toEqual(["webtransport"]);
  });

  it("[EDGE-1] falls back to TCP within 3 s when UDP is swallowed", async () => {
    const { clock, dialled, open, outcome } = setUp({ websocket: { afterMs: 400 } });
    await clock.advance(20_000);
    expect(outcome).toMatchObject({ carrier: "websocket", reason: "webtransport-blocked" });
    expect(outcome.atMs).toBeLessThanOrEqual(WEBTRANSPORT_CONNECT_MS);
    expect(dialled).toEqual(["webtransport", "websocket"]);
    expect(open.size).toBe(1);
    expect(clock.sleeping).toBe(0);
  });

  it("[EDGE-1] falls back at once when WebTransport fails at once", async () => {
    const { clock, outcome } = setUp({
      webtransport: { afterMs: 10, failure: UNREACHABLE },
      websocket: { afterMs: 30 },
    });
    await clock.advance(5_000);
    expect(outcome).toEqual({ atMs: 40, carrier: "websocket", reason: "webtransport-blocked" });
  });

  it("[EDGE-1] keeps a slow WebTransport, never waits for the reserve, and closes it", async () => {
    for (const websocket of [{ afterMs: 100 }, { afterMs: 5_000 }, {}, { afterMs: 50, failure: UNREACHABLE }]) {
      const { clock, open, outcome } = setUp({ webtransport: { afterMs: 2_000 }, websocket });
      await clock.advance(20_000);
      expect(outcome).toEqual({ atMs: 2_000, carrier: "webtransport", reason: "first-choice" });
      expect([...open].map(({ carrier }) => carrier)).toEqual(["webtransport"]);
    }
  });

  it("[EDGE-1] closes a WebTransport that comes too late", async () => {
    const { clock, open, outcome } = setUp({ webtransport: { afterMs: 9_000 }, websocket: { afterMs: 10 } });
    await clock.advance(20_000);
    expect(outcome.carrier).toBe("websocket");
    expect([...open].map(({ carrier }) => carrier)).toEqual(["websocket"]);
  });

  it("[EDGE-2] uses plain HTTP where WebSockets are broken too, and says why", async () => {
    const { clock, outcome } = setUp({
      webtransport: { afterMs: 10, failure: UNREACHABLE },
      websocket: { afterMs: 10, failure: UNREACHABLE },
      http: { afterMs: 10 },
    });
    await clock.advance(20_000);
    expect(outcome).toEqual({ atMs: 30, carrier: "http", reason: "websocket-blocked" });
  });

  it("[EDGE-2] fails when nothing gets through", async () => {
    const { clock, outcome, open } = setUp({});
    await clock.advance(60_000);
    expect(outcome.code).toBe("relay/unreachable");
    expect(outcome.atMs).toBeLessThanOrEqual(15_000);
    expect([open.size, clock.sleeping]).toEqual([0, 0]);
  });

  it("[EDGE-2] stops at a relay's final answer, whichever carrier brought it", async () => {
    const unknown = new Failure("portal/unknown");
    const first = setUp({ webtransport: { afterMs: 10, failure: unknown }, websocket: { afterMs: 10 } });
    await first.clock.advance(20_000);
    expect(first.outcome).toEqual({ atMs: 10, code: "portal/unknown" });
    expect(first.dialled).toEqual(["webtransport"]);
    const second = setUp({ websocket: { afterMs: 10, failure: unknown }, http: { afterMs: 1 } });
    await second.clock.advance(20_000);
    expect(second.outcome.code).toBe("portal/unknown");
    expect(second.dialled).toEqual(["webtransport", "websocket"]);
    const late = setUp({ webtransport: { afterMs: 2_000, failure: unknown }, websocket: { afterMs: 10 } });
    await late.clock.advance(20_000);
    expect([late.outcome.code, late.open.size]).toEqual(["portal/unknown", 0]);
  });

  it("[EDGE-3] obeys what is forced", async () => {
    const all = { webtransport: { afterMs: 1 }, websocket: { afterMs: 1 }, http: { afterMs: 1 } };
    const tcp = setUp(all, { forced: "tcp" });
    const forced = setUp(all, { forced: "webtransport" });
    const absent = setUp(all, { forced: "webtransport", webtransportAbsent: "webtransport-absent" });
    const none = setUp({ websocket: { afterMs: 1 } }, { forced: "webtransport" });
    for (const { clock } of [tcp, forced, absent, none]) await clock.advance(20_000);
    expect(tcp.outcome).toMatchObject({ carrier: "websocket", reason: "forced" });
    expect(forced.outcome).toMatchObject({ carrier: "webtransport", reason: "forced" });
    expect(absent.outcome.code).toBe("browser/unsupported");
    expect(none.outcome.code).toBe("relay/unreachable");
    expect(none.dialled).toEqual(["webtransport"]);
  });

  it("[EDGE-3] says why WebTransport was not tried", async () => {
    for (const reason of ["webtransport-absent", "webtransport-not-offered"] as const) {
      const { clock, outcome, dialled } = setUp({ websocket: { afterMs: 1 } }, { webtransportAbsent: reason });
      await clock.advance(10);
      expect(outcome).toMatchObject({ carrier: "websocket", reason });
      expect(dialled).toEqual(["websocket"]);
    }
  });

  it("ends when it is stopped, and leaves no connection and no timer", async () => {
    for (const atMs of [0, 100, 800, 2_600]) {
      const { clock, open, stop, outcome } = setUp({ webtransport: { afterMs: 4_000 }, websocket: { afterMs: 4_000 } });
      await clock.advance(atMs);
      stop.abort();
      await clock.advance(30_000);
      await settle();
      expect(outcome).toEqual({ atMs, code: "cancelled" });
      expect([open.size, clock.sleeping]).toEqual([0, 0]);
    }
  });
});
