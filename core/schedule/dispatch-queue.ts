/**
 * The packs that are wanted and not under way, in the order in which they are served: by priority, then deadline; within
 * these as groups of packs that the same edges hold.
 *
 * @module
 */
import type { HolderClass } from "./dispatch-holders.ts";

/** A wanted pack, from `want` until it arrived or is wanted no more. */
export interface Wanted {
  readonly pack: number;
  priority: number;
  deadlineMs: number;
  /** Where it waits; undefined while it is under way. */
  group: Group | undefined;
  /** How often each edge failed it. */
  failures: Map<number, number> | undefined;
}

/** Waiting packs of one priority and deadline that the same edges hold. */
export interface Group {
  readonly level: Level;
  readonly holders: HolderClass;
  /** A heap by number; it may hold packs that are elsewhere by now. */
  readonly heap: Wanted[];
  /** Packs that wait here. */
  count: number;
  /** How many of them are meant for each of the holders. */
  readonly shares: Int32Array;
}

/** Waiting packs of one priority and deadline. */
export interface Level {
  readonly priority: number;
  readonly deadlineMs: number;
  readonly groups: Map<HolderClass, Group>;
  /** The groups, and some that are empty by now, in the order in which they are served; see `balance`, which sorts them. */
  order: Group[];
  /** How many at the end of `order` came since it was sorted, and for which state of the edges that was. */
  unsorted: number;
  sortedFor: number;
  /** How many at the beginning of `order` have shares. */
  shared: number;
}

/** Empty levels are kept until there are this many, and half as many as others: most come and go at the front. */
const MOST_EMPTY = 64;

/** Negative if `a` is served before `b`, as far as that does not depend on who holds them. */
export function compareWanted(a: Wanted, b: Wanted): number {
  // Not a difference: that of two infinite deadlines is no number.
  if (a.priority !== b.priority) return b.priority - a.priority;
  if (a.deadlineMs !== b.deadlineMs) return a.deadlineMs < b.deadlineMs ? -1 : 1;
  return a.pack - b.pack;
}

/** Packs that wait. What it gives out is its own, but for `shares`, `order` and the like, which `balance` sets. */
export class WantQueue {
  #levels: Level[] = [];
  #empty = 0;
  #count = 0;

  /** Packs that wait. */
  get count(): number {
    return this.#count;
  }

  /** In the order in which they are served; some may be empty. Not to be kept: it is replaced as packs come and go. */
  get levels(): readonly Level[] {
    return this.#levels;
  }

  /** The highest priority of those that wait; -1 where none does. */
  get topPriority(): number {
    return this.#levels.find(({ groups }) => groups.size > 0)?.priority ?? -1;
  }

  /** Puts a pack that waits nowhere where it belongs. */
  add(wanted: Wanted, holders: HolderClass): void {
    const level = this.#level(wanted.priority, wanted.deadlineMs);
    let group = level.groups.get(holders);
    if (group === undefined) {
      group = { level, holders, heap: [], count: 0, shares: new Int32Array(holders.edges.length) };
      if (level.groups.size === 0) this.#empty -= 1;
      level.groups.set(holders, group);
      level.order.push(group);
      level.unsorted += 1;
    }
    wanted.group = group;
    group.count += 1;
    this.#count += 1;
    push(group.heap, wanted);
  }

  /** Takes a pack out; nothing where it waits nowhere. */
  remove(wanted: Wanted): void {
    const { group } = wanted;
    if (group === undefined) return;
    wanted.group = undefined;
    group.count -= 1;
    this.#count -= 1;
    if (group.count > 0) return;
    const { groups } = group.level;
    groups.delete(group.holders);
    if (groups.size > 0) return;
    group.level.order = [];
    group.level.unsorted = 0;
    this.#empty += 1;
  }

  /** Forgets empty levels, where there are many. Not while the levels are gone through. */
  tidy(): void {
    if (this.#empty < MOST_EMPTY || this.#empty * 3 < this.#levels.length) return;
    this.#levels = this.#levels.filter(({ groups }) => groups.size > 0);
    this.#empty = 0;
  }

  /** Takes the pack with the lowest number out of a group. */
  take(group: Group): Wanted | undefined {
    const first = headOf(group);
    if (first !== undefined) this.remove(first);
    return first;
  }

  #level(priority: number, deadlineMs: number): Level {
    const at = this.#find(priority, deadlineMs);
    const there = this.#levels[at];
    if (there !== undefined && there.priority === priority && there.deadlineMs === deadlineMs) return there;
    const level: Level = { priority, deadlineMs, groups: new Map(), order: [], unsorted: 0, sortedFor: -1, shared: 0 };
    this.#levels.splice(at, 0, level);
    this.#empty += 1;
    return level;
  }

  /** The first level that is not served before one of this priority and deadline. */
  #find(priority: number, deadlineMs: number): number {
    let low = 0;
    let high = this.#levels.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const level = this.#levels[middle];
      if (level === undefined) break;
      const before = level.priority > priority || (level.priority === priority && level.deadlineMs < deadlineMs);
      if (before) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The pack with the lowest number that waits in a group. */
export function headOf(group: Group): Wanted | undefined {
  const { heap } = group;
  while (heap.length > 0 && heap[0]?.group !== group) pop(heap);
  return heap[0];
}

function push(heap: Wanted[], wanted: Wanted): void {
  let at = heap.length;
  while (at > 0) {
    const up = (at - 1) >>> 1;
    const parent = heap[up];
    if (parent === undefined || parent.pack <= wanted.pack) break;
    heap[at] = parent;
    at = up;
  }
  heap[at] = wanted;
}

function pop(heap: Wanted[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let down = 2 * at + 1;
    let child = heap[down];
    if (child === undefined) break;
    const right = heap[down + 1];
    if (right !== undefined && right.pack < child.pack) {
      down += 1;
      child = right;
    }
    if (child.pack >= last.pack) break;
    heap[at] = child;
    at = down;
  }
  heap[at] = last;
}
