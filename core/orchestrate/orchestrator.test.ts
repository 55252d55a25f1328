import { describe, expect, it } from "vitest";
import { sequence } from "../../tests/support/fake-effort.ts";
import { RangeSet } from "../chunk/range-set.ts";
import type { Start } from "../schedule/dispatch-orders.ts";
import type { EdgeFacts } from "./edge-watch.ts";
import { Orchestrator, type OrchestratorOptions, TICK_MS } from "./orchestrator.ts";

const PACK_BYTES = 4_194_304;
const PACKS = 400;

interface Line {
  bytesPerSec: number;
  isUp: boolean;
  /** Bytes left of what is under way, in order. */
  readonly queue: { readonly pack: number; leftBytes: number; readonly startedMs: number }[];
}

/** Edges that carry at rates that the test changes, worked off in ticks, with eight packs wanted at a time. */
class Play {
  readonly orchestrator: Orchestrator;
  readonly lines: Line[];
  readonly came: { readonly pack: number; readonly edge: number; readonly atMs: number }[] = [];
  nowMs = 0;
  /** What a tick's rate is multiplied by. */
  noise: () => number = () => 1;
  #next = 0;

  constructor(rates: readonly number[], options: Partial<OrchestratorOptions> = {}) {
    this.orchestrator = new Orchestrator({ direction: "down", packBytes: PACK_BYTES, seed: 5, ...options });
    this.lines = rates.map((bytesPerSec) => ({ bytesPerSec, isUp: true, queue: [] }));
    const all = new RangeSet();
    all.add(0, PACKS);
    for (const edge of this.lines.keys()) {
      this.tell(edge);
      this.orchestrator.setHeld(edge, all);
    }
  }

  /** Tells the orchestrator how an edge stands. */
  tell(edge: number): void {
    const isUp = this.lines[edge]?.isUp === true;
    const facts: EdgeFacts = { kind: "tcp", name: `relay-${edge}`, isUp, rttMs: 10, maxActive: 8 };
    const line = this.lines[edge];
    if (line !== undefined && !isUp)
      for (const _ of line.queue.splice(0)) this.orchestrator.watches[edge]?.ended(this.nowMs);
    this.orchestrator.setEdge(edge, facts, this.nowMs);
  }

  /** Plays until a time, or until everything is there. */
  until(ms: number): void {
    while (this.nowMs < ms && this.came.length < PACKS) this.#tick();
  }

  #tick(): void {
    this.nowMs += TICK_MS;
    for (const [edge, line] of this.lines.entries()) this.#work(edge, line);
    for (; this.#next < PACKS && this.#next - this.came.length < 12; this.#next++) this.orchestrator.want(this.#next);
    this.orchestrator.setRest(this.#next, PACKS);
    const { start, cancel } = this.orchestrator.tick(this.nowMs);
    for (const { pack, edge } of cancel) this.#drop(pack, edge);
    this.#start(start);
  }

  #start(starts: readonly Start[]): void {
    for (const { pack, edge } of starts) {
      this.lines[edge]?.queue.push({ pack, leftBytes: PACK_BYTES, startedMs: this.nowMs });
      this.orchestrator.watches[edge]?.started(true, this.nowMs);
    }
  }

  #drop(pack: number, edge: number): void {
    const line = this.lines[edge];
    const at = line?.queue.findIndex((one) => one.pack === pack) ?? -1;
    if (at < 0) return;
    line?.queue.splice(at, 1);
    this.orchestrator.watches[edge]?.ended(this.nowMs);
  }

  #work(edge: number, line: Line): void {
    let bytes = line.isUp ? (this.noise() * line.bytesPerSec * TICK_MS) / 1000 : 0;
    for (let first = line.queue[0]; first !== undefined && bytes > 0; first = line.queue[0]) {
      const part = Math.min(bytes, first.leftBytes);
      bytes -= part;
      first.leftBytes -= part;
      this.orchestrator.progress(first.pack, edge, part, this.nowMs);
      if (first.leftBytes > 0) return;
      line.queue.shift();
      this.orchestrator.watches[edge]?.ended(this.nowMs);
      this.orchestrator.arrived(first.pack, edge, this.nowMs - first.startedMs, this.nowMs);
      this.came.push({ pack: first.pack, edge, atMs: this.nowMs });
    }
  }

  get causes(): string[] {
    return this.orchestrator.replans.records.flatMap(({ reasons }) => reasons.map(({ cause }) => cause));
  }

  /** Packs of an edge between two times. */
  packsOf(edge: number, fromMs = 0, toMs = Number.POSITIVE_INFINITY): number {
    return this.came.filter((one) => one.edge === edge && one.atMs > fromMs && one.atMs <= toMs).length;
  }
}

