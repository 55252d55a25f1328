/**
 * Packs that an edge is not asked for any more, because it failed them too often or says that it has not got them.
 *
 * @module
 */
import type { RangeSet } from "../chunk/range-set.ts";
import type { HolderMap } from "./dispatch-holders.ts";
import type { Wanted } from "./dispatch-queue.ts";

/** An edge that failed a pack this often gets it no more. */
const MOST_FAILURES = 3;
/** A pack that nobody else can give is asked for again after this long: to wait for ever would be worse. */
const BANNED_FOR_MS = 30_000;

export class Bans {
  readonly #holders: HolderMap;
  readonly #advertised = new Map<number, RangeSet>();
  /** Packs by edge. */
  readonly #banned = new Map<number, Set<number>>();
  /** In the order in which they are looked at again. */
  #reviews: { wanted: Wanted; edge: number; atMs: number }[] = [];

  /** @param holders keeps who holds what; packs that an edge is not asked for are taken from its holdings there */
  constructor(holders: HolderMap) {
    this.#holders = holders;
  }

  /** Takes what an edge says that it holds. @returns the ranges of packs whose holders changed, as `HolderMap.set` does */
  advertise(edge: number, held: RangeSet): number[] {
    this.#advertised.set(edge, held);
    const changed = this.#holders.set(edge, held);
    for (const pack of this.#banned.get(edge) ?? []) this.#holders.put(edge, pack, false);
    return changed;
  }

  /** Counts a failure. @param isAbsent the edge has not got it, until it says that it has */
  blame(wanted: Wanted, edge: number, nowMs: number, isAbsent: boolean): void {
    wanted.failures ??= new Map();
    const failures = (wanted.failures.get(edge) ?? 0) + 1;
    wanted.failures.set(edge, failures);
    if (isAbsent || failures >= MOST_FAILURES) this.#holders.put(edge, wanted.pack, false);
    if (failures < MOST_FAILURES) return;
    const banned = this.#banned.get(edge) ?? new Set();
    this.#banned.set(edge, banned.add(wanted.pack));
    this.#reviews.push({ wanted, edge, atMs: nowMs + BANNED_FOR_MS });
  }

  /**
   * Looks again at what was long ago: a pack that is not wanted any more is forgotten, and one that is stuck may be asked for
   * once more.
   *
   * @returns packs whose holders changed
   */
  review(nowMs: number, isWanted: (wanted: Wanted) => boolean, isStuck: (pack: number) => boolean): number[] {
    const changed: number[] = [];
    let done = 0;
    for (const { wanted, edge, atMs } of this.#reviews) {
      if (atMs > nowMs) break;
      done += 1;
      if (isWanted(wanted) && !isStuck(wanted.pack)) {
        this.#reviews.push({ wanted, edge, atMs: nowMs + BANNED_FOR_MS });
        continue;
      }
      wanted.failures?.set(edge, MOST_FAILURES - 1);
      this.#banned.get(edge)?.delete(wanted.pack);
      if (this.#advertised.get(edge)?.has(wanted.pack) !== true) continue;
      this.#holders.put(edge, wanted.pack, true);
      changed.push(wanted.pack);
    }
    if (done > 0) this.#reviews = this.#reviews.slice(done);
    return changed;
  }
}
