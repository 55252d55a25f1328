/**
 * Measures a simulated transfer, and notes what a scheduler must never do.
 *
 * @module
 */
import type { Start } from "../../../core/schedule/dispatch-orders.ts";
import type { Outcome } from "./simulate.ts";
import { heldBy, type World } from "./world.ts";

/** The simulator's own state when a scheduler starts a pack. */
interface AtStart {
  readonly isThere: boolean;
  readonly isUnderWay: boolean;
  readonly has: boolean;
  /** Packs under way at the edge. */
  readonly active: number;
}

export class Meter {
  readonly #world: World;
  readonly #held;
  readonly #bytesByEdge: number[];
  readonly #idleMs: number[];
  readonly #starts: (Start & { atMs: number })[] = [];
  readonly #arrivedMs: number[];
  readonly #failoverMs: number[] = [];
  readonly #restartMs: number[] = [];
  readonly #violations: string[] = [];
  /** When an edge with this pack was lost, and whether it was started elsewhere since. */
  readonly #orphaned = new Map<number, { edge: number; atMs: number; isRestarted: boolean }>();
  /** Packs that wait: wanted, nowhere under way. */
  readonly #waiting = new Set<number>();
  /** Edges that have each pack under way. */
  readonly #underWay = new Map<number, number>();
  #wastedBytes = 0;
  #duplicates = 0;
  #rescues = 0;

  constructor(world: World) {
    this.#world = world;
    this.#held = world.edges.map(heldBy);
    this.#bytesByEdge = world.edges.map(() => 0);
    this.#idleMs = world.edges.map(() => 0);
    this.#arrivedMs = new Array<number>(world.packs).fill(Number.POSITIVE_INFINITY);
  }

  wanted(pack: number): void {
    this.#waiting.add(pack);
  }

  started(start: Start, nowMs: number, { isThere, isUnderWay, has, active }: AtStart): void {
    const { pack, edge, isDuplicate } = start;
    const fault = (what: string): void =>
      void this.#violations.push(`${nowMs} ms: pack ${pack} at edge ${edge}: ${what}`);
    if (!isThere) fault("started at an edge that is gone");
    if (has) fault("started though it is there");
    if (isUnderWay) fault("started twice at one edge");
    if (active >= (this.#world.edges[edge]?.maxActive ?? 0)) fault("more than the edge may have");
    if (!this.#held[edge]?.has(pack)) fault("started at an edge that does not hold it");
    const copies = this.#underWay.get(pack) ?? 0;
    if (copies > 0 !== isDuplicate) fault(isDuplicate ? "called a copy, and is none" : "a copy, and not called so");
    this.#underWay.set(pack, copies + 1);
    this.#waiting.delete(pack);
    this.#starts.push({ ...start, atMs: nowMs });
    if (start.isRescue) this.#rescues += 1;
    else if (isDuplicate) this.#duplicates += 1;
    const orphan = this.#orphaned.get(pack);
    if (orphan === undefined || orphan.isRestarted) return;
    orphan.isRestarted = true;
    this.#restartMs.push(nowMs - orphan.atMs);
  }

  firstByte(pack: number, edge: number, nowMs: number): void {
    const orphan = this.#orphaned.get(pack);
    if (orphan === undefined || orphan.edge === edge) return;
    this.#failoverMs.push(nowMs - orphan.atMs);
    this.#orphaned.delete(pack);
  }

  /** A pack ended without being there; `isLost` with its edge. */
  ended(pack: number, edge: number, gotBytes: number, isLost: boolean, nowMs: number): void {
    this.#wastedBytes += gotBytes;
    this.#leave(pack);
    if (isLost && !this.#underWay.has(pack)) this.#orphaned.set(pack, { edge, atMs: nowMs, isRestarted: false });
  }

  arrived(pack: number, edge: number, isFirst: boolean, had: boolean, nowMs: number): void {
    const { packBytes } = this.#world;
    this.#leave(pack);
    this.#waiting.delete(pack);
    if (isFirst === had)
      this.#violations.push(`${nowMs} ms: pack ${pack}: ${had ? "taken twice" : "there, and not taken"}`);
    if (had) this.#wastedBytes += packBytes;
    else {
      this.#bytesByEdge[edge] = (this.#bytesByEdge[edge] ?? 0) + packBytes;
      this.#arrivedMs[pack] = nowMs;
    }
  }

  /** An edge had nothing to do for `ms`. */
  idle(edge: number, ms: number): void {
    for (const pack of this.#waiting) {
      if (!this.#held[edge]?.has(pack)) continue;
      this.#idleMs[edge] = (this.#idleMs[edge] ?? 0) + ms;
      return;
    }
  }

  outcome(isDone: boolean): Outcome {
    return {
      finishMs: isDone ? Math.max(0, ...this.#arrivedMs) : Number.POSITIVE_INFINITY,
      bytesByEdge: this.#bytesByEdge,
      wastedBytes: this.#wastedBytes,
      duplicates: this.#duplicates,
      rescues: this.#rescues,
      failoverMs: this.#failoverMs,
      restartMs: this.#restartMs,
      idleMsByEdge: this.#idleMs,
      starts: this.#starts,
      arrivedMs: this.#arrivedMs,
      violations: this.#violations,
    };
  }

  #leave(pack: number): void {
    const copies = (this.#underWay.get(pack) ?? 1) - 1;
    if (copies > 0) this.#underWay.set(pack, copies);
    else {
      this.#underWay.delete(pack);
      this.#waiting.add(pack);
    }
  }
}