describe("the orchestrator", () => {
  it("plans nothing anew in a transfer that goes well from its first tick to its last", () => {
    const play = new Play([40e6, 20e6, 10e6]);
    play.until(60_000);
    expect(play.came.length).toBe(PACKS);
    expect(play.causes).toEqual([]);
  });

  it("plans nothing anew where rates are noisy by ±30 %", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const next = sequence(Math.imul(seed, 0x9e3779b1) | 1);
      const play = new Play([40e6, 20e6, 10e6]);
      play.noise = () => 0.7 + (0.6 * next()) / 2 ** 32;
      play.until(60_000);
      expect(play.came.length).toBe(PACKS);
      expect(play.causes, `seed ${seed}`).toEqual([]);
    }
  });

  it("uses all edges at their rates: the finish is within a twentieth of what they carry together", () => {
    const play = new Play([40e6, 20e6, 10e6]);
    play.until(60_000);
    expect(play.nowMs).toBeLessThan(1.05 * ((PACKS * PACK_BYTES) / 70_000) + 200);
  });

  it("finds an edge that becomes half as fast, plans again for it alone, and gives it half as much from then on", () => {
    const play = new Play([40e6, 40e6]);
    play.until(6_000);
    const [, slow] = play.lines;
    if (slow === undefined) throw new Error("lines");
    slow.bytesPerSec /= 2;
    play.until(60_000);
    const [first] = play.orchestrator.replans.records;
    expect(first).toMatchObject({
      decision: { kind: "partial", edges: [1] },
      reasons: [{ cause: "drift", edges: [1] }],
    });
    expect((first?.atMs ?? 0) - 6_000).toBeLessThanOrEqual(400);
    expect(first?.gain).toBeGreaterThan(0.1);
    expect(first?.movedPacks).toBeGreaterThan(0);
    const [fast, half] = [play.packsOf(0, 8_000, 16_000), play.packsOf(1, 8_000, 16_000)];
    expect(half / fast).toBeGreaterThan(0.4);
    expect(half / fast).toBeLessThan(0.6);
  });

  it("says why when an edge is lost, starts its packs elsewhere in the same tick, and takes it back", () => {
    const play = new Play([40e6, 40e6]);
    play.until(5_000);
    const [, gone] = play.lines;
    if (gone === undefined) throw new Error("lines");
    const underWay = gone.queue.map(({ pack }) => pack);
    expect(underWay.length).toBeGreaterThan(0);
    gone.isUp = false;
    play.tell(1);
    const { start } = play.orchestrator.tick(play.nowMs + 1);
    expect(start.filter(({ pack }) => underWay.includes(pack)).every(({ edge }) => edge === 0)).toBe(true);
    expect(start.map(({ pack }) => pack)).toContain(underWay[0]);
    expect(play.orchestrator.replans.records[0]).toMatchObject({
      decision: { kind: "partial", edges: [1] },
      strategy: "greedy",
      reasons: [{ cause: "edge-lost", edges: [1] }],
    });
    expect(play.orchestrator.replans.records[0]?.movedPacks).toBeGreaterThan(PACKS / 5);
    gone.isUp = true;
    play.tell(1);
    for (const { pack } of start) play.orchestrator.unwant(pack);
    play.orchestrator.tick(play.nowMs + 51);
    expect(play.causes).toEqual(["edge-lost", "edge-new"]);
  });

  it("asks an edge that lied for nothing, whatever it holds", () => {
    const play = new Play([20e6, 20e6]);
    play.until(1_000);
    play.orchestrator.bar(1, play.nowMs);
    const before = play.packsOf(1);
    play.until(120_000);
    expect(play.came.length + (play.lines[1]?.queue.length ?? 0)).toBeGreaterThanOrEqual(PACKS);
    expect(play.packsOf(1)).toBeLessThanOrEqual(before + 8);
    expect(play.causes).toContain("edge-lost");
  });

  it("plans anew when it is asked to", () => {
    const play = new Play([20e6, 20e6]);
    play.until(2_000);
    play.orchestrator.replanNow(play.nowMs);
    play.until(2_100);
    expect(play.orchestrator.replans.records[0]).toMatchObject({ decision: { kind: "full", reason: "manual" } });
  });

  it("starts nothing in quiet hours, and goes on after them", () => {
    let hour = 3;
    const device = { battery: "unknown", metered: "unknown", saveData: "unknown" } as const;
    const play = new Play([20e6, 20e6], {
      policy: { kind: "quiet", hours: [{ days: [], startHour: 1, endHour: 5 }] },
      conditions: () => ({ epochMs: hour * 3_600_000, utcOffsetMinutes: 0, here: device, there: device }),
    });
    play.until(1_000);
    expect(play.came).toEqual([]);
    expect(play.orchestrator.hindrance).toBe("quiet");
    hour = 6;
    play.until(60_000);
    expect(play.came.length).toBe(PACKS);
    expect(play.orchestrator.hindrance).toBeNull();
  });
});
