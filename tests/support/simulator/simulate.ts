/**
 * Plays a transfer in virtual time, event by event: bytes flow at the rates of the moment, shared fairly among the packs
 * under way at an edge and among the edges on the receiver's line. Nothing here is measured with a clock.
 *
 * @module
 */
import type { Start } from "../../../core/schedule/dispatch-orders.ts";
import { type EdgeView, WEIGHT_ONE } from "../../../core/schedule/model.ts";
import { fairShares } from "./fair-shares.ts";
import { Meter } from "./meter.ts";
import type { Policy, Scheduler } from "./scheduler.ts";
import { heldBy, rateAt, type SimEdge, type World } from "./world.ts";

const TICK_MS = 50;
/** Corrupt packs after which the scheduler is told not to trust an edge. */
const CORRUPT_MOST = 2;
/** Bytes and milliseconds nearer than this are the same. */
const NEAR = 1e-6;

/** What came of it. */
export interface Outcome {
  /** When the last pack was there; Infinity if the transfer was given up. */
  readonly finishMs: number;
  /** Bytes of packs that were of use, by edge. */
  readonly bytesByEdge: readonly number[];
  /** Bytes that came and were of no use. */
  readonly wastedBytes: number;
  /** Second copies started, apart from … */
  readonly duplicates: number;
  /** … those of packs that are under way at far slower edges. */
  readonly rescues: number;
  /** For each pack under way at an edge that was lost: milliseconds to the first byte from another edge. */
  readonly failoverMs: readonly number[];
  /** The same, to the start at another edge. */
  readonly restartMs: readonly number[];
  /** Milliseconds that each edge had nothing to do while a pack waited that it holds. */
  readonly idleMsByEdge: readonly number[];
  /** All starts, with their time. */
  readonly starts: readonly (Start & { readonly atMs: number })[];
  /** When each pack was there, by number. */
  readonly arrivedMs: readonly number[];
  /** What a scheduler must never do, in words. */
  readonly violations: readonly string[];
}

interface Parcel {
  readonly pack: number;
  readonly edge: number;
  /** When its bytes can begin to come. */
  readonly readyMs: number;
  leftBytes: number;
  /** Bytes that it stops at for ever. */
  readonly stopAtBytes: number;
  bytesPerMs: number;
  hasBegun: boolean;
}

/** Plays a world under a policy. The same world and policy give the same outcome. */
export function simulate(world: World, policy: Policy): Outcome {
  return new Simulation(world, policy).play();
}

class Simulation {
  readonly #world: World;
  readonly #scheduler: Scheduler;
  readonly #meter: Meter;
  readonly #parcels: Map<number, Parcel>[];
  readonly #isThere: boolean[];
  readonly #isSilent: boolean[];
  readonly #corrupt: number[];
  readonly #rates: number[];
  readonly #wasBusyMs: number[];
  readonly #gotBytes: number[];
  readonly #has: boolean[];
  #missing: number;
  #firstMissing = 0;
  #wantedTo = 0;
  #nowMs = 0;

  constructor(world: World, policy: Policy) {
    const { edges, packBytes, packs } = world;
    this.#world = world;
    this.#rates = edges.map((edge) => edge.guessBytesPerSec ?? rateAt(edge.rate, 0));
    this.#scheduler = policy({ edges: edges.map((_, edge) => this.#view(edge)), packBytes, seed: world.seed });
    this.#meter = new Meter(world);
    this.#parcels = edges.map(() => new Map());
    this.#isThere = edges.map(() => true);
    this.#isSilent = edges.map(() => false);
    this.#corrupt = edges.map(() => 0);
    this.#wasBusyMs = edges.map(() => 0);
    this.#gotBytes = edges.map(() => 0);
    this.#has = new Array<boolean>(packs).fill(false);
    this.#missing = packs;
    for (const [edge, each] of edges.entries()) this.#scheduler.holders(edge, heldBy(each));
  }

  play(): Outcome {
    this.#wantMore();
    this.#obey(this.#scheduler.tick(0));
    let nextTickMs = TICK_MS;
    while (this.#missing > 0 && this.#nowMs < this.#world.endMs) {
      this.#share();
      this.#advance(Math.min(nextTickMs, this.#nextEventMs()));
      this.#faults();
      this.#deliver();
      if (this.#nowMs < nextTickMs - NEAR) continue;
      this.#estimate();
      this.#obey(this.#scheduler.tick(this.#nowMs));
      nextTickMs += TICK_MS;
    }
    return this.#meter.outcome(this.#missing === 0);
  }

  #edge(edge: number): SimEdge {
    const known = this.#world.edges[edge];
    if (known === undefined) throw new Error(`no edge ${edge}`);
    return known;
  }

