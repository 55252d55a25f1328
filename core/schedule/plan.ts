/**
 * The plan: which pack comes from which edge, for all packs of a transfer (docs/decisions/010-plans-are-shares.md).
 *
 * Classes hand their bytes to edges as a balanced flow, higher priorities first and sooner deadlines before later ones; the
 * shares are rounded to slots, and a pack's place in its class says its slot. A change of a few edges spreads again only the
 * classes that these hold, and those whose edges' levels move by it. `maxActive` bounds what is under way, not the plan.
 *
 * The same calls give the same plan everywhere: nothing depends on time, chance or the order of a map.
 *
 * @module
 */
import { assert } from "../failure.ts";
import { bestEdges, type EdgeTerms, edgeTerms, setEdgeTerms } from "./cost.ts";
import { Flow } from "./flow.ts";
import { type EdgeView, MAX_CLASSES, NO_EDGE, type PackClass, WEIGHT_ONE } from "./model.ts";
import { Rounding, type Shares, slotCounts } from "./slots.ts";
import { TableFiller, writeEdges } from "./tables.ts";

const US_PER_SECOND = 1_000_000;
/** Edges that stand ready for a class, unless told. */
const BACKUPS = 3;

export class Plan {
  readonly #classes: readonly PackClass[];
  readonly #views: EdgeView[];
  readonly #terms: EdgeTerms;
  readonly #packs: Uint32Array;
  /** Pairs of class `c` are `#start[c]` to `#start[c + 1]`, exclusively. */
  readonly #start: Uint32Array;
  readonly #holder: Uint16Array;
  readonly #flow: Flow;
  readonly #rounding: Rounding;
  /** Slots of each pair. */
  readonly #counts: Uint32Array;
  /** The tables, one after the other, each with `NO_EDGE` behind it. */
  readonly #tables: Uint16Array;
  readonly #tableStart: Int32Array;
  readonly #filler = new TableFiller();
  /** 1 where a class's table does not stand for its counts yet. */
  readonly #isStale: Uint8Array;
  /** True where classes were told to have other numbers of packs since the last plan. */
  #havePacksChanged = false;

  /**
   * Takes over `classes` and their holders; nothing is planned before `solve`.
   * @throws Error for more than `MAX_CLASSES` classes, edges beyond `NO_EDGE`, holders out of order, or numbers out of range
   */
  constructor(classes: readonly PackClass[], edges: readonly EdgeView[]) {
    assert(classes.length <= MAX_CLASSES, "few enough classes");
    assert(edges.length <= NO_EDGE, "few enough edges");
    for (const each of classes) checkClass(each, edges.length);
    this.#classes = classes;
    this.#views = [...edges];
    this.#terms = edgeTerms(edges);
    this.#packs = Uint32Array.from(classes, ({ packs }) => packs);
    this.#start = startsOf(classes.map((each) => each.edges.length));
    this.#holder = new Uint16Array(this.#start.at(-1) ?? 0);
    for (const [index, each] of classes.entries()) this.#holder.set(each.edges, this.#start[index]);
    const order = servingOrder(classes);
    const groupEnds = groupEndsOf(order, classes);
    this.#flow = new Flow({ start: this.#start, holder: this.#holder, order, groupEnds, edges: edges.length });
    for (const [edge, view] of edges.entries()) this.#setEdge(edge, view);
    for (let index = 0; index < classes.length; index++) this.#setDemand(index);
    const most = classes.reduce((sum, each) => Math.max(sum, each.edges.length), 0);
    this.#rounding = new Rounding(edges.length, this.#holder.length, most);
    this.#counts = new Uint32Array(this.#holder.length);
    this.#tableStart = Int32Array.from(startsOf(slotCounts(classes).map((slots) => slots + 1)));
    this.#tables = new Uint16Array(this.#tableStart.at(-1) ?? 0).fill(NO_EDGE);
    this.#isStale = new Uint8Array(classes.length);
  }

