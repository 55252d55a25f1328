/**
 * Carries out what a re-plan moves, some of it each tick, so that no tick has much to do. Pure.
 *
 * @module
 */
import { BOUNDS, type Bounds, type Move, type MoveSet, type Strategy } from "./strategies.ts";

/** One set of moves under way; a newer one replaces it, what is left of it is forgotten. */
export class Migration {
  readonly #left: Move[];
  readonly #packsPerTick: number;
  #rescues: readonly Move[];
  #movedPacks = 0;

  constructor(set: MoveSet, bounds: Bounds = BOUNDS) {
    this.#rescues = set.rescues;
    this.#left = [...set.moves];
    this.#packsPerTick = bounds.movesPerTick * set.packs;
  }

  get isDone(): boolean {
    return this.#rescues.length === 0 && this.#left.length === 0;
  }

  /** Packs that were moved so far, rescues too. */
  get movedPacks(): number {
    return this.#movedPacks;
  }

  /** The moves of one tick: all rescues with the first, and of the rest as many packs as one tick may move. */
  next(): Move[] {
    const moves = [...this.#rescues];
    this.#rescues = [];
    let room = this.#packsPerTick;
    for (
      let move = this.#left.shift();
      move !== undefined && room > 0;
      move = room > 0 ? this.#left.shift() : undefined
    ) {
      const packs = Math.min(move.packs, room);
      moves.push({ ...move, packs });
      room -= packs;
      if (packs < move.packs) this.#left.unshift({ ...move, packs: move.packs - packs });
    }
    for (const { packs } of moves) this.#movedPacks += packs;
    return moves;
  }
}

/** What is known when a strategy is chosen. */
export interface Situation {
  /** An edge is lost, or may not be used any more. */
  readonly hasLost: boolean;
  /** Somebody asked, or the whole plan is off. */
  readonly isWhole: boolean;
  /** Until the last edge ends, as things are. */
  readonly finishMs: number;
}

/** So close to the end, packs that move are a large part of what is left. */
const SHORT_MS = 10_000;

/**
 * The strategy for a situation: greedy where an edge is gone (quick, and the rescues have moved much already), minimum
 * disruption near the end, cost-optimal where all is planned anew, and half-way otherwise.
 */
export function chooseStrategy({ hasLost, isWhole, finishMs }: Situation): Strategy {
  if (hasLost) return { kind: "greedy" };
  if (finishMs < SHORT_MS) return { kind: "minimum-disruption" };
  return isWhole ? { kind: "cost-optimal" } : { kind: "hybrid", weight: 0.5 };
}
