/**
 * Which pack is started at which edge now. It is told what is wanted, who holds it and what became of it; it does no input
 * or output, knows no clock, and gives the same answers to the same calls.
 *
 * A pack goes to the edge at which it would be there first, counting what waits for that edge: so it may wait for a fast edge
 * that is full rather than start at a slow one. Nothing is dropped: what no edge can carry waits until one can.
 *
 * @module
 */
import type { RangeSet } from "../chunk/range-set.ts";
import { assert } from "../failure.ts";
import { Backups } from "./backups.ts";
import { Bans } from "./bans.ts";
import { HolderMap } from "./dispatch-holders.ts";
import type { Counts, DispatcherOptions, Orders, Start, Want } from "./dispatch-orders.ts";
import { compareWanted, type Wanted, WantQueue } from "./dispatch-queue.ts";
import { Distributor } from "./distributor.ts";
import { Copies } from "./endgame.ts";
import { EdgeInFlight, type Flight } from "./in-flight.ts";
import { type EdgeView, NO_EDGE } from "./model.ts";

/** All times that it is given are ms of one clock, and never go back. */
export class Dispatcher {
  readonly #packBytes: number;
  readonly #timesOut: boolean;
  readonly #edges = new Map<number, EdgeInFlight>();
  readonly #holders = new HolderMap();
  readonly #queue = new WantQueue();
  readonly #wanted = new Map<number, Wanted>();
  /** Edges that have each pack that is under way. */
  readonly #underWay = new Map<number, number[]>();
  readonly #bans = new Bans(this.#holders);
  readonly #backups = new Backups((edge) => this.#edges.get(edge));
  readonly #distributor: Distributor;
  readonly #copies = new Copies();
  /** Packs that their edge failed, and are to be started elsewhere at once. */
  #orphans: Wanted[] = [];
  #cancel: { pack: number; edge: number }[] = [];
  #start: Start[] = [];
  #everWanted = 0;
  #version = 0;

  constructor({ edges, packBytes, seed, timesOut = true }: DispatcherOptions) {
    assert(packBytes > 0, "a pack has bytes");
    this.#packBytes = packBytes;
    this.#timesOut = timesOut;
    this.#distributor = new Distributor(this.#edges, this.#queue, seed);
    for (const [edge, view] of edges.entries()) this.setEdge(edge, view);
  }

  /** A pack is wanted, or wanted differently from before. A pack that arrived and is wanted again is fetched again. */
  want(pack: number, { priority = 0, deadlineMs = Number.POSITIVE_INFINITY }: Want = {}): void {
    assert(Number.isInteger(pack) && pack >= 0 && !Number.isNaN(deadlineMs), "a pack's number and deadline");
    const known = this.#wanted.get(pack);
    if (known === undefined) {
      this.#enqueue(this.#add(pack, priority, deadlineMs));
      return;
    }
    if (known.priority === priority && known.deadlineMs === deadlineMs) return;
    const waits = known.group !== undefined;
    this.#queue.remove(known);
    known.priority = priority;
    known.deadlineMs = deadlineMs;
    if (waits) this.#enqueue(known);
  }

