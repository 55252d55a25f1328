/**
 * Brings packs that will be wanted to an edge that can give them sooner, before they are wanted: which pack, from where to
 * where, and when it may start. Nobody waits for these bytes, so they keep to a rate, a number at once, and a rest for each
 * pack. What was brought is learnt, and so is whether it was wanted. Pure: time is given.
 *
 * @module
 */
import { RangeSet } from "../chunk/range-set.ts";
import { UNHEALTHY } from "../edge/health.ts";
import { TokenBucket } from "../edge/token-bucket.ts";
import { assert } from "../failure.ts";
import type { Prediction } from "./predict.ts";

/** Load from which an edge gives, and takes, nothing extra. */
const MAX_SOURCE_LOAD = 0.9;
const MAX_TARGET_LOAD = 0.8;

/** The bounds of what is brought ahead. */
export interface PrepositionLimits {
  /** Averaged over any time; one pack may go at once. */
  readonly bytesPerSec: number;
  /** Packs under way. */
  readonly maxActive: number;
  /** Before the same pack is brought anywhere again. */
  readonly coolDownMs: number;
  /** How soon it must be wanted to count as a hit. */
  readonly horizonMs: number;
  readonly minConfidence: number;
  /** The target must give the pack sooner than any holder does, by this share. */
  readonly minGain: number;
  /** Packs that wait to be started. */
  readonly maxQueued: number;
}

/** What holds unless something else is said: 12.5 MB/s, five at once. */
export const PREPOSITION_LIMITS: PrepositionLimits = {
  bytesPerSec: 12_500_000,
  maxActive: 5,
  coolDownMs: 60_000,
  horizonMs: 30_000,
  minConfidence: 0.6,
  minGain: 0.2,
  maxQueued: 50,
};

/** An edge, as whoever will want the pack sees it. */
export interface PlaceView {
  readonly edge: number;
  readonly bytesPerSec: number;
  readonly rttUs: number;
  /** Each 0 to 1. */
  readonly health: number;
  readonly load: number;
  /** It can be brought packs to: it stores, and nothing forbids extra traffic (`Verdict.sparing`). */
  readonly canTake: boolean;
}

/** One pack on its way ahead. */
export interface Bringing {
  readonly pack: number;
  readonly from: number;
  readonly to: number;
}

/** Counts since the start. */
export interface PrepositionStats {
  readonly brought: number;
  readonly failed: number;
  /** Brought and wanted within the horizon, and not. */
  readonly hits: number;
  readonly misses: number;
}

/** Pre-positioning for one transfer. */
export class Preposition {
  readonly #packBytes: number;
  readonly #limits: PrepositionLimits;
  readonly #bucket: TokenBucket;
  readonly #held = new Map<number, RangeSet>();
  #queue: Bringing[] = [];
  readonly #active = new Map<number, Bringing>();
  /** When a pack was planned last. */
  readonly #plannedAtMs = new Map<number, number>();
  /** Brought and not wanted yet, by pack. */
  readonly #waiting = new Map<number, number>();
  #brought = 0;
  #failed = 0;
  #hits = 0;
  #misses = 0;

  constructor(packBytes: number, limits: PrepositionLimits = PREPOSITION_LIMITS) {
    assert(packBytes > 0 && limits.maxActive >= 1, "there is something to bring");
    this.#packBytes = packBytes;
    this.#limits = limits;
    this.#bucket = new TokenBucket(limits.bytesPerSec, packBytes);
  }

  /** What an edge holds; the set is used as it is, and grows by what is brought there. */
  holds(edge: number, packs: RangeSet): void {
    this.#held.set(edge, packs);
  }

  /** An edge is gone: nothing is brought from it or to it. */
  lost(edge: number): void {
    this.#held.delete(edge);
    this.#queue = this.#queue.filter(({ from, to }) => from !== edge && to !== edge);
  }

