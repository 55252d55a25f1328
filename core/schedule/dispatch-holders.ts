/**
 * Which edges hold which packs, as ranges of pack numbers with the same holders. It grows with the number of ranges, never
 * with packs times edges.
 *
 * @module
 */
import type { RangeSet } from "../chunk/range-set.ts";

/** Edges that hold the same packs. The same set of edges is the same object, as long as any pack has it. */
export interface HolderClass {
  /** Numbers of edges, ascending, none twice. */
  readonly edges: readonly number[];
  /** The classes with one edge more, or less, by that edge: those that were needed. */
  readonly neighbours: Map<number, HolderClass>;
}

/** Classes that no range has any more are forgotten when there are this many more than needed. */
const SPARE_CLASSES = 1024;

/** The holders of every pack from 0 on; nobody holds anything at first. */
export class HolderMap {
  /** First pack of each range; the last range has no end. */
  #starts: number[] = [0];
  #classes: HolderClass[];
  #known = new Map<string, HolderClass>();

  constructor() {
    this.#classes = [this.#intern([])];
  }

  /** The edges that hold `pack`. */
  at(pack: number): HolderClass {
    return this.#classes[this.#find(pack)] ?? this.#intern([]);
  }

  /**
   * Sets what `edge` holds: exactly `held`.
   *
   * @returns the ranges of packs whose holders changed, as flat pairs start, end (excluded; the last may be Infinity)
   */
  set(edge: number, held: RangeSet): number[] {
    const bounds = held.toArray();
    const starts: number[] = [];
    const classes: HolderClass[] = [];
    const changed: number[] = [];
    let bound = 0;
    for (const [i, old] of this.#classes.entries()) {
      const end = this.#starts[i + 1] ?? Number.POSITIVE_INFINITY;
      let at = this.#starts[i] ?? 0;
      while (at < end) {
        while ((bounds[bound] ?? Number.POSITIVE_INFINITY) <= at) bound += 1;
        const next = Math.min(end, bounds[bound] ?? Number.POSITIVE_INFINITY);
        const now = this.#with(old, edge, bound % 2 === 1);
        if (classes.at(-1) !== now) {
          starts.push(at);
          classes.push(now);
        }
        if (now !== old) {
          if (changed.at(-1) === at) changed[changed.length - 1] = next;
          else changed.push(at, next);
        }
        at = next;
      }
    }
    this.#starts = starts;
    this.#classes = classes;
    this.#forget();
    return changed;
  }

  /** Says of one pack whether `edge` holds it. */
  put(edge: number, pack: number, holds: boolean): void {
    const i = this.#find(pack);
    const old = this.#classes[i];
    if (old === undefined) return;
    const now = this.#with(old, edge, holds);
    if (now === old) return;
    const start = this.#starts[i] ?? 0;
    const end = this.#starts[i + 1] ?? Number.POSITIVE_INFINITY;
    const starts = [pack];
    const classes = [now];
    if (start < pack) {
      starts.unshift(start);
      classes.unshift(old);
    }
    if (pack + 1 < end) {
      starts.push(pack + 1);
      classes.push(old);
    }
    this.#starts.splice(i, 1, ...starts);
    this.#classes.splice(i, 1, ...classes);
  }

  /** The range that `pack` is in. */
  #find(pack: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (low + 1 < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] ?? 0) <= pack) low = middle;
      else high = middle;
    }
    return low;
  }

  #with(old: HolderClass, edge: number, holds: boolean): HolderClass {
    if (old.edges.includes(edge) === holds) return old;
    const near = old.neighbours.get(edge);
    if (near !== undefined) return near;
    const others = old.edges.filter((each) => each !== edge);
    const now = this.#intern(holds ? [...others, edge].sort((a, b) => a - b) : others);
    old.neighbours.set(edge, now);
    return now;
  }

  #intern(edges: readonly number[]): HolderClass {
    const key = edges.join();
    let known = this.#known.get(key);
    if (known === undefined) {
      known = { edges, neighbours: new Map() };
      this.#known.set(key, known);
    }
    return known;
  }

  #forget(): void {
    if (this.#known.size <= this.#classes.length + SPARE_CLASSES) return;
    this.#known = new Map();
    for (const each of this.#classes) {
      each.neighbours.clear();
      this.#known.set(each.edges.join(), each);
    }
  }
}