  #view(edge: number): EdgeView {
    const { rttMs, maxActive } = this.#edge(edge);
    const bytesPerSec = Math.max(1, Math.round(this.#rates[edge] ?? 1));
    return { bytesPerSec, rttUs: Math.round(rttMs * 1_000), backlogBytes: 0, maxActive, weight: WEIGHT_ONE };
  }

  #wantMore(): void {
    const { windowPacks, packs, priority } = this.#world;
    while (this.#has[this.#firstMissing]) this.#firstMissing += 1;
    const end = Math.min(packs, windowPacks === undefined ? packs : this.#firstMissing + windowPacks);
    for (; this.#wantedTo < end; this.#wantedTo++) {
      const deadlineMs = windowPacks === undefined ? Number.POSITIVE_INFINITY : this.#wantedTo;
      this.#scheduler.want(this.#wantedTo, { priority: priority?.(this.#wantedTo) ?? 0, deadlineMs });
      this.#meter.wanted(this.#wantedTo);
    }
  }

  #obey({ cancel, start }: ReturnType<Scheduler["tick"]>): void {
    for (const { pack, edge } of cancel) {
      const parcel = this.#parcels[edge]?.get(pack);
      if (parcel === undefined) continue;
      this.#parcels[edge]?.delete(pack);
      this.#meter.ended(pack, edge, this.#world.packBytes - parcel.leftBytes, false, this.#nowMs);
    }
    for (const each of start) this.#start(each);
  }

  #start(start: Start): void {
    const { pack, edge } = start;
    const { packBytes } = this.#world;
    const { lie, rttMs } = this.#edge(edge);
    this.#meter.started(start, this.#nowMs, {
      isThere: this.#isThere[edge] === true,
      isUnderWay: this.#parcels[edge]?.has(pack) === true,
      has: this.#has[pack] === true,
      active: this.#parcels[edge]?.size ?? 0,
    });
    this.#parcels[edge]?.set(pack, {
      pack,
      edge,
      readyMs: this.#nowMs + rttMs,
      leftBytes: packBytes,
      stopAtBytes: lie === "stall" ? packBytes - 1 : 0,
      bytesPerMs: 0,
      hasBegun: false,
    });
  }

  /** Sets how fast each parcel flows now. */
  #share(): void {
    const wishes = this.#parcels.map((parcels, edge) => {
      const flowing = [...parcels.values()].filter((parcel) => this.#canFlow(parcel)).length;
      return flowing === 0 || this.#isSilent[edge] ? 0 : rateAt(this.#edge(edge).rate, this.#nowMs);
    });
    const rates = fairShares(wishes, this.#world.lineBytesPerSec ?? Number.POSITIVE_INFINITY);
    for (const [edge, parcels] of this.#parcels.entries()) {
      const flowing = [...parcels.values()].filter((parcel) => this.#canFlow(parcel));
      for (const parcel of parcels.values()) parcel.bytesPerMs = 0;
      for (const parcel of flowing) parcel.bytesPerMs = (rates[edge] ?? 0) / flowing.length / 1_000;
    }
  }

  #canFlow({ readyMs, leftBytes, stopAtBytes }: Parcel): boolean {
    return readyMs <= this.#nowMs + NEAR && leftBytes > stopAtBytes + NEAR;
  }

  #nextEventMs(): number {
    let next = this.#world.endMs;
    for (const parcels of this.#parcels) {
      for (const { readyMs, leftBytes, stopAtBytes, bytesPerMs } of parcels.values()) {
        if (readyMs > this.#nowMs + NEAR) next = Math.min(next, readyMs);
        else if (bytesPerMs > 0) next = Math.min(next, this.#nowMs + (leftBytes - stopAtBytes) / bytesPerMs);
      }
    }
    for (const { rate, faults } of this.#world.edges) {
      for (const { fromMs } of rate) if (fromMs > this.#nowMs + NEAR) next = Math.min(next, fromMs);
      for (const { atMs } of faults) if (atMs > this.#nowMs + NEAR) next = Math.min(next, atMs);
    }
    return next;
  }

  #advance(toMs: number): void {
    const ms = toMs - this.#nowMs;
    for (const [edge, parcels] of this.#parcels.entries()) {
      let came = 0;
      for (const parcel of parcels.values()) {
        const bytes = Math.min(parcel.leftBytes - parcel.stopAtBytes, parcel.bytesPerMs * ms);
        if (bytes <= 0) continue;
        came += bytes;
        parcel.leftBytes -= bytes;
        if (!parcel.hasBegun) this.#meter.firstByte(parcel.pack, edge, this.#nowMs);
        parcel.hasBegun = true;
        this.#scheduler.progress(parcel.pack, edge, bytes, toMs);
      }
      if (came > 0) this.#wasBusyMs[edge] = (this.#wasBusyMs[edge] ?? 0) + ms;
      this.#gotBytes[edge] = (this.#gotBytes[edge] ?? 0) + came;
      if (parcels.size === 0 && this.#isThere[edge] && !this.#isSilent[edge]) this.#meter.idle(edge, ms);
    }
    this.#nowMs = toMs;
  }

  /** What happens to edges at this moment. */
  #faults(): void {
    for (const [edge, { faults }] of this.#world.edges.entries()) {
      for (const { kind, atMs } of faults) {
        if (Math.abs(atMs - this.#nowMs) > NEAR) continue;
        if (kind === "silent") this.#isSilent[edge] = true;
        else if (kind === "lost") this.#lose(edge);
        else if (!this.#isThere[edge]) {
          this.#isThere[edge] = true;
          this.#scheduler.setEdge(edge, this.#view(edge));
        }
      }
    }
  }

  #lose(edge: number): void {
    this.#isThere[edge] = false;
    for (const { pack, leftBytes } of this.#parcels[edge]?.values() ?? []) {
      this.#meter.ended(pack, edge, this.#world.packBytes - leftBytes, true, this.#nowMs);
    }
    this.#parcels[edge]?.clear();
    this.#scheduler.edgeLost(edge);
  }

  /** Packs that are there, or answers that they are not. */
  #deliver(): void {
    for (const [edge, parcels] of this.#parcels.entries()) {
      for (const parcel of [...parcels.values()]) {
        if (this.#edge(edge).lie === "absent" ? parcel.readyMs > this.#nowMs + NEAR : parcel.leftBytes > NEAR) continue;
        // It may have been cancelled by what came a moment before.
        if (parcels.get(parcel.pack) !== parcel) continue;
        parcels.delete(parcel.pack);
        this.#receive(parcel);
        this.#obey(this.#scheduler.fill(this.#nowMs));
      }
    }
  }

  #receive({ pack, edge, leftBytes }: Parcel): void {
    const { lie } = this.#edge(edge);
    const { packBytes } = this.#world;
    if (lie !== undefined) {
      this.#meter.ended(pack, edge, packBytes - leftBytes, false, this.#nowMs);
      this.#scheduler.failed(pack, edge, this.#nowMs, lie === "absent");
      this.#corrupt[edge] = (this.#corrupt[edge] ?? 0) + Number(lie === "corrupt");
      if ((this.#corrupt[edge] ?? 0) >= CORRUPT_MOST) this.#scheduler.distrust(edge);
      return;
    }
    const isFirst = this.#scheduler.arrived(pack, edge);
    this.#meter.arrived(pack, edge, isFirst, this.#has[pack] === true, this.#nowMs);
    if (this.#has[pack]) return;
    this.#has[pack] = true;
    this.#missing -= 1;
    this.#wantMore();
  }

  /** Measures each edge's rate as a client does: bytes over the time in which they came. */
  #estimate(): void {
    for (const [edge, busyMs] of this.#wasBusyMs.entries()) {
      if (busyMs < TICK_MS / 4) continue;
      const sample = ((this.#gotBytes[edge] ?? 0) / busyMs) * 1_000;
      const old = this.#rates[edge] ?? sample;
      this.#rates[edge] = old + 0.2 * (sample - old);
      this.#wasBusyMs[edge] = 0;
      this.#gotBytes[edge] = 0;
      if (this.#isThere[edge]) this.#scheduler.setEdge(edge, this.#view(edge));
    }
  }
}