  /** Queues what is worth it, the surest first. */
  plan(predictions: readonly Prediction[], places: readonly PlaceView[], nowMs: number): void {
    this.#settle(nowMs);
    for (const { pack, confidence } of predictions.toSorted((a, b) => b.confidence - a.confidence)) {
      if (confidence < this.#limits.minConfidence || this.#queue.length >= this.#limits.maxQueued) break;
      if (this.#plannedAtMs.has(pack)) continue;
      const bringing = this.#way(pack, places);
      if (bringing === undefined) continue;
      this.#plannedAtMs.set(pack, nowMs);
      this.#queue.push(bringing);
    }
  }

  /** What starts now; each is then told as completed or failed. */
  start(nowMs: number): Bringing[] {
    const started: Bringing[] = [];
    while (this.#active.size < this.#limits.maxActive) {
      const next = this.#queue[0];
      if (next === undefined || !this.#bucket.take(this.#packBytes, nowMs)) break;
      this.#queue.shift();
      this.#active.set(next.pack, next);
      started.push(next);
    }
    return started;
  }

  /** It is there: from now on the edge it was brought to holds it. */
  completed(pack: number, nowMs: number): void {
    const bringing = this.#active.get(pack);
    if (bringing === undefined) return;
    this.#active.delete(pack);
    this.#brought += 1;
    this.#waiting.set(pack, nowMs);
    const held = this.#held.get(bringing.to) ?? new RangeSet();
    held.add(pack);
    this.#held.set(bringing.to, held);
  }

  failed(pack: number): void {
    if (this.#active.delete(pack)) this.#failed += 1;
  }

  /** Somebody wants a pack; what still waits to be brought for it is too late. */
  accessed(pack: number, nowMs: number): void {
    this.#settle(nowMs);
    this.#queue = this.#queue.filter((bringing) => bringing.pack !== pack);
    if (this.#waiting.delete(pack)) this.#hits += 1;
  }

  stats(nowMs: number): PrepositionStats {
    this.#settle(nowMs);
    return { brought: this.#brought, failed: this.#failed, hits: this.#hits, misses: this.#misses };
  }

  /** The best place that does not hold the pack, and the best one that does, if the first would be sooner by enough. */
  #way(pack: number, places: readonly PlaceView[]): Bringing | undefined {
    let source: PlaceView | undefined;
    let target: PlaceView | undefined;
    let soonestUs = Number.POSITIVE_INFINITY;
    for (const place of places) {
      if (place.health < UNHEALTHY) continue;
      if (this.#held.get(place.edge)?.has(pack) === true) {
        soonestUs = Math.min(soonestUs, this.#givesInUs(place));
        const isBetter = source === undefined || this.#givesInUs(place) < this.#givesInUs(source);
        if (place.load < MAX_SOURCE_LOAD && isBetter) source = place;
      } else if (place.canTake && place.load < MAX_TARGET_LOAD) {
        if (target === undefined || this.#givesInUs(place) < this.#givesInUs(target)) target = place;
      }
    }
    if (source === undefined || target === undefined) return undefined;
    const isWorth = this.#givesInUs(target) <= (1 - this.#limits.minGain) * soonestUs;
    return isWorth ? { pack, from: source.edge, to: target.edge } : undefined;
  }

  /** How long the edge takes to give a pack, with what it has to do otherwise. */
  #givesInUs({ bytesPerSec, rttUs, load, health }: PlaceView): number {
    return rttUs + (this.#packBytes * 1e6) / (bytesPerSec * Math.max(0.01, 1 - load) * health);
  }

  /** Rests that are over, hits that did not come. */
  #settle(nowMs: number): void {
    for (const [pack, atMs] of this.#plannedAtMs) {
      const isBusy = this.#active.has(pack) || this.#queue.some((bringing) => bringing.pack === pack);
      if (!isBusy && nowMs - atMs >= this.#limits.coolDownMs) this.#plannedAtMs.delete(pack);
    }
    for (const [pack, atMs] of this.#waiting) {
      if (nowMs - atMs <= this.#limits.horizonMs) continue;
      this.#waiting.delete(pack);
      this.#misses += 1;
    }
  }
}
