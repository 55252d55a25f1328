import { describe, expect, it } from "vitest";
import { EDGES } from "../../tests/support/scripted-edges.ts";
import { Failure } from "../failure.ts";
import type { EdgeSnapshot } from "./edges-snapshot.ts";
import { Gate, Window } from "./gate.ts";
import { Progress } from "./progress.ts";
import { StoredPrefix } from "./stored-prefix.ts";

/** A progress of `bytesPerSecond` for `seconds`, looked at ten times a second. */
function run(progress: Progress, fromMs: number, seconds: number, bytesPerSecond: number) {
  for (let step = 0; step < seconds * 10; step++) {
    progress.bytesDone += bytesPerSecond / 10;
    progress.snapshot(fromMs + (step + 1) * 100);
  }
  return progress.snapshot(fromMs + seconds * 1000);
}

describe("progress", () => {
  it("tells the rate of the last seconds and the time that is left", () => {
    const progress = new Progress();
    progress.bytesTotal = 100e6;
    progress.listed = true;
    expect(progress.snapshot(0)).toMatchObject({ state: "preparing", bytesPerSecond: 0, etaSeconds: null });
    progress.run();
    const fast = run(progress, 0, 10, 5e6);
    expect(fast.bytesPerSecond).toBeCloseTo(5e6, -5);
    expect(fast.etaSeconds).toBeCloseTo(10, 0);
    const slow = run(progress, 10_000, 10, 1e6);
    expect(slow.bytesPerSecond).toBeCloseTo(1e6, -5);
    expect(run(progress, 20_000, 10, 0)).toMatchObject({ bytesPerSecond: 0, etaSeconds: null });
  });

  it("names no time while the list is open, and no rate when it has ended", () => {
    const progress = new Progress();
    progress.bytesTotal = 100e6;
    progress.run();
    expect(run(progress, 0, 5, 1e6).etaSeconds).toBeNull();
    progress.listed = true;
    expect(progress.snapshot(5_000).etaSeconds).not.toBeNull();
    progress.end("done");
    expect(progress.snapshot(6_000)).toMatchObject({
      state: "done",
      bytesPerSecond: 0,
      etaSeconds: null,
      bottleneck: null,
    });
  });

  it("names the stage that was waited for most lately", () => {
    const progress = new Progress();
    progress.run();
    expect(progress.snapshot(0).bottleneck).toBeNull();
    for (let ms = 0; ms < 5_000; ms += 100) progress.spent("network", 90, ms);
    progress.spent("reading", 200, 5_000);
    expect(progress.snapshot(5_000).bottleneck).toBe("network");
    for (let ms = 5_000; ms < 20_000; ms += 100) progress.spent("writing", 90, ms);
    expect(progress.snapshot(20_000).bottleneck).toBe("writing");
  });

  it("ends once, and waiting or pausing never hides the end", () => {
    const progress = new Progress();
    progress.run();
    progress.waitingFor = "relay";
    expect(progress.snapshot(0)).toMatchObject({ state: "waiting", waitingFor: "relay" });
    progress.paused = true;
    expect(progress.snapshot(0)).toMatchObject({ state: "paused", waitingFor: null });
    progress.end(new Failure("sink/full", { bytes: 5 }));
    progress.end("done");
    progress.run();
    expect(progress.snapshot(0)).toMatchObject({
      state: "failed",
      failure: { code: "sink/full", details: { bytes: 5 } },
    });
    const cancelled = new Progress();
    cancelled.end(new Failure("cancelled"));
    expect(cancelled.snapshot(0)).toMatchObject({ state: "cancelled", failure: null });
  });

  it("shows the path and when the next try is", () => {
    const progress = new Progress();
    progress.link = { carrier: "http", reason: "websocket-blocked", nextTryAtMs: null, failure: null };
    expect(progress.snapshot(0)).toMatchObject({
      path: "tcp",
      carrier: "http",
      pathReason: "websocket-blocked",
      nextTryMs: null,
    });
    progress.link = { carrier: null, reason: null, nextTryAtMs: 1500, failure: "relay/foreign" };
    expect(progress.snapshot(1000)).toMatchObject({ path: null, nextTryMs: 500 });
    expect(progress.snapshot(9000).nextTryMs).toBe(0);
    expect(progress.snapshot(1000).waitingCode).toBeNull();
    progress.waitingFor = "relay";
    expect(progress.snapshot(1000)).toMatchObject({ state: "waiting", waitingCode: "relay/foreign" });
  });

  it("does not wait for the sender while relays have something to give", () => {
    const progress = new Progress();
    progress.run();
    progress.waitingFor = "sender";
    const [edge] = EDGES.edges as [EdgeSnapshot];
    let active = 1;
    progress.edges = () => ({ ...EDGES, edges: [{ ...edge, active }] });
    expect(progress.snapshot(0).state).toBe("running");
    active = 0;
    expect(progress.snapshot(900)).toMatchObject({ state: "running", waitingFor: null });
    expect(progress.snapshot(1_000)).toMatchObject({ state: "waiting", waitingFor: "sender" });
    // Nothing else is hidden by that.
    active = 1;
    progress.waitingFor = "relay";
    expect(progress.snapshot(1_100)).toMatchObject({ state: "waiting", waitingFor: "relay" });
  });

  it("shows one path for two ways to one relay: its link, or the other while nothing comes over that", () => {
    const progress = new Progress();
    progress.link = { carrier: "webtransport", reason: "first-choice", nextTryAtMs: null, failure: null };
    const [relay, , peer] = EDGES.edges;
    if (relay === undefined || peer === undefined) throw new Error("a relay and a peer");
    const second = { ...relay, edge: 1, kind: "tcp" } as const;
    const pathOf = (...edges: EdgeSnapshot[]) => {
      progress.edges = () => ({ ...EDGES, edges });
      return progress.snapshot(0).path;
    };
    expect(pathOf(relay, second)).toBe("webtransport");
    expect(pathOf({ ...relay, standing: "waiting" }, second)).toBe("tcp");
    expect(pathOf({ ...relay, bytesPerSec: 0 }, second)).toBe("tcp");
    expect(pathOf(relay, { ...second, name: "relay-b.example" })).toBe("mixed");
    expect(pathOf(relay, second, peer)).toBe("mixed");
  });
});

