/**
 * How many slots a class's table has (see `tables.ts`), and how many of them each edge gets.
 *
 * @module
 */
import type { PackClass } from "./model.ts";

const LEAST_SLOTS = 64;
const SLOTS_FOR_HOLDER = 16;
const FINE_SLOTS = 2 ** 17;
const MOST_SLOTS = 2 ** 20;

/**
 * Slots of each class, a power of two: at least 64, at least 16 for each holder, and so many that a slot is not more than 2^-17 of
 * all bytes, unless the class has fewer packs than that. All together are at most 2^20 (and at least 64 each).
 */
export function slotCounts(classes: readonly Pick<PackClass, "packs" | "packBytes" | "edges">[]): number[] {
  const allBytes = classes.reduce((sum, { packs, packBytes }) => sum + packs * packBytes, 0);
  const wanted = classes.map(({ packs, packBytes, edges }) => {
    const fine = allBytes === 0 ? 0 : Math.min(packs, (packs * packBytes * FINE_SLOTS) / allBytes);
    return 2 ** Math.ceil(Math.log2(Math.max(LEAST_SLOTS, edges.length * SLOTS_FOR_HOLDER, fine)));
  });
  let most = MOST_SLOTS;
  const capped = (): number[] => wanted.map((slots) => Math.min(slots, most));
  for (; most > LEAST_SLOTS; most /= 2) {
    if (capped().reduce((sum, slots) => sum + slots, 0) <= MOST_SLOTS) break;
  }
  return capped();
}

/** What one class is rounded from: its pairs are `from` to `to` of the arrays, exclusively. */
export interface Shares {
  readonly from: number;
  readonly to: number;
  /** Bytes and edge of each pair. */
  readonly bytes: Float64Array;
  readonly holder: Uint16Array;
}

/**
 * Rounds shares to whole slots, and remembers what each edge was to get and did not, so that the rounding of other classes
 * makes up for it.
 */
export class Rounding {
  /** What each pair was to get and did not. Read only for others. */
  readonly lackBytes: Float64Array;
  /** The sums of that by edge. */
  readonly #owedBytes: Float64Array;
  readonly #keys: Float64Array;
  readonly #sorted: Float64Array;

  /** @param most the most holders that a class has */
  constructor(edges: number, pairs: number, most: number) {
    this.lackBytes = new Float64Array(pairs);
    this.#owedBytes = new Float64Array(edges);
    this.#keys = new Float64Array(most);
    this.#sorted = new Float64Array(most);
  }

  /** Forgets what edges are owed. */
  clear(): void {
    this.lackBytes.fill(0);
    this.#owedBytes.fill(0);
  }

  /**
   * Writes into `counts` (of pairs) how many of `slots` each edge gets: its part rounded down, or one more for those that
   * are owed most in time. All 0 where no edge has bytes.
   */
  round(shares: Shares, slots: number, usPerByte: Float64Array, counts: Uint32Array): void {
    const { from, to, bytes, holder } = shares;
    const owed = this.#owedBytes;
    const lacks = this.lackBytes;
    const keys = this.#keys;
    let sum = 0;
    for (let pair = from; pair < to; pair++) sum += bytes[pair] ?? 0;
    const slotBytes = slots > 0 ? sum / slots : 0;
    let left = sum > 0 ? slots : 0;
    for (let pair = from; pair < to; pair++) {
      const own = bytes[pair] ?? 0;
      const edge = holder[pair] ?? 0;
      const whole = own > 0 && slotBytes > 0 ? Math.floor(own / slotBytes) : 0;
      counts[pair] = whole;
      left -= whole;
      // what this class noted before does not count any more
      const owedBytes = (owed[edge] ?? 0) - (lacks[pair] ?? 0);
      owed[edge] = owedBytes;
      // how late the edge would be with one slot more, negated; an edge that the class does not use is not asked
      const early = (own - whole * slotBytes + owedBytes - slotBytes) * (usPerByte[edge] ?? 0);
      keys[pair - from] = own > 0 ? early : Number.NEGATIVE_INFINITY;
    }
    if (left > 0) this.#giveRest(shares, left, counts);
    for (let pair = from; pair < to; pair++) {
      const edge = holder[pair] ?? 0;
      const lack = (bytes[pair] ?? 0) - (counts[pair] ?? 0) * slotBytes;
      lacks[pair] = lack;
      owed[edge] = (owed[edge] ?? 0) + lack;
    }
  }

  /** One slot more for each of the `left` largest keys, of equal ones the earlier. */
  #giveRest({ from, to }: Shares, left: number, counts: Uint32Array): void {
    const length = to - from;
    const keys = this.#keys;
    const least = nthLargest(keys, this.#sorted, length, Math.min(left, length));
    let rest = left;
    for (const mayEqual of [false, true]) {
      for (let i = 0; i < length && rest > 0; i++) {
        const key = keys[i] ?? 0;
        if (mayEqual ? key !== least : key <= least) continue;
        counts[from + i] = (counts[from + i] ?? 0) + 1;
        rest -= 1;
      }
    }
  }
}

/** The `nth` largest (from 1) of the first `length` values, by halving; `scratch` is overwritten. */
function nthLargest(values: Float64Array, scratch: Float64Array, length: number, nth: number): number {
  for (let i = 0; i < length; i++) scratch[i] = values[i] ?? 0;
  let low = 0;
  let high = length - 1;
  while (low < high) {
    const pivot = scratch[(low + high) >> 1] ?? 0;
    let left = low;
    let right = high;
    while (left <= right) {
      while ((scratch[left] ?? 0) > pivot) left += 1;
      while ((scratch[right] ?? 0) < pivot) right -= 1;
      if (left > right) break;
      const value = scratch[left] ?? 0;
      scratch[left] = scratch[right] ?? 0;
      scratch[right] = value;
      left += 1;
      right -= 1;
    }
    if (nth - 1 <= right) high = right;
    else if (nth - 1 >= left) low = left;
    else break;
  }
  return scratch[nth - 1] ?? 0;
}
