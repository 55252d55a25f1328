/**
 * The loop of a transfer over many edges: packs are ordered by the plan's rates, what really happens is measured against them,
 * and when an edge leaves the plan, is lost or joins, the part that this concerns is planned again (docs/decisions/010).
 *
 * The dispatcher works with the rates of the plan, not with the last sample: between two re-plans nothing moves. It does no
 * input or output and knows no clock; all times are ms of one clock that do not go back.
 *
 * @module
 */
import { RangeSet } from "../chunk/range-set.ts";
import type { Direction } from "../edge/bandwidth.ts";
import type { Hindrance } from "../edge/constraints.ts";
import type { Counts, Orders } from "../schedule/dispatch-orders.ts";
import { Dispatcher } from "../schedule/dispatcher.ts";
import type { EdgeView } from "../schedule/model.ts";
import { Drift } from "./drift.ts";
import { EdgeViews, type UserRules } from "./edge-views.ts";
import { type EdgeFacts, EdgeWatch, isAsked, isThere, RAMP_MS } from "./edge-watch.ts";
import { proposeMoves } from "./propose.ts";
import { decide, ReplanLog, type ReplanRecord } from "./replan.ts";
import { Triggers } from "./triggers.ts";
import { edgeLoads, workRatio } from "./watch-loads.ts";

/** An edge is planned with from so many samples on. */
const FIRST_SAMPLES = 3;
/** Hours, batteries and what a person wants change slowly. */
const RULES_MS = 1_000;
/** A time-out needs no more than this to be seen, so the shares are looked at no more often. */
export const TICK_MS = 50;

/** What it begins with. */
export interface OrchestratorOptions extends UserRules {
  readonly direction: Direction;
  readonly packBytes: number;
  readonly seed: number;
}