describe("what is stored without gaps", () => {
  it("[MOVE-9] grows only with the first pack that is missing", () => {
    const prefix = new StoredPrefix();
    const stored = [10, 20, 30, 40].map((bytes, i) => prefix.sent({ bytes, entries: i }));
    stored[2]?.();
    stored[1]?.();
    expect(prefix.reached).toMatchObject({ bytes: 0, entries: 0 });
    stored[0]?.();
    expect(prefix.reached).toMatchObject({ bytes: 30, entries: 2 });
    stored[3]?.();
    expect(prefix.reached).toMatchObject({ bytes: 40, entries: 3 });
    prefix.sent({ bytes: 50, entries: 4 })();
    expect(prefix.reached).toMatchObject({ bytes: 50, entries: 4 });
  });
});

describe("the gate and the window", () => {
  it("lets nothing through while it is shut, also when it is shut again at once", async () => {
    const gate = new Gate();
    await gate.pass();
    gate.shut();
    let passed = false;
    const passing = gate.pass().then(() => {
      passed = true;
    });
    gate.open();
    gate.shut();
    await new Promise((resolve) => setImmediate(resolve));
    expect(passed).toBe(false);
    gate.open();
    await passing;
    expect(passed).toBe(true);
  });

  it("gives at most its size of places, in order of asking", async () => {
    const window = new Window(2);
    const order: number[] = [];
    const asked = [0, 1, 2, 3].map((i) => window.take().then(() => order.push(i)));
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual([0, 1]);
    window.give();
    window.give();
    await Promise.all(asked);
    expect(order).toEqual([0, 1, 2, 3]);
  });
});