  /** Plans everything anew. */
  solve(): void {
    this.#flow.settle();
    this.#havePacksChanged = false;
    this.#rounding.clear();
    for (let index = 0; index < this.#classes.length; index++) this.#round(index);
  }

  /** Tells how many packs of a class are left that have not been started; counts from the next `solve` or `replan` on. */
  setPacks(index: number, packs: number): void {
    assert(index in this.#packs && isCount(packs), "packs of a class");
    if (packs === this.#packs[index]) return;
    this.#packs[index] = packs;
    this.#havePacksChanged = true;
    this.#setDemand(index);
    this.#flow.touchClass(index);
  }

  /**
   * Plans again what changed edges concern: `views[i]` is what `edges[i]` is now. Gives the numbers of the classes whose packs
   * go elsewhere; all others stay exactly as they were.
   */
  replan(edges: readonly number[], views: readonly EdgeView[]): Uint16Array {
    assert(edges.length === views.length, "a view for each edge");
    let isWorse = !this.#havePacksChanged;
    for (const [i, edge] of edges.entries()) {
      const view = views[i];
      const old = this.#viewOf(edge);
      assert(view !== undefined, "a view for each edge");
      isWorse &&= isNoBetter(view, old);
      this.#setEdge(edge, view);
    }
    for (const edge of edges) this.#flow.touchEdge(edge);
    const isChanged = new Uint8Array(this.#classes.length);
    this.#flow.relax(isWorse, isChanged);
    this.#havePacksChanged = false;
    return this.#roundChanged(isChanged);
  }

  /** The edge of the pack at a position (from 0) of its class; `NO_EDGE` where it has to wait. */
  edgeAt(index: number, position: number): number {
    assert(index in this.#packs && position >= 0, "a pack of the plan");
    this.#fill(index);
    return this.#tables[(this.#tableStart[index] ?? 0) + (position & (this.#tableSlots(index) - 1))] ?? NO_EDGE;
  }

  /**
   * Writes the edge of every pack into `out`: `classOf` tells the packs' classes in the order of the transfer. A pack of no
   * class of this plan gets `NO_EDGE`, as one that has to wait.
   */
  writeAll(classOf: Uint16Array, out: Uint16Array): void {
    assert(out.length >= classOf.length, "room for every pack");
    for (let index = 0; index < this.#classes.length; index++) this.#fill(index);
    writeEdges(this.#tables, this.#tableStart, classOf, out);
  }

  /** The cheapest holders of a class for one more pack, best first; `NO_EDGE` where there are no more. */
  backups(index: number, k: number = BACKUPS): Uint16Array {
    const packs = this.#classes[index];
    assert(packs !== undefined, "a class of the plan");
    return bestEdges(this.#terms, packs, k);
  }

  /** Numbers of the classes that have packs and no edge: they wait for a `replan` with an edge that has come back. */
  unplaceable(): number[] {
    return this.#classes.flatMap((_, index) =>
      this.#packs[index] === 0 || this.#flow.isPlaceable(index) ? [] : [index],
    );
  }

  /** The part of a class's packs, 0 to 1, that an edge is to carry. */
  share(index: number, edge: number): number {
    const { bytes } = this.#flow;
    const to = this.#start[index + 1] ?? 0;
    let own = 0;
    let sum = 0;
    for (let pair = this.#start[index] ?? 0; pair < to; pair++) {
      if (this.#holder[pair] === edge) own = bytes[pair] ?? 0;
      sum += bytes[pair] ?? 0;
    }
    return own === 0 ? 0 : own / sum;
  }

  /** Microseconds that an edge needs for what the plan gives it. */
  loadUs(edge: number): number {
    const view = this.#viewOf(edge);
    return isUsable(view) ? Math.max(0, this.finishUs(edge) - freeUs(view)) : 0;
  }

  /**
   * Microseconds from now until an edge is done with its backlog and what the plan gives it (its round trip, where that is
   * nothing); Infinity for one that is not used.
   */
  finishUs(edge: number): number {
    const view = this.#viewOf(edge);
    return isUsable(view)
      ? ((this.#flow.levels.levelUs[edge] ?? 0) * WEIGHT_ONE) / view.weight
      : Number.POSITIVE_INFINITY;
  }

  /** Bytes of memory that the plan holds, apart from the classes it was given. */
  get memoryBytes(): number {
    const own = [
      this.#packs,
      this.#start,
      this.#holder,
      this.#rounding.lackBytes,
      this.#counts,
      this.#tables,
      this.#tableStart,
      this.#isStale,
    ];
    return own.reduce((sum, { byteLength }) => sum + byteLength, this.#flow.memoryBytes + this.#filler.memoryBytes);
  }

  #viewOf(edge: number): EdgeView {
    const view = this.#views[edge];
    assert(view !== undefined, "an edge of the plan");
    return view;
  }

  #setEdge(edge: number, view: EdgeView): void {
    const { bytesPerSec, rttUs, backlogBytes, weight } = view;
    const isSound = [bytesPerSec, rttUs, backlogBytes, weight].every((value) => Number.isFinite(value) && value >= 0);
    assert(isSound, "an edge's numbers");
    this.#views[edge] = view;
    setEdgeTerms(this.#terms, edge, view);
    const scale = weight / WEIGHT_ONE;
    const { levels } = this.#flow;
    if (isUsable(view)) levels.setEdge(edge, scale * freeUs(view), (scale * US_PER_SECOND) / bytesPerSec);
    else levels.setEdge(edge, 0, 0);
  }

  #setDemand(index: number): void {
    this.#flow.demandBytes[index] = (this.#packs[index] ?? 0) * (this.#classes[index]?.packBytes ?? 0);
  }

  /** Slots that are filled: a class that has fewer packs than its table has its exact parts of those. */
  #slotsOf(index: number): number {
    return Math.min(this.#packs[index] ?? 0, this.#tableSlots(index));
  }

  #tableSlots(index: number): number {
    return (this.#tableStart[index + 1] ?? 0) - (this.#tableStart[index] ?? 0) - 1;
  }

  #sharesOf(index: number): Shares {
    const [from, to] = [this.#start[index] ?? 0, this.#start[index + 1] ?? 0];
    return { from, to, bytes: this.#flow.bytes, holder: this.#holder };
  }

  #round(index: number): void {
    this.#rounding.round(this.#sharesOf(index), this.#slotsOf(index), this.#flow.levels.usPerByte, this.#counts);
    this.#isStale[index] = 1;
  }

  #roundChanged(isChanged: Uint8Array): Uint16Array {
    const changed: number[] = [];
    for (let index = 0; index < isChanged.length; index++) if (isChanged[index] === 1) changed.push(index);
    for (const index of changed) this.#round(index);
    return Uint16Array.from(changed);
  }

  #fill(index: number): void {
    if (this.#isStale[index] === 0) return;
    this.#isStale[index] = 0;
    const at = this.#tableStart[index] ?? 0;
    this.#filler.fill(this.#tables, at, this.#tableSlots(index), this.#sharesOf(index), this.#counts);
  }
}

function isUsable({ weight, bytesPerSec }: EdgeView): boolean {
  return weight > 0 && bytesPerSec > 0;
}

/** True where nothing could be done sooner than before. */
function isNoBetter(view: EdgeView, old: EdgeView): boolean {
  if (!isUsable(view) || !isUsable(old)) return !isUsable(view);
  return (
    freeUs(view) * view.weight >= freeUs(old) * old.weight &&
    view.weight * old.bytesPerSec >= old.weight * view.bytesPerSec
  );
}

function freeUs({ rttUs, backlogBytes, bytesPerSec }: EdgeView): number {
  return rttUs + (backlogBytes * US_PER_SECOND) / bytesPerSec;
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < 2 ** 32;
}

function checkClass({ packs, packBytes, edges, priority, deadlineMs }: PackClass, count: number): void {
  assert(isCount(packs) && isCount(packBytes) && packBytes > 0, "packs with a size");
  assert(Number.isInteger(priority) && !Number.isNaN(deadlineMs), "a priority and a deadline");
  for (let i = 0; i < edges.length; i++) {
    assert((edges[i] ?? 0) < count && (i === 0 || (edges[i] ?? 0) > (edges[i - 1] ?? 0)), "holders in order");
  }
}

/** Sums of all before each, and the sum of all at the end. */
function startsOf(counts: readonly number[]): Uint32Array {
  const starts = new Uint32Array(counts.length + 1);
  for (const [i, count] of counts.entries()) starts[i + 1] = (starts[i] ?? 0) + count;
  return starts;
}

/** Higher priorities first, then sooner deadlines, then lower numbers. */
function servingOrder(classes: readonly PackClass[]): Uint16Array {
  const order = Uint16Array.from(classes, (_, index) => index);
  return order.sort((a, b) => compare(classes[a], classes[b]) || a - b);
}

function compare(a: PackClass | undefined, b: PackClass | undefined): number {
  if (a === undefined || b === undefined) return 0;
  if (a.priority !== b.priority) return b.priority - a.priority;
  return a.deadlineMs < b.deadlineMs ? -1 : Number(a.deadlineMs > b.deadlineMs);
}

/** Where groups of equal priority and deadline end. */
function groupEndsOf(order: Uint16Array, classes: readonly PackClass[]): Uint32Array {
  const ends: number[] = [];
  for (let i = 0; i < order.length; i++) {
    const next = classes[order[i + 1] ?? -1];
    if (next === undefined || compare(classes[order[i] ?? 0], next) !== 0) ends.push(i + 1);
  }
  return Uint32Array.from(ends);
}
