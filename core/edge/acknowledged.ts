/**
 * Which objects a relay acknowledged, so that it is noticed when it does not hold one any more.
 *
 * @module
 */
import { RangeSet } from "../chunk/range-set.ts";
import type { PortalState } from "../wire/frame.ts";
import type { ObjectKind } from "../wire/object.ts";

/** Bounds that a state carries at most; what lies behind that many is not known. */
const MAX_BOUNDS = 8192;

/** The objects of one portal that its relay acknowledged. */
export class Acknowledged {
  readonly #sets: Record<ObjectKind, RangeSet>;

  constructor(sets: Record<ObjectKind, RangeSet> = { pack: new RangeSet(), page: new RangeSet() }) {
    this.#sets = sets;
  }

  /** The set as it is now: what is acknowledged while a state is on its way may be missing in that state. */
  copy(): Acknowledged {
    const { pack, page } = this.#sets;
    return new Acknowledged({ pack: RangeSet.fromArray(pack.toArray()), page: RangeSet.fromArray(page.toArray()) });
  }

  has(kind: ObjectKind, index: number): boolean {
    return this.#sets[kind].has(index);
  }

  /** All of a kind. Borrowed, and changes with the set. */
  all(kind: ObjectKind): RangeSet {
    return this.#sets[kind];
  }

  add(kind: ObjectKind, index: number): void {
    this.#sets[kind].add(index);
  }

  /** What the relay told counts like what it acknowledged. */
  addHeld(state: PortalState): void {
    for (const kind of ["page", "pack"] as const)
      for (const [start, end] of RangeSet.fromArray(rangesOf(state, kind))) this.#sets[kind].add(start, end);
  }

  /** Takes one out. @returns false when it was not in */
  remove(kind: ObjectKind, index: number): boolean {
    const old = this.#sets[kind];
    if (!old.has(index)) return false;
    const left = new RangeSet();
    for (const [start, end] of old) {
      left.add(start, Math.min(end, index));
      left.add(Math.max(start, index + 1), end);
    }
    this.#sets[kind] = left;
    return true;
  }

  /** Those that the relay does not hold any more, as `state` tells. */
  *missingIn(state: PortalState): Generator<readonly [kind: ObjectKind, index: number], void, undefined> {
    for (const kind of ["page", "pack"] as const) {
      const bounds = rangesOf(state, kind);
      const held = RangeSet.fromArray(bounds);
      const knownEnd = bounds.length < MAX_BOUNDS ? Number.POSITIVE_INFINITY : (bounds.at(-1) ?? 0);
      for (const [start, end] of this.#sets[kind])
        for (const [from, to] of held.missing(Math.min(end, knownEnd), start))
          for (let index = from; index < to; index++) yield [kind, index];
    }
  }
}

function rangesOf(state: PortalState, kind: ObjectKind): readonly number[] {
  return kind === "pack" ? state.heldPacks : state.heldPages;
}