  /** A pack is wanted that was asked for elsewhere, and is under way at an edge: some of its bytes may have come. */
  adopt(pack: number, edge: number, leftBytes: number, nowMs: number): void {
    const known = this.#edges.get(edge);
    assert(known !== undefined && !this.#wanted.has(pack), "an edge that is known, a pack that is not");
    const wanted = this.#add(pack, 0, Number.POSITIVE_INFINITY);
    known.take(wanted, false, nowMs, Math.min(leftBytes, this.#packBytes));
    this.#underWay.set(pack, [edge]);
  }

  /** A pack is wanted no more; where it is under way it is cancelled. */
  unwant(pack: number): void {
    const wanted = this.#wanted.get(pack);
    if (wanted === undefined) return;
    this.#cancelAll(pack, NO_EDGE);
    this.#queue.remove(wanted);
    this.#wanted.delete(pack);
  }

  /** What an edge says that it holds: all of it, each time. */
  holders(edge: number, held: RangeSet): void {
    const changed = this.#bans.advertise(edge, held);
    for (let i = 0; i < changed.length; i += 2) this.#regroup(changed[i] ?? 0, changed[i + 1] ?? 0);
  }

  /** What is known of an edge now. An edge that is new, or was lost, is there from now on. */
  setEdge(edge: number, view: EdgeView): void {
    const known = this.#edges.get(edge);
    if (known === undefined) {
      assert(Number.isInteger(edge) && edge >= 0 && edge < NO_EDGE, "an edge's number");
      this.#edges.set(edge, new EdgeInFlight(edge, this.#packBytes, view, this.#timesOut));
      this.#version += 1;
      return;
    }
    const was = known.isUsable;
    known.view = view;
    if (was !== known.isUsable) this.#version += 1;
  }

  /** An edge is gone, and with it what was under way there; nothing is cancelled there. */
  edgeLost(edge: number): void {
    const known = this.#edges.get(edge);
    if (known === undefined) return;
    known.lose();
    this.#version += 1;
    this.#orphanAll(known);
  }

  /** An edge lies: what it has under way is cancelled and it is never asked again. */
  distrust(edge: number): void {
    const known = this.#edges.get(edge);
    if (known === undefined) return;
    known.distrust();
    this.#version += 1;
    for (const pack of this.#orphanAll(known)) this.#cancel.push({ pack, edge });
  }

  /** Some bytes of a pack came: its time-out is put off, and its edge's backlog is less. */
  progress(pack: number, edge: number, bytes: number, nowMs: number): void {
    this.#edges.get(edge)?.progress(pack, bytes, nowMs);
  }

  /**
   * A pack is there whole, and was found to be right.
   *
   * @returns true for the first copy of a wanted pack; any other is of no use
   */
  arrived(pack: number, edge: number): boolean {
    const wanted = this.#wanted.get(pack);
    this.#edges.get(edge)?.succeed();
    this.#land(pack, edge);
    if (wanted === undefined) return false;
    this.#cancelAll(pack, edge);
    this.#queue.remove(wanted);
    this.#wanted.delete(pack);
    return true;
  }

  /**
   * An edge failed to give a pack. It goes elsewhere with the next orders.
   *
   * @param isAbsent the edge says that it does not hold it, whatever it said before: it is not asked again until it says otherwise
   */
  failed(pack: number, edge: number, nowMs: number, isAbsent = false): void {
    const flight = this.#land(pack, edge);
    if (flight === undefined) return;
    this.#edges.get(edge)?.fail(nowMs);
    this.#bans.blame(flight.wanted, edge, nowMs, isAbsent);
    this.#orphan(flight.wanted);
  }

  /** What to do at this moment, time-outs included. Every 50 ms is right; at any other time it is no less correct. */
  tick(nowMs: number): Orders {
    for (const edge of this.#edges.values()) {
      const isSilent = edge.isSilent(nowMs);
      for (const flight of edge.flights.values()) {
        if (isSilent || nowMs >= flight.dueMs) this.#timeOut(flight, edge, nowMs);
      }
    }
    const isStuck = (pack: number) => !this.#holders.at(pack).edges.some((edge) => this.#isUsable(edge));
    for (const pack of this.#bans.review(nowMs, (wanted) => this.#wanted.get(wanted.pack) === wanted, isStuck)) {
      this.#regroup(pack, pack + 1);
    }
    return this.fill(nowMs);
  }

  /** What to start in the room that there is, without a look at time-outs: for the moment after an arrival. */
  fill(nowMs: number): Orders {
    this.#placeOrphans(nowMs);
    const canMore = this.#distributor.distribute(nowMs, this.#version, (wanted, edge) =>
      this.#begin(wanted, edge, "first", nowMs),
    );
    if (!canMore) this.#startCopies(nowMs);
    const orders = { cancel: this.#cancel, start: this.#start };
    this.#cancel = [];
    this.#start = [];
    return orders;
  }

  /** How many packs are where, as of the last orders. */
  get counts(): Counts {
    let waiting = 0;
    for (const { groups } of this.#queue.levels) {
      for (const { holders, count } of groups.values())
        if (!holders.edges.some((edge) => this.#isUsable(edge))) waiting += count;
    }
    return { wanted: this.#wanted.size, active: this.#underWay.size, waiting, duplicates: this.#copies.started };
  }

  #isUsable(edge: number): boolean {
    return this.#edges.get(edge)?.isUsable === true;
  }

  #add(pack: number, priority: number, deadlineMs: number): Wanted {
    const wanted: Wanted = { pack, priority, deadlineMs, group: undefined, failures: undefined };
    this.#wanted.set(pack, wanted);
    this.#everWanted += 1;
    return wanted;
  }

  #enqueue(wanted: Wanted): void {
    this.#queue.add(wanted, this.#holders.at(wanted.pack));
  }

  /** Puts waiting packs in `[start, end)` with those that the same edges hold now. */
  #regroup(start: number, end: number): void {
    const move = (wanted: Wanted | undefined): void => {
      if (wanted?.group === undefined || wanted.group.holders === this.#holders.at(wanted.pack)) return;
      this.#queue.remove(wanted);
      this.#enqueue(wanted);
    };
    if (end - start < this.#wanted.size) {
      for (let pack = start; pack < end; pack++) move(this.#wanted.get(pack));
    } else {
      for (const wanted of this.#wanted.values()) if (wanted.pack >= start && wanted.pack < end) move(wanted);
    }
  }

  #begin(wanted: Wanted, edge: EdgeInFlight, copy: "first" | "copy" | "rescue", nowMs: number): void {
    const { pack } = wanted;
    const isDuplicate = copy !== "first";
    edge.start(wanted, isDuplicate, nowMs);
    const edges = this.#underWay.get(pack);
    if (edges === undefined) this.#underWay.set(pack, [edge.edge]);
    else edges.push(edge.edge);
    this.#start.push({ pack, edge: edge.edge, isDuplicate, ...(copy === "rescue" && { isRescue: true }) });
    this.#backups.prepare(this.#holders.at(pack), this.#version, nowMs);
  }

  /** Ends what an edge has under way of a pack, however that came. */
  #land(pack: number, edge: number): Flight | undefined {
    const flight = this.#edges.get(edge)?.end(pack);
    const edges = this.#underWay.get(pack)?.filter((each) => each !== edge) ?? [];
    if (edges.length > 0) this.#underWay.set(pack, edges);
    else this.#underWay.delete(pack);
    return flight;
  }

  #cancelAll(pack: number, except: number): void {
    for (const edge of this.#underWay.get(pack) ?? []) {
      if (edge === except || this.#land(pack, edge) === undefined) continue;
      this.#cancel.push({ pack, edge });
    }
  }

  #timeOut(flight: Flight, edge: EdgeInFlight, nowMs: number): void {
    const { wanted } = flight;
    this.#cancel.push({ pack: wanted.pack, edge: edge.edge });
    this.failed(wanted.pack, edge.edge, nowMs);
  }

  /** Ends all that an edge has under way; gives the packs. */
  #orphanAll(edge: EdgeInFlight): number[] {
    const flights = [...edge.flights.values()];
    for (const { wanted } of flights) {
      this.#land(wanted.pack, edge.edge);
      this.#orphan(wanted);
    }
    return flights.map(({ wanted }) => wanted.pack);
  }

  /** A pack needs another edge, unless it is under way at one. */
  #orphan(wanted: Wanted): void {
    if (!this.#underWay.has(wanted.pack)) this.#orphans.push(wanted);
  }

  /** Starts orphans at their backups, before anything else of their priority; those that find no room wait like the others. */
  #placeOrphans(nowMs: number): void {
    if (this.#orphans.length === 0) return;
    const orphans = this.#orphans.sort(compareWanted);
    this.#orphans = [];
    const { topPriority } = this.#queue;
    for (const wanted of orphans) {
      const isDone = this.#wanted.get(wanted.pack) !== wanted || this.#underWay.has(wanted.pack);
      if (isDone || wanted.group !== undefined) continue;
      const isNext = wanted.priority >= topPriority;
      const backup = isNext ? this.#backups.pick(this.#holders.at(wanted.pack), nowMs) : undefined;
      if (backup === undefined) this.#enqueue(wanted);
      else this.#begin(wanted, backup, "first", nowMs);
    }
  }

  #startCopies(nowMs: number): void {
    const state = {
      edges: this.#edges,
      packBytes: this.#packBytes,
      holders: (pack: number) => this.#holders.at(pack),
      copies: (pack: number) => this.#underWay.get(pack)?.length ?? 0,
    };
    this.#copies.start(state, this.#everWanted, nowMs, ({ wanted }, edge, isRescue) =>
      this.#begin(wanted, edge, isRescue ? "rescue" : "copy", nowMs),
    );
  }
}
