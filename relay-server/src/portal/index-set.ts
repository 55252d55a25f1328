/**
 * A set of object indexes that is dense in practice: one bit each, told as ranges.
 *
 * @module
 */

export class IndexSet {
  #bits = new Uint8Array(64);
  #count = 0;
  #end = 0;

  constructor(indexes: Iterable<number> = []) {
    for (const index of indexes) this.add(index);
  }

  /** How many indexes are in the set. */
  get size(): number {
    return this.#count;
  }

  has(index: number): boolean {
    return (((this.#bits[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
  }

  add(index: number): void {
    if (this.has(index)) return;
    const at = index >> 3;
    if (at >= this.#bits.length) {
      const grown = new Uint8Array(Math.max(at + 1, this.#bits.length * 2));
      grown.set(this.#bits);
      this.#bits = grown;
    }
    this.#bits[at] = (this.#bits[at] ?? 0) | (1 << (index & 7));
    this.#count++;
    this.#end = Math.max(this.#end, index + 1);
  }

  delete(index: number): void {
    if (!this.has(index)) return;
    const at = index >> 3;
    this.#bits[at] = (this.#bits[at] ?? 0) & ~(1 << (index & 7));
    this.#count--;
  }

  /** Exactly `0 … count - 1`. */
  isPrefix(count: number): boolean {
    return this.#count === count && (count === 0 || (this.ranges(1)[1] === count && this.has(0)));
  }

  /** Nothing from `count` on. */
  isBelow(count: number): boolean {
    for (let index = count; index < this.#end; index++) if (this.has(index)) return false;
    return true;
  }

  /** Flat pairs `[from, to)`, ascending; the first `maxRanges` of them. */
  ranges(maxRanges = Number.POSITIVE_INFINITY): number[] {
    const out: number[] = [];
    let index = 0;
    while (index < this.#end && out.length < maxRanges * 2) {
      if ((index & 7) === 0 && this.#bits[index >> 3] === 0) {
        index += 8;
        continue;
      }
      if (!this.has(index)) {
        index++;
        continue;
      }
      const from = index;
      while (this.has(index)) index += (index & 7) === 0 && this.#bits[index >> 3] === 255 ? 8 : 1;
      out.push(from, index);
    }
    return out;
  }
}
