/**
 * A set of whole numbers kept as sorted, disjoint, half-open ranges that do not touch: which packs are held, which chunks
 * are written. It grows with the number of gaps, not with the number of members.
 *
 * @module
 */
import { assert, Failure } from "../failure.ts";

/** Members are below this. */
const MAX_END = 2 ** 32;

export class RangeSet {
  /** start, end, start, end, … strictly ascending. */
  #bounds: number[] = [];
  #count = 0;

  /**
   * The set that `toArray` described, from outside.
   *
   * @param maxEnd no member may be as large as this
   * @throws Failure `wire/malformed` unless it is exactly what `toArray` gives for some set below `maxEnd`
   */
  static fromArray(bounds: readonly unknown[], maxEnd: number = MAX_END): RangeSet {
    const set = new RangeSet();
    let last = -1;
    for (const bound of bounds) {
      if (typeof bound !== "number" || !Number.isInteger(bound) || bound <= last || bound > maxEnd) {
        throw new Failure("wire/malformed", { what: "ranges" });
      }
      last = bound;
      set.#bounds.push(bound);
    }
    if (bounds.length % 2 !== 0) throw new Failure("wire/malformed", { what: "ranges" });
    for (const [start, end] of set) set.#count += end - start;
    return set;
  }

  /** Flat pairs start, end (excluded): ascending, disjoint, not touching. A fresh array. */
  toArray(): number[] {
    return [...this.#bounds];
  }

  /** Members. */
  get count(): number {
    return this.#count;
  }

  /** Ranges. */
  get rangeCount(): number {
    return this.#bounds.length / 2;
  }

  /** Adds every number in `[start, end)`. */
  add(start: number, end: number = start + 1): void {
    assert(Number.isInteger(start) && Number.isInteger(end) && start >= 0 && end <= MAX_END, "bounds are u32");
    if (end <= start) return;
    // The ranges from `first` (a start) to `last` (a start, excluded) touch or overlap the new one.
    let first = this.#after(start - 1);
    if (first % 2 === 1) first -= 1;
    let last = this.#after(end);
    if (last % 2 === 1) last += 1;
    const old = this.#bounds.slice(first, last);
    const merged = [Math.min(start, old[0] ?? start), Math.max(end, old.at(-1) ?? end)] as const;
    for (let i = 0; i < old.length; i += 2) this.#count -= (old[i + 1] ?? 0) - (old[i] ?? 0);
    this.#count += merged[1] - merged[0];
    this.#bounds.splice(first, old.length, ...merged);
  }

  has(member: number): boolean {
    return this.#after(member) % 2 === 1;
  }

  /** The ranges, ascending. */
  *[Symbol.iterator](): Generator<readonly [start: number, end: number], void, undefined> {
    for (let i = 0; i + 1 < this.#bounds.length; i += 2) yield [this.#bounds[i] ?? 0, this.#bounds[i + 1] ?? 0];
  }

  /** The ranges of `[start, end)` that are not in the set, ascending. */
  *missing(end: number, start = 0): Generator<readonly [start: number, end: number], void, undefined> {
    let from = start;
    for (const [heldStart, heldEnd] of this) {
      if (heldEnd <= from) continue;
      if (heldStart >= end) break;
      if (heldStart > from) yield [from, heldStart];
      from = heldEnd;
    }
    if (from < end) yield [from, end];
  }

  /** How many bounds are at most `value`: odd when `value` is a member. */
  #after(value: number): number {
    let low = 0;
    let high = this.#bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#bounds[middle] ?? 0) <= value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
