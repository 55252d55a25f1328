/**
 * Gives waiting packs to edges that have room, in the order in which they are served and balanced over their holders.
 *
 * @module
 */
import { balance } from "./balance.ts";
import type { Group, Level, Wanted, WantQueue } from "./dispatch-queue.ts";
import type { EdgeInFlight } from "./in-flight.ts";

/** Pairs of group and edge that one call looks at, so that it is done in time. */
const PAIRS = 10_000;
/** Pairs that it looks at to find something for edges that would else be idle. */
const PAIRS_BEYOND = 4_000;
/** What a level costs beside its pairs. */
const PAIRS_PER_LEVEL = 8;
/** Puts a pack, which waits no more, under way. */
type Begin = (wanted: Wanted, edge: EdgeInFlight) => void;

export class Distributor {
  readonly #edges: ReadonlyMap<number, EdgeInFlight>;
  readonly #queue: WantQueue;
  readonly #seed: number;
  /** By number of the edge. */
  #loadUs = new Float64Array(0);
  #packUs = new Float64Array(0);
  #ties = new Float64Array(0);
  #room = new Int32Array(0);
  /** Groups that `#beyond` found nothing in. */
  #skip = 0;
  /** The sum of `#room`. */
  #roomLeft = 0;

  /**
   * @param edges grows as edges come
   * @param seed chooses among edges that are equally good
   */
  constructor(edges: ReadonlyMap<number, EdgeInFlight>, queue: WantQueue, seed: number) {
    this.#edges = edges;
    this.#queue = queue;
    this.#seed = seed;
  }

  /**
   * Starts what there is room for now. A pack for which a better edge is full waits for it.
   *
   * @param version changes whenever an edge begins or ceases to be usable
   * @returns true if packs wait that an edge can carry
   */
  distribute(nowMs: number, version: number, begin: Begin): boolean {
    if (this.#queue.count === 0) return false;
    this.#queue.tidy();
    this.#look(nowMs);
    const { levels } = this.#queue;
    const loads = { loadUs: this.#loadUs, packUs: this.#packUs, ties: this.#ties, version };
    let pairs = PAIRS;
    let waits = false;
    for (const [at, level] of levels.entries()) {
      if (this.#roomLeft === 0) return true;
      if (pairs <= 0) return this.#beyond(levels, at, 0, begin);
      if (level.groups.size === 0) continue;
      pairs -= PAIRS_PER_LEVEL + balance(level, loads, pairs);
      const { order, shared } = level;
      for (let i = 0; i < shared; i++) {
        const group = order[i];
        if (group !== undefined) waits = this.#startShares(group, begin) || waits;
      }
      if (shared < order.length) return this.#beyond(levels, at, shared, begin);
    }
    return waits;
  }

  /** Notes what each edge has to do and how much room there is. */
  #look(nowMs: number): void {
    const size = Math.max(-1, ...this.#edges.keys()) + 1;
    if (this.#room.length < size) {
      this.#loadUs = new Float64Array(size);
      this.#room = new Int32Array(size);
      this.#packUs = new Float64Array(size).fill(Number.POSITIVE_INFINITY);
      this.#ties = Float64Array.from({ length: size }, (_, edge) => scatter(this.#seed, edge));
    }
    this.#roomLeft = 0;
    for (const [number, edge] of this.#edges) {
      const mayTake = edge.isUsable && !edge.isCooling(nowMs);
      const room = edge.room(nowMs);
      this.#loadUs[number] = mayTake ? edge.loadUs : 0;
      this.#packUs[number] = mayTake ? edge.packUs : Number.POSITIVE_INFINITY;
      this.#room[number] = room;
      this.#roomLeft += room;
    }
  }

  /** Starts a group's packs at the edges that they are meant for, as far as there is room. True if some still wait for one. */
  #startShares(group: Group, begin: Begin): boolean {
    const { shares } = group;
    const { edges } = group.holders;
    let waits = false;
    for (let i = 0; i < shares.length && group.count > 0; i++) {
      const edge = edges[i] ?? 0;
      while ((shares[i] ?? 0) > 0 && this.#startOne(group, edge, begin)) shares[i] = (shares[i] ?? 0) - 1;
      waits ||= (shares[i] ?? 0) > 0;
    }
    return waits;
  }

  #startOne(group: Group | undefined, number: number, begin: Begin): boolean {
    const room = this.#room[number] ?? 0;
    const edge = this.#edges.get(number);
    if (room === 0 || edge === undefined || group === undefined) return false;
    const wanted = this.#queue.take(group);
    if (wanted === undefined) return false;
    this.#room[number] = room - 1;
    this.#roomLeft -= 1;
    begin(wanted, edge);
    return true;
  }

  /**
   * Edges that still have room would wait for packs that are far off. They may take what is further off still, which is
   * wanted so late that even a slow edge is in time. Where that does not fill them either, the next call looks further on.
   */
  #beyond(levels: readonly Level[], from: number, first: number, begin: Begin): boolean {
    let pairs = PAIRS_BEYOND;
    let skip = first + this.#skip;
    let looked = 0;
    for (let at = from; at < levels.length; at++) {
      const order = levels[at]?.order ?? [];
      for (let i = skip; i < order.length && pairs > 0 && this.#roomLeft > 0; i++) {
        const edges = order[i]?.holders.edges ?? [];
        looked += 1;
        pairs -= 1 + edges.length;
        for (const edge of edges) if ((this.#room[edge] ?? 0) > 0) this.#startOne(order[i], edge, begin);
      }
      if (pairs <= 0 || this.#roomLeft === 0) break;
      skip = Math.max(0, skip - order.length);
    }
    this.#skip = pairs <= 0 && this.#roomLeft > 0 ? this.#skip + looked : 0;
    return true;
  }
}

/** A number below 2^32 for each edge, in another order for each seed. */
function scatter(seed: number, edge: number): number {
  let x = Math.imul((seed ^ Math.imul(edge + 1, 0x9e3779b1)) >>> 0, 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 15), 0xc2b2ae35);
  return (x ^ (x >>> 13)) >>> 0;
}
