import { describe, expect, it } from "vitest";
import { FakeClock, settle } from "../../tests/support/fake-clock.ts";
import { Failure } from "../failure.ts";
import type { Link } from "../ports/link.ts";
import type { Carrier } from "../transfer/snapshot.ts";
import { WEBTRANSPORT_CONNECT_MS } from "../units.ts";
import { type ConnectOptions, connect, connectBetter } from "./connect.ts";

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
  const connectOptions = { dial, clock, forced: undefined, webtransportAbsent: null, ...options };
  connect(connectOptions, stop.signal).then(
    ({ link, reason }) => Object.assign(outcome, { atMs: clock.now() - startMs, carrier: link.carrier, reason }),
    (error) =>
      Object.assign(outcome, {
        atMs: clock.now() - startMs,
        code: error instanceof Failure ? error.code : String(error),
      }),
  );
  return { clock, connectOptions, dialled, open, stop, outcome };
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

  it("[EDGE-18] fails within 4 s when nothing gets through, and within 10 s where it is patient", async () => {
    for (const [isPatient, limitMs] of [
      [false, 4_000],
      [true, 10_000],
    ] as const) {
      const { clock, outcome, open } = setUp({}, { isPatient });
      await clock.advance(60_000);
      expect(outcome.code).toBe("relay/unreachable");
      expect(outcome.atMs).toBeLessThanOrEqual(limitMs);
      expect([open.size, clock.sleeping]).toEqual([0, 0]);
    }
  });

  it("[EDGE-2] has plain requests ready beside a WebSocket that says nothing, and waits for a slow one", async () => {
    const silent = setUp({ http: { afterMs: 100 } }, { webtransportAbsent: "webtransport-absent" });
    await silent.clock.advance(20_000);
    expect(silent.outcome).toEqual({ atMs: 4_000, carrier: "http", reason: "websocket-blocked" });
    const slow = setUp(
      { websocket: { afterMs: 3_900 }, http: { afterMs: 100 } },
      { webtransportAbsent: "webtransport-absent" },
    );
    await slow.clock.advance(20_000);
    expect(slow.outcome).toEqual({ atMs: 3_900, carrier: "websocket", reason: "webtransport-absent" });
    expect([...slow.open].map(({ carrier }) => carrier)).toEqual(["websocket"]);
    for (const { clock } of [silent, slow]) expect(clock.sleeping).toBe(0);
  });

  it("[EDGE-22] tells that something else answers, when only that is found out", async () => {
    const { clock, outcome } = setUp({
      webtransport: { afterMs: 10, failure: UNREACHABLE },
      websocket: { afterMs: 10, failure: UNREACHABLE },
      http: { afterMs: 10, failure: new Failure("relay/foreign") },
    });
    await clock.advance(20_000);
    expect(outcome).toEqual({ atMs: 30, code: "relay/foreign" });
  });

  it("[EDGE-16] asks for a lease over one carrier at a time", async () => {
    const all = { webtransport: {}, websocket: {}, http: { afterMs: 10 } };
    for (const [lease, begun] of [
      [0, ["webtransport"]],
      [3, ["webtransport", "websocket"]],
    ] as const) {
      const { clock, dialled, outcome } = setUp(all, { lease: { lease, takeOver: false } });
      await clock.advance(1_600);
      expect(dialled).toEqual(begun);
      await clock.advance(20_000);
      expect(dialled).toEqual(["webtransport", "websocket", "http"]);
      expect(outcome.carrier).toBe("http");
    }
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

  it("[EDGE-21] finds a carrier that is better than the one in use, or none", async () => {
    const stop = new AbortController();
    const find = async (
      carriers: Partial<Record<Carrier, Behaviour>>,
      than: Carrier,
      absent: "webtransport-absent" | null,
    ) => {
      const { clock, connectOptions, open } = setUp(carriers, { webtransportAbsent: absent, forced: "tcp" });
      const finding = connectBetter(connectOptions, than, stop.signal);
      await clock.advance(20_000);
      const found = await finding;
      expect(open.has(found?.link as Link)).toBe(found !== undefined);
      return found && [found.link.carrier, found.reason];
    };
    const up = { afterMs: 10 };
    expect(await find({ webtransport: up }, "websocket", null)).toEqual(["webtransport", "webtransport-back"]);
    expect(await find({ webtransport: up, websocket: up }, "http", null)).toEqual([
      "webtransport",
      "webtransport-back",
    ]);
    expect(await find({ websocket: up }, "http", null)).toEqual(["websocket", "webtransport-blocked"]);
    expect(await find({ websocket: up }, "http", "webtransport-absent")).toEqual(["websocket", "webtransport-absent"]);
    expect(await find({ websocket: up }, "websocket", null)).toBeUndefined();
    expect(await find({ http: up }, "http", null)).toBeUndefined();
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
