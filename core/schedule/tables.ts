/**
 * The tables that turn shares into single packs: the pack at position `p` of its class goes to the edge in slot `p mod slots`.
 * A table is filled so that however many slots one takes from its beginning, each edge has its part of them to less than one
 * slot, and so to less than two anywhere.
 *
 * @module
 */
import { NO_EDGE } from "./model.ts";
import type { Shares } from "./slots.ts";

/** Pairs of one plan are fewer. */
const MOST_PAIRS = 2 ** 32;

/**
 * Fills tables. The j-th (from 0) of an edge's `c` slots of `n` must lie from slot floor(j × n ÷ c) on and before slot
 * ceil((j + 1) × n ÷ c): that is what keeps every beginning within one slot of its part. Such a placing always exists, and taking the
 * soonest end first (of equal ones the edge with fewer slots), each as early as it may, finds it.
 */
export class TableFiller {
  /** Linked lists of jobs, one for each end: its first one, and the next of each job; -1 for none. */
  #first = new Int32Array(0);
  #next = new Int32Array(0);
  #jobEdge = new Uint16Array(0);
  #jobFrom = new Uint32Array(0);
  /** A slot that is taken points at the next one that may be free. */
  #free = new Uint32Array(0);
  /** Pairs of one class that have slots, as slots × `MOST_PAIRS` + pair. */
  #keys = new Float64Array(0);

  /**
   * Fills `table[at]` to `table[at + size - 1]` from the counts of pairs `from` to `to`, whose sum is at most `size`; a smaller sum
   * is repeated. `NO_EDGE` everywhere where it is 0.
   */
  fill(table: Uint16Array, at: number, size: number, pairs: Omit<Shares, "bytes">, counts: Uint32Array): void {
    const { from, to } = pairs;
    let sum = 0;
    for (let pair = from; pair < to; pair++) sum += counts[pair] ?? 0;
    if (sum === 0) {
      table.fill(NO_EDGE, at, at + size);
      return;
    }
    this.#reserve(to - from, sum);
    this.#listJobs(sum, pairs, counts);
    const free = this.#free;
    const next = this.#next;
    for (let slot = 0; slot <= sum; slot++) free[slot] = slot;
    for (let end = 1; end <= sum; end++) {
      for (let job = this.#first[end] ?? -1; job !== -1; job = next[job] ?? -1) {
        const slot = this.#firstFree(this.#jobFrom[job] ?? 0);
        table[at + slot] = this.#jobEdge[job] ?? NO_EDGE;
        free[slot] = slot + 1;
      }
    }
    for (let slot = sum; slot < size; slot++) table[at + slot] = table[at + slot - sum] ?? NO_EDGE;
  }

  /** Bytes of memory that it keeps. */
  get memoryBytes(): number {
    const own = [this.#first, this.#next, this.#jobEdge, this.#jobFrom, this.#free, this.#keys];
    return own.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** Lists the jobs by their ends. What is put in last comes out first. */
  #listJobs(sum: number, { from, to, holder }: Omit<Shares, "bytes">, counts: Uint32Array): void {
    const first = this.#first;
    const next = this.#next;
    first.fill(-1, 0, sum + 1);
    let job = 0;
    const used = this.#sortPairs(from, to, counts);
    for (let i = used - 1; i >= 0; i--) {
      const pair = (this.#keys[i] ?? 0) % MOST_PAIRS;
      const count = counts[pair] ?? 0;
      const edge = holder[pair] ?? NO_EDGE;
      // j × n ÷ c as a whole number and what is over, counted on rather than divided
      const over = sum % count;
      const step = (sum - over) / count;
      let begin = 0;
      let rest = 0;
      for (const last = job + count; job < last; job++) {
        this.#jobEdge[job] = edge;
        this.#jobFrom[job] = begin;
        begin += step;
        rest += over;
        if (rest >= count) {
          rest -= count;
          begin += 1;
        }
        const end = rest > 0 ? begin + 1 : begin;
        next[job] = first[end] ?? -1;
        first[end] = job;
      }
    }
  }

  /** Sorts the pairs that have slots by how many, the fewest first, of equal ones the earlier. @returns how many there are */
  #sortPairs(from: number, to: number, counts: Uint32Array): number {
    let used = 0;
    for (let pair = from; pair < to; pair++) {
      const count = counts[pair] ?? 0;
      if (count === 0) continue;
      this.#keys[used] = count * MOST_PAIRS + pair;
      used += 1;
    }
    this.#keys.subarray(0, used).sort();
    return used;
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

  #reserve(holders: number, jobs: number): void {
    if (this.#keys.length < holders) this.#keys = new Float64Array(holders);
    if (this.#next.length >= jobs) return;
    this.#first = new Int32Array(jobs + 1);
    this.#next = new Int32Array(jobs);
    this.#jobEdge = new Uint16Array(jobs);
    this.#jobFrom = new Uint32Array(jobs);
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
