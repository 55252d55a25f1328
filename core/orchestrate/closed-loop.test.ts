import { describe, expect, it } from "vitest";
import { sequence } from "../../tests/support/fake-effort.ts";
import { Bandwidth } from "../edge/bandwidth.ts";
import { BusyMeter } from "../edge/busy-meter.ts";
import { NEVER_US } from "../schedule/model.ts";
import { Drift } from "./drift.ts";
import { chooseStrategy, Migration } from "./migration.ts";
import { decide, ReplanLog } from "./replan.ts";
import { planMoves } from "./strategies.ts";
import { TransferDrift } from "./transfer-drift.ts";
import { Triggers } from "./triggers.ts";

const TICK_MS = 50;
const PACK_BYTES = 4_194_304;
const PACKS = 1000;

interface World {
  /** Bytes per second of an edge at a time. */
  readonly rateAt: (edge: number, ms: number) => number;
  readonly planned: readonly number[];
  /** An edge that goes, and when. */
  readonly loses?: readonly [edge: number, atMs: number];
  /** Whether what is decided is also done. */
  readonly acts: boolean;
}

/** Three edges that hold every pack, in ticks of 50 ms: each works off its queue, and every part of the loop is asked. */
function play({ rateAt, planned, acts, loses }: World) {
  const edges = planned.map((bytesPerSec, edge) => {
    const all = planned.reduce((sum, rate) => sum + rate);
    const bandwidth = new Bandwidth();
    bandwidth.add(bytesPerSec, 1000);
    const meter = new BusyMeter();
    meter.started(0);
    return { edge, queueBytes: (PACKS * PACK_BYTES * bytesPerSec) / all, bandwidth, meter };
  });
  const [drift, transfer, triggers, log] = [new Drift(), new TransferDrift(), new Triggers(), new ReplanLog()];
  let migration: Migration | undefined;
  let movedAtMs: number | undefined;
  let nowMs = 0;
  let lost = -1;
  const rates = () => edges.map(({ edge, bandwidth }) => (edge === lost ? 0 : (bandwidth.bytesPerSec ?? 0)));
  const leftBytes = () => edges.reduce((sum, { queueBytes }) => sum + queueBytes, 0);
  const doneBytes = () => PACKS * PACK_BYTES - leftBytes();
  const plan = (concerned: readonly number[] | "all") => {
    for (const [edge, rate] of rates().entries())
      if (rate > 0 && (concerned === "all" || concerned.includes(edge))) drift.planned(edge, rate);
    const finishMs = (leftBytes() * 1000) / rates().reduce((sum, rate) => sum + rate);
    transfer.planned({ bytes: leftBytes(), finishMs, firstMs: 0 }, doneBytes(), nowMs);
    triggers.planned(concerned, nowMs);
  };
  const replan = () => {
    // What a lost edge had under way has to be started again too.
    const underWay = edges.map(({ edge, queueBytes }) => (edge === lost ? 0 : Math.min(2, queueBytes / PACK_BYTES)));
    const unstarted = edges.map(({ queueBytes }, i) => queueBytes / PACK_BYTES - (underWay[i] ?? 0));
    const reasons = triggers.collect(nowMs);
    const decision = decide(reasons, Math.floor(unstarted.reduce((sum, packs) => sum + packs)), edges.length);
    let moves = null;
    if (decision.kind !== "nothing" && acts) {
      const packUs = rates().map((rate) => Math.min(NEVER_US, (PACK_BYTES * 1e6) / rate));
      const baseUs = underWay.map((packs, i) => packs * (packUs[i] ?? 0));
      const level = leftBytes() / PACK_BYTES / packUs.reduce((sum, us) => sum + 1 / us, 0);
      const aims = packUs.map((us, i) => Math.max(0, (level - (baseUs[i] ?? 0)) / us));
      const shares = { classIndex: 0, edges: [0, 1, 2], packUs, current: unstarted, planned: aims };
      const isWhole = decision.kind === "full";
      moves = planMoves(
        { classes: [shares], baseUs },
        chooseStrategy({ hasLost: lost >= 0, isWhole, finishMs: level / 1000 }),
      );
      migration = new Migration(moves);
      plan(decision.kind === "full" ? "all" : decision.edges);
    }
    const movedPacks = moves && [...moves.rescues, ...moves.moves].reduce((sum, { packs }) => sum + packs, 0);
    log.add({
      atMs: nowMs,
      reasons,
      decision,
      strategy: moves?.strategy ?? null,
      gain: moves?.gain ?? null,
      movedPacks,
    });
  };

  plan("all");
  for (; leftBytes() > 1; ) {
    nowMs += TICK_MS;
    if (loses !== undefined && lost < 0 && nowMs >= loses[1]) {
      lost = loses[0];
      triggers.lost(lost, nowMs);
    }
    for (const { edge, queueBytes, bandwidth, meter } of edges) {
      if (queueBytes === 0 || edge === lost) continue;
      const bytes = Math.min(queueBytes, (rateAt(edge, nowMs) * TICK_MS) / 1000);
      const isLast = bytes === queueBytes;
      // It works until its queue is empty, and rests for the rest of the tick.
      const atMs = isLast ? nowMs - TICK_MS + (bytes * 1000) / rateAt(edge, nowMs) : nowMs;
      meter.carried(bytes, atMs);
      if (isLast) meter.ended(atMs);
      for (const one of edges) if (one.edge === edge) one.queueBytes -= bytes;
      const sample = meter.take(nowMs);
      if (sample === undefined) continue;
      bandwidth.add(sample.bytes, sample.busyMs);
      const alarm = drift.add(edge, sample.bytes, sample.busyMs, nowMs);
      if (alarm === undefined) continue;
      bandwidth.restart(alarm.bytesPerSec);
      triggers.drift(alarm, nowMs);
    }
    for (const { from, to, packs } of migration?.next() ?? []) {
      movedAtMs ??= nowMs;
      for (const one of edges) {
        const change = one.edge === from ? -packs : one.edge === to ? packs : 0;
        if (one.queueBytes === 0 && change > 0) one.meter.started(nowMs);
        one.queueBytes += PACK_BYTES * change;
      }
    }
    triggers.transfer(transfer.ratio(doneBytes(), nowMs), nowMs);
    const unstarted = edges.reduce((sum, { queueBytes }) => sum + Math.max(0, queueBytes - 2 * PACK_BYTES), 0);
    triggers.loads(
      edges.map(({ edge, queueBytes }) => ({ edge, load: Math.min(1, queueBytes / (2 * PACK_BYTES)), canTake: true })),
      unstarted,
      nowMs,
    );
    replan();
  }
  return { finishMs: nowMs, records: log.records, movedAtMs };
}

