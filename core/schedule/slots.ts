/**
 * The tables that turn shares into single packs: the pack at position `p` of its class goes to the edge in slot `p mod slots`.
 * A table is filled so that however many slots one takes from its beginning, each edge has its part of them to less than one
 * slot, and so to less than two anywhere.
 *
 * @module
 */
import { NO_EDGE, type PackClass } from "./model.ts";

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

/**
 * Fills tables. The j-th of an edge's `c` slots of `n` must lie from slot floor((j - 1) × n ÷ c) on and before slot
 * ceil(j × n ÷ c): that is what keeps every beginning within one slot of its part. Such a placing always exists, and taking the
 * soonest end first, each as early as it may, finds it.
 */
export class SlotFiller {
  #byFrom = emptyLists(0);
  #byEnd = emptyLists(0);
  #jobEdge = new Uint16Array(0);
  #jobFrom = new Uint32Array(0);
  #jobEnd = new Uint32Array(0);
  /** A slot that is taken points at the next one that may be free. */
  #free = new Uint32Array(0);

  /**
   * Fills `table[at]` to `table[at + size - 1]` from the counts of pairs `from` to `to`, whose sum is at most `size`; a smaller sum
   * is repeated. `NO_EDGE` everywhere where it is 0.
   */
  fill(table: Uint16Array, at: number, size: number, pairs: Omit<Shares, "bytes">, counts: Uint32Array): void {
    let sum = 0;
    for (let pair = pairs.from; pair < pairs.to; pair++) sum += counts[pair] ?? 0;
    if (sum === 0) {
      table.fill(NO_EDGE, at, at + size);
      return;
    }
    this.#reserve(sum);
    this.#listJobs(sum, pairs, counts);
    const free = this.#free;
    for (let slot = 0; slot <= sum; slot++) free[slot] = slot;
    for (let end = 1; end <= sum; end++) {
      for (let job = this.#byEnd.first[end] ?? -1; job !== -1; job = this.#byEnd.next[job] ?? -1) {
        const slot = this.#firstFree(this.#jobFrom[job] ?? 0);
        table[at + slot] = this.#jobEdge[job] ?? NO_EDGE;
        free[slot] = slot + 1;
      }
    }
    for (let slot = sum; slot < size; slot++) table[at + slot] = table[at + slot - sum] ?? NO_EDGE;
  }

  /** Lists the jobs by their end, of equal ones the one with the earlier beginning first, then the lower edge. */
  #listJobs(sum: number, { from, to, holder }: Omit<Shares, "bytes">, counts: Uint32Array): void {
    const { first: firstByFrom, next: nextByFrom } = this.#byFrom;
    const { first: firstByEnd, next: nextByEnd } = this.#byEnd;
    firstByFrom.fill(-1, 0, sum);
    firstByEnd.fill(-1, 0, sum + 1);
    let job = 0;
    for (let pair = from; pair < to; pair++) {
      const count = counts[pair] ?? 0;
      for (let j = 0; j < count; j++) {
        const begin = Math.floor((j * sum) / count);
        this.#jobEdge[job] = holder[pair] ?? NO_EDGE;
        this.#jobFrom[job] = begin;
        this.#jobEnd[job] = Math.ceil(((j + 1) * sum) / count);
        nextByFrom[job] = firstByFrom[begin] ?? -1;
        firstByFrom[begin] = job;
        job += 1;
      }
    }
    // What is put in last comes out first, so everything goes in backwards.
    for (let begin = sum - 1; begin >= 0; begin--) {
      for (let each = firstByFrom[begin] ?? -1; each !== -1; each = nextByFrom[each] ?? -1) {
        const end = this.#jobEnd[each] ?? 0;
        nextByEnd[each] = firstByEnd[end] ?? -1;
        firstByEnd[end] = each;
      }
    }
  }

  /** Bytes of memory that it keeps. */
  get memoryBytes(): number {
    const { first, next } = this.#byEnd;
    const own = [first, next, first, next, this.#jobEdge, this.#jobFrom, this.#jobEnd, this.#free];
    return own.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  #firstFree(from: number): number {
    const free = this.#free;
    let slot = from;
    while (free[slot] !== slot) {
      const next = free[slot] ?? 0;
      free[slot] = free[next] ?? 0;
      slot = next;
    }
    return slot;
  }

  #reserve(jobs: number): void {
    if (this.#jobEdge.length >= jobs) return;
    this.#byFrom = emptyLists(jobs);
    this.#byEnd = emptyLists(jobs);
    this.#jobEdge = new Uint16Array(jobs);
    this.#jobFrom = new Uint32Array(jobs);
    this.#jobEnd = new Uint32Array(jobs);
    this.#free = new Uint32Array(jobs + 1);
  }
}

/**
 * Writes the edge of every pack into `out`: class `c` has its table from `starts[c]` on, `NO_EDGE` behind it, and its packs
 * take its slots in turn. A pack of a class without a table gets `NO_EDGE`.
 */
export function writeEdges(tables: Uint16Array, starts: Int32Array, classOf: Uint16Array, out: Uint16Array): void {
  const classes = starts.length - 1;
  const next = starts.slice();
  const { length } = classOf;
  let pack = 0;
  while (pack < length) {
    const index = classOf[pack] ?? 0;
    if (index >= classes) {
      out[pack] = NO_EDGE;
      pack += 1;
      continue;
    }
    let slot = next[index] ?? 0;
    do {
      let edge = tables[slot] ?? NO_EDGE;
      if (edge === NO_EDGE) {
        slot = starts[index] ?? 0;
        edge = tables[slot] ?? NO_EDGE;
      }
      out[pack] = edge;
      slot += 1;
      pack += 1;
    } while (pack < length && classOf[pack] === index);
    next[index] = slot;
  }
}

/** Linked lists of jobs, one for each slot: the first of each, and the next of each job; -1 for none. */
function emptyLists(jobs: number): { readonly first: Int32Array; readonly next: Int32Array } {
  return { first: new Int32Array(jobs + 1), next: new Int32Array(jobs) };
}