/** One transfer's. */
export class Orchestrator {
  readonly #options: OrchestratorOptions;
  readonly #dispatcher: Dispatcher;
  readonly #watches: EdgeWatch[] = [];
  readonly #rules: EdgeViews;
  readonly #held: RangeSet[] = [];
  readonly #barred = new Set<number>();
  readonly #drift = new Drift();
  readonly #triggers = new Triggers();
  readonly #log = new ReplanLog();
  #rest: readonly [start: number, end: number] = [0, 0];
  /** Edges that left their plan in this tick. */
  readonly #drifted = new Set<EdgeWatch>();
  #hasPlan = false;
  #ruledAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: OrchestratorOptions) {
    this.#options = options;
    const { packBytes, seed, direction } = options;
    this.#rules = new EdgeViews(this.#watches, options);
    // Of what is stored, nothing is heard before it is stored; links see by themselves when they are dead.
    this.#dispatcher = new Dispatcher({ edges: [], packBytes, seed, timesOut: direction === "down" });
  }

  /** By the edges' numbers; one that has gone stays. */
  get watches(): readonly EdgeWatch[] {
    return this.#watches;
  }

  /** Numbers of edges that gave wrong bytes. */
  get barred(): ReadonlySet<number> {
    return this.#barred;
  }

  /** Why nothing may be started now, though an edge is there; null where something may. */
  get hindrance(): Hindrance | null {
    const usable = this.#watches.filter((watch) => this.#isUsable(watch));
    return usable.every(({ hindrance }) => hindrance !== null) ? (usable[0]?.hindrance ?? null) : null;
  }

  get counts(): Counts {
    return this.#dispatcher.counts;
  }

  /** What was decided, oldest first, and how much that was in all. */
  get replans(): { readonly records: readonly ReplanRecord[]; readonly total: number } {
    return { records: this.#log.records, total: this.#log.total };
  }

  /** The packs that are still to come, for plans: `[start, end)`, as well as that is known. */
  setRest(start: number, end: number): void {
    this.#rest = [start, Math.max(start, end)];
  }

  /** An edge that is new (its number is the next one), or what is known of one now. */
  setEdge(edge: number, facts: EdgeFacts, nowMs: number): void {
    const known = this.#watches[edge];
    const was = known?.facts ?? { ...facts, isUp: false };
    const watch = known ?? new EdgeWatch(edge, facts, this.#options.direction, this.#options.packBytes);
    watch.facts = facts;
    if (known === undefined) {
      watch.turnedAtMs = nowMs;
      this.#watches.push(watch);
      this.#held.push(new RangeSet());
    }
    if (facts.isUp) {
      if (was.use !== facts.use && isAsked(was) !== isAsked(facts)) this.#turn(watch, nowMs);
      this.#dispatcher.setEdge(edge, this.#viewOf(watch, nowMs));
      if (isThere(facts) && !isThere(was)) this.#triggers.joined(edge, nowMs);
    } else if (was.isUp) {
      watch.health.checked(false, nowMs);
      this.#drift.forget(edge);
      this.#dispatcher.edgeLost(edge);
      if (isThere(was)) this.#triggers.lost(edge, nowMs);
    }
  }

  /** An edge that is connected is taken into use, or out of it. */
  #turn(watch: EdgeWatch, nowMs: number): void {
    watch.turned(nowMs);
    this.#drift.forget(watch.edge);
    if (watch.facts.use === "silent") this.#dispatcher.edgeLost(watch.edge);
  }

  /** All that an edge holds, or may be given. @param held is not changed afterwards */
  setHeld(edge: number, held: RangeSet): void {
    this.#held[edge] = held;
    this.#dispatcher.holders(edge, held);
  }

  /** True where an edge that can be asked has the pack. */
  isHeld(pack: number): boolean {
    return this.#watches.some((watch) => this.#isUsable(watch) && this.#held[watch.edge]?.has(pack) === true);
  }

  want(pack: number): void {
    this.#dispatcher.want(pack);
  }

  /** A pack is wanted that an edge was asked for before anything was ordered. @param leftBytes that have not come */
  adopt(pack: number, edge: number, leftBytes: number, nowMs: number): void {
    this.#dispatcher.adopt(pack, edge, leftBytes, nowMs);
  }

  unwant(pack: number): void {
    this.#dispatcher.unwant(pack);
  }

  /** Bytes of a pack came, before it is whole. */
  progress(pack: number, edge: number, bytes: number, nowMs: number): void {
    this.#dispatcher.progress(pack, edge, bytes, nowMs);
    this.#watches[edge]?.carried(bytes, nowMs);
  }

  /** A pack is done, and right. @returns whether it was still wanted */
  arrived(pack: number, edge: number, tookMs: number, nowMs: number): boolean {
    this.carriedPack(edge, tookMs, nowMs);
    return this.#dispatcher.arrived(pack, edge);
  }

  /** The same of one that was not ordered here. */
  carriedPack(edge: number, tookMs: number, nowMs: number): void {
    const watch = this.#watches[edge];
    if (watch === undefined) return;
    watch.packs += 1;
    watch.health.succeeded(tookMs, nowMs);
  }

  /** An edge failed a pack. @param isAbsent it says that it does not hold it */
  failed(pack: number, edge: number, nowMs: number, isAbsent: boolean): void {
    if (!isAbsent) this.#watches[edge]?.health.failed(nowMs);
    this.#dispatcher.failed(pack, edge, nowMs, isAbsent);
  }

  /** An edge gives wrong bytes: it is asked no more. */
  bar(edge: number, nowMs: number): void {
    if (this.#barred.has(edge)) return;
    this.#barred.add(edge);
    this.#drift.forget(edge);
    this.#dispatcher.distrust(edge);
    this.#triggers.lost(edge, nowMs);
  }

  /** Somebody asks for a new plan. */
  replanNow(nowMs: number): void {
    this.#triggers.manual(nowMs);
  }

  /** What to do now, every TICK_MS. */
  tick(nowMs: number): Orders {
    for (const watch of this.#watches) this.#measure(watch, nowMs);
    if (nowMs - this.#ruledAtMs >= RULES_MS) this.#applyRules(nowMs);
    const usable = this.#watches.filter((watch) => this.#isUsable(watch));
    this.#triggers.transfer(workRatio(usable, this.#options.packBytes), nowMs);
    const { wanted, active, waiting } = this.#dispatcher.counts;
    const there = usable.filter(({ facts }) => isThere(facts));
    const loads = edgeLoads(there, this.#held, this.#rest);
    this.#triggers.loads(loads, Math.max(0, wanted - active - waiting), nowMs);
    this.#replan(nowMs);
    return this.#dispatcher.tick(nowMs);
  }

  /** What to start in the room that there is, right after something changed. */
  fill(nowMs: number): Orders {
    return this.#dispatcher.fill(nowMs);
  }

  #measure(watch: EdgeWatch, nowMs: number): void {
    const { edge } = watch;
    watch.show(nowMs);
    const sample = watch.sample(nowMs);
    if (sample === undefined || !this.#isUsable(watch)) return;
    if (isThere(watch.facts)) this.#triggers.health(edge, watch.health.value(nowMs), nowMs);
    if (watch.plannedBytesPerSec === undefined) {
      if (watch.bandwidth.samples >= FIRST_SAMPLES) this.#settle([watch], nowMs);
      return;
    }
    const isShared = this.#watches.some((other) => other.disturbs(watch, nowMs));
    const isRamp = isShared || nowMs - (watch.sampledAtMs ?? nowMs) < RAMP_MS;
    const alarm = this.#drift.add(edge, sample.bytes, sample.busyMs, nowMs);
    if (alarm !== undefined) watch.bandwidth.restart(alarm.bytesPerSec);
    if (alarm !== undefined && !isRamp) {
      this.#triggers.drift(alarm, nowMs);
      this.#drifted.add(watch);
    }
    // The first samples were few: what it is held against from now on is their average since.
    if (isRamp ? alarm !== undefined : watch.isNew) this.#settle([watch], nowMs);
    watch.isNew = isRamp;
  }

  #applyRules(nowMs: number): void {
    this.#ruledAtMs = nowMs;
    for (const watch of this.#watches) {
      if (this.#isUsable(watch)) this.#dispatcher.setEdge(watch.edge, this.#viewOf(watch, nowMs));
    }
  }

  #replan(nowMs: number): void {
    const usable = this.#watches.filter((watch) => this.#isUsable(watch));
    if (!this.#hasPlan) {
      // The first plan is of what is there at the beginning, and no re-plan.
      if (usable.length === 0) return;
      this.#hasPlan = true;
      this.#triggers.planned("all", nowMs);
      return;
    }
    const reasons = this.#triggers.collect(nowMs);
    const held = [...this.#drifted].filter(({ edge }) => !reasons.some(({ edges }) => edges.includes(edge)));
    this.#drifted.clear();
    // What is told again too soon is no re-plan to tell of, but the rate is what it is.
    if (held.length > 0) {
      this.#settle(held, nowMs);
      this.#triggers.planned(
        held.map(({ edge }) => edge),
        nowMs,
      );
    }
    if (reasons.length === 0) return;
    const [start, end] = this.#rest;
    const decision = decide(reasons, end - start, this.#watches.length);
    const touched = decision.kind === "partial" ? decision.edges : reasons.flatMap(({ edges }) => edges);
    const concerned = decision.kind === "full" ? "all" : touched;
    const before = this.#watches.map((watch) => this.#viewOf(watch, nowMs));
    const chosen = usable.filter(({ edge }) => concerned === "all" || concerned.includes(edge));
    // Also where nothing that is known of can be moved: more may come.
    this.#settle(chosen, nowMs);
    if (decision.kind === "nothing") {
      this.#log.add({ atMs: nowMs, reasons, decision, strategy: null, gain: null, movedPacks: null });
      return;
    }
    const after = this.#watches.map((watch) => this.#viewOf(watch, nowMs));
    this.#triggers.planned(concerned, nowMs);
    const lost = reasons.flatMap(({ cause, edges }) => (cause === "edge-lost" ? edges : []));
    const moves = proposeMoves({
      held: this.#held,
      rest: this.#rest,
      packBytes: this.#options.packBytes,
      before: this.#rules.withLost(before, lost, nowMs),
      after,
      hasLost: lost.length > 0,
      isWhole: decision.kind === "full",
      concerned,
    });
    const movedPacks = [...moves.rescues, ...moves.moves].reduce((sum, { packs }) => sum + packs, 0);
    const { strategy, gain } = moves;
    this.#log.add({ atMs: nowMs, reasons, decision, strategy, gain, movedPacks: Math.round(movedPacks) });
  }

  /** The plan counts on what was measured of these edges. */
  #settle(watches: readonly EdgeWatch[], nowMs: number): void {
    for (const watch of watches) {
      const { bytesPerSec } = watch.bandwidth;
      if (bytesPerSec !== undefined) {
        watch.planned(bytesPerSec);
        this.#drift.planned(watch.edge, bytesPerSec);
      }
      this.#dispatcher.setEdge(watch.edge, this.#viewOf(watch, nowMs));
    }
  }

  /** Measured ÷ planned rate of an edge, undefined while that is not known. */
  driftOf(edge: number, nowMs: number): number | undefined {
    return this.#drift.ratio(edge, nowMs);
  }

  #isUsable({ edge, facts }: EdgeWatch): boolean {
    return isAsked(facts) && !this.#barred.has(edge);
  }

  #viewOf(watch: EdgeWatch, nowMs: number): EdgeView {
    const view = this.#rules.viewOf(watch, nowMs);
    return this.#barred.has(watch.edge) ? { ...view, weight: 0 } : view;
  }
}