const PLANNED = [40_000_000, 20_000_000, 20_000_000];
const rateOf = (edge: number) => PLANNED[edge] ?? 1;

describe("the loop of measuring, deciding and moving", () => {
  it("decides nothing in a transfer that goes as planned, from its first tick to its last", () => {
    expect(play({ rateAt: rateOf, planned: PLANNED, acts: true }).records).toEqual([]);
  });

  it("decides nothing in a transfer whose rates are noisy by ±30 %, from the first tick to the last", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const next = sequence(Math.imul(seed, 0x9e3779b1) | 1);
      const rateAt = (edge: number) => rateOf(edge) * (0.7 + (0.6 * next()) / 2 ** 32);
      const { records } = play({ rateAt, planned: PLANNED, acts: true });
      expect(records, `seed ${seed}`).toEqual([]);
    }
  });

  it("answers one edge that becomes half as fast by a partial re-plan within 300 ms, and ends sooner by more than a tenth", () => {
    const slowAtMs = 10_000;
    const rateAt = (edge: number, ms: number) => (edge === 0 && ms > slowAtMs ? 0.5 : 1) * rateOf(edge);
    const left = play({ rateAt, planned: PLANNED, acts: false });
    const done = play({ rateAt, planned: PLANNED, acts: true });
    const [first] = done.records;
    expect(first).toMatchObject({ decision: { kind: "partial", edges: [0] }, strategy: "hybrid" });
    expect(first?.reasons.map(({ cause }) => cause)).toEqual(["drift"]);
    expect((first?.atMs ?? 0) - slowAtMs).toBeLessThanOrEqual(250);
    expect((done.movedAtMs ?? 0) - slowAtMs).toBeLessThanOrEqual(300);
    expect(first?.gain).toBeGreaterThan(0.1);
    // The best that could be done, knowing all from the moment of the change.
    const bestMs = slowAtMs + (PACKS * PACK_BYTES - 800_000_000) / 60_000;
    expect(done.finishMs).toBeLessThan(0.9 * left.finishMs);
    expect(done.finishMs).toBeLessThan(1.12 * bestMs);
  });

  it("gives away all packs of a lost edge one tick after it is lost, and ends as soon as the others can", () => {
    const lostAtMs = 20_000;
    const { records, movedAtMs, finishMs } = play({
      rateAt: rateOf,
      planned: PLANNED,
      acts: true,
      loses: [1, lostAtMs],
    });
    expect(records[0]).toMatchObject({ atMs: lostAtMs, decision: { kind: "partial", edges: [1] }, strategy: "greedy" });
    expect(movedAtMs).toBe(lostAtMs + 50);
    expect(records[0]?.movedPacks).toBeCloseTo(PACKS / 4 - (20 * (lostAtMs - 50)) / 1000 / (PACK_BYTES / 1e6), 0);
    const bestMs = lostAtMs + (PACKS * PACK_BYTES - 80_000_000 * 20) / 60_000;
    expect(finishMs).toBeLessThan(1.05 * bestMs);
  });
});
