/**
 * The balanced flow of bytes from classes to edges. Each class spreads its bytes over its holders such that those it uses are
 * free at the same time, and none that it does not use is free before that, given what other classes do there; again and again until
 * nothing moves. What comes out is the flow whose busiest edges are free as early as any flow could make them.
 *
 * Classes are served in groups: what a group has been given is the base of the next ones.
 *
 * @module
 */
import { type FlowShape, pairsByEdge } from "./flow-shape.ts";
import { Levels } from "./levels.ts";

/** A class whose used holders differ by less than this share of their level stays as it is. */
const TOLERANCE = 1e-3;
/** Sweeps over one group: as many as this many looks at a pair give, within bounds. Random holders are settled after 4. */
const MOST_LOOKS = 2 ** 17;
const LEAST_SWEEPS = 8;
const MOST_SWEEPS = 512;
/** Sweeps over the classes that a change reached, at least. */
const RELAX_SWEEPS = 24;
/** What edges may rise above what cannot be helped before the classes of their neighbours are asked too. */
const SLACK = 0.004;
/** Marks of a class for the next relaxation: told that a level has moved, or held by an edge that has changed. */
const TOLD = 1;
const TOUCHED = 2;

export class Flow {
  /** Bytes of each pair. Read only for others. */
  readonly bytes: Float64Array;
  /** Bytes of each class. Set by the owner, before `settle` or `relax`. */
  readonly demandBytes: Float64Array;
  /** When each edge is free with all that it has been given. */
  readonly levels: Levels;
  readonly #shape: FlowShape;
  readonly #sweeps: number;
  /** Pairs by edge: classes of edge `e` are `#classesOf[#edgeStart[e]]` to `#classesOf[#edgeStart[e + 1]]`. */
  readonly #edgeStart: Uint32Array;
  readonly #classesOf: Uint16Array;
  /** Levels of a class's holders without its own bytes. */
  readonly #bases: Float64Array;
  /** Of each edge: how far its level has moved in this relaxation, and how far it had when its classes were told. */
  readonly #shiftUs: Float64Array;
  readonly #toldUs: Float64Array;
  /** The highest level that classes came to in this group of a relaxation. */
  #highestUs = 0;
  /** True where a class has been touched that has no edge left. */
  #hasDropped = false;
  /** `TOLD`, `TOUCHED` or 0 for each class. */
  readonly #marks: Uint8Array;
  /** Of each group: a level that some edge reaches in any flow, as far as is known. */
  readonly #goalUs: Float64Array;

  constructor(shape: FlowShape) {
    const { start, holder, edges } = shape;
    const classes = start.length - 1;
    this.#shape = shape;
    this.#sweeps = Math.min(MOST_SWEEPS, Math.max(LEAST_SWEEPS, Math.floor(MOST_LOOKS / Math.max(1, holder.length))));
    this.bytes = new Float64Array(holder.length);
    this.demandBytes = new Float64Array(classes);
    this.levels = new Levels(edges);
    this.#shiftUs = new Float64Array(edges);
    this.#toldUs = new Float64Array(edges);
    this.#marks = new Uint8Array(classes);
    this.#goalUs = new Float64Array(shape.groupEnds.length);
    [this.#edgeStart, this.#classesOf] = pairsByEdge(shape);
    let most = 0;
    for (let index = 0; index < classes; index++) most = Math.max(most, (start[index + 1] ?? 0) - (start[index] ?? 0));
    this.#bases = new Float64Array(most);
  }

  /** Bytes of memory that the flow holds, apart from its shape. */
  get memoryBytes(): number {
    const own = [
      this.#edgeStart,
      this.#classesOf,
      this.bytes,
      this.demandBytes,
      this.#bases,
      this.#marks,
      this.#shiftUs,
      this.#toldUs,
    ];
    return own.reduce((sum, { byteLength }) => sum + byteLength, this.levels.memoryBytes);
  }

  /** Marks the classes of an edge that has changed for the next `relax`; after `setEdge` for all edges that have. */
  touchEdge(edge: number): void {
    this.#markClasses(edge, TOUCHED);
    // a class that falls out leaves less to do, so more than before may be possible for the others
    const to = this.#edgeStart[edge + 1] ?? 0;
    for (let i = this.#edgeStart[edge] ?? 0; i < to && !this.#hasDropped; i++) {
      this.#hasDropped = !this.isPlaceable(this.#classesOf[i] ?? 0);
    }
  }

  /** Marks a class for the next `relax`. */
  touchClass(index: number): void {
    this.#marks[index] = TOUCHED;
  }

  /** False where none of a class's holders is in use. */
  isPlaceable(index: number): boolean {
    const { start, holder } = this.#shape;
    const to = start[index + 1] ?? 0;
    for (let pair = start[index] ?? 0; pair < to; pair++) {
      if (this.levels.isInUse(holder[pair] ?? 0)) return true;
    }
    return false;
  }

  /** Spreads everything anew. */
  settle(): void {
    const { order, groupEnds } = this.#shape;
    this.bytes.fill(0);
    this.#marks.fill(0);
    this.levels.clear();
    let from = 0;
    for (const [group, to] of groupEnds.entries()) {
      this.levels.beginGroup();
      // one class alone is level at once
      const most = to - from === 1 ? 1 : this.#sweeps;
      for (let sweep = 0; sweep < most; sweep++) {
        let moved = 0;
        // there and back, so that a chain of classes hands on in both directions
        if (sweep % 2 === 0) for (let i = from; i < to; i++) moved += this.#spread(order[i] ?? 0, 0) ? 1 : 0;
        else for (let i = to - 1; i >= from; i--) moved += this.#spread(order[i] ?? 0, 0) ? 1 : 0;
        if (moved === 0) break;
      }
      this.#goalUs[group] = this.levels.peakUs();
      from = to;
    }
  }

  /**
   * Spreads the marked classes again, and of their neighbours those that must give way for the busiest edges to be free as
   * early as they can be. With `isWorse` (nothing has become better since the last call) that is asked only of edges that have
   * risen above what could not be helped before; otherwise of all. Marks in `changed` (one byte for each class) those whose bytes went elsewhere.
   */
  relax(isWorse: boolean, changed: Uint8Array): void {
    const { order, groupEnds } = this.#shape;
    this.#shiftUs.fill(0);
    this.#toldUs.fill(0);
    this.levels.clear();
    let isBounded = isWorse && !this.#hasDropped;
    this.#hasDropped = false;
    let from = 0;
    for (const [group, to] of groupEnds.entries()) {
      this.levels.beginGroup();
      this.#addLoads(from, to);
      // where more has become possible, what did not matter before may
      if (!isBounded) for (let i = from; i < to; i++) this.#marks[order[i] ?? 0] ||= TOLD;
      const limitUs = isBounded ? (this.#goalUs[group] ?? 0) * (1 + SLACK) : 0;
      // later groups stand on all that moves here
      const tellUs = to === order.length ? limitUs : 0;
      this.#highestUs = 0;
      let hasMoved = false;
      let visited = 1;
      for (let sweep = 0; visited > 0 && sweep < Math.max(RELAX_SWEEPS, this.#sweeps); sweep++) {
        visited = 0;
        for (let i = from; i < to; i++) {
          const index = order[sweep % 2 === 0 ? i : to - 1 - (i - from)] ?? 0;
          const mark = this.#marks[index] ?? 0;
          if (mark === 0) continue;
          this.#marks[index] = 0;
          visited += 1;
          if (mark === TOLD && this.#isLevel(index, limitUs)) continue;
          if (!this.#spread(index, mark === TOUCHED ? 0 : limitUs)) continue;
          changed[index] = 1;
          hasMoved = true;
          this.#tell(index, tellUs);
        }
      }
      // What came out level could not be helped. Where it did not, nothing is known of what could.
      if (!isBounded) this.#goalUs[group] = visited === 0 ? this.levels.peakUs() : 0;
      else if (visited === 0 && this.#highestUs > limitUs) this.#goalUs[group] = this.levels.peakUs();
      // and may come to be better off than they were
      isBounded &&= !hasMoved;
      from = to;
    }
    this.#marks.fill(0);
  }

  /** Marks the classes of those holders of a class whose levels have fallen, or risen above a limit, by more than the tolerance. */
  #tell(index: number, limitUs: number): void {
    const { start, holder } = this.#shape;
    const to = start[index + 1] ?? 0;
    for (let pair = start[index] ?? 0; pair < to; pair++) {
      const edge = holder[pair] ?? 0;
      const shift = this.#shiftUs[edge] ?? 0;
      const level = this.levels.levelUs[edge] ?? 0;
      const since = shift - (this.#toldUs[edge] ?? 0);
      // one that has fallen below the limit may take from those above it
      if (Math.abs(since) <= TOLERANCE * level || (since > 0 && level <= limitUs)) continue;
      this.#toldUs[edge] = shift;
      this.#markClasses(edge, TOLD);
    }
  }

  #markClasses(edge: number, mark: number): void {
    const to = this.#edgeStart[edge + 1] ?? 0;
    for (let i = this.#edgeStart[edge] ?? 0; i < to; i++) {
      const index = this.#classesOf[i] ?? 0;
      if ((this.#marks[index] ?? 0) < mark) this.#marks[index] = mark;
    }
  }

  /** Adds what the classes at places `from` to `to` of the order have been given. */
  #addLoads(from: number, to: number): void {
    const { start, order, holder } = this.#shape;
    if (to - from === order.length) {
      this.levels.add(this.bytes, holder, 0, holder.length);
      return;
    }
    for (let i = from; i < to; i++) {
      const index = order[i] ?? 0;
      this.levels.add(this.bytes, holder, start[index] ?? 0, start[index + 1] ?? 0);
    }
  }

  /** What `#spread` looks at first, for a class that has all its bytes: most that are told of a level are done with this. */
  #isLevel(index: number, limitUs: number): boolean {
    const { start, holder } = this.#shape;
    const { bytes } = this;
    const { levelUs } = this.levels;
    const to = start[index + 1] ?? 0;
    let lowest = Number.POSITIVE_INFINITY;
    let highest = 0;
    for (let pair = start[index] ?? 0; pair < to; pair++) {
      const level = levelUs[holder[pair] ?? 0] ?? 0;
      if (level < lowest) lowest = level;
      if (level > highest && (bytes[pair] ?? 0) > 0) highest = level;
    }
    return highest - lowest <= TOLERANCE * highest || highest <= limitUs;
  }

  /** Levels the holders of one class, exactly. False where they were level, or none that it uses is above the limit. */
  #spread(index: number, limitUs: number): boolean {
    const { start, holder } = this.#shape;
    const { bytes } = this;
    const { levelUs, usPerByte, bytesPerUs } = this.levels;
    const bases = this.#bases;
    const from = start[index] ?? 0;
    const to = start[index + 1] ?? 0;
    const demand = this.demandBytes[index] ?? 0;
    let lowest = Number.POSITIVE_INFINITY;
    let highest = 0;
    let given = 0;
    let wide = 0;
    let sum = demand;
    for (let pair = from; pair < to; pair++) {
      const edge = holder[pair] ?? 0;
      const level = levelUs[edge] ?? 0;
      const own = bytes[pair] ?? 0;
      const width = bytesPerUs[edge] ?? 0;
      const base = level - own * (usPerByte[edge] ?? 0);
      if (level < lowest) lowest = level;
      if (own > 0 && level > highest) highest = level;
      bases[pair - from] = base;
      given += own;
      wide += width;
      sum += base * width;
    }
    if (wide === 0) {
      bytes.fill(0, from, to);
      return given > 0;
    }
    const isLevel = highest - lowest <= TOLERANCE * highest || highest <= limitUs;
    if (isLevel && Math.abs(given - demand) <= TOLERANCE * demand) return false;
    // Where there were more holders than the level covers, it comes out too high: those above it are left out, until none is.
    let level = sum / wide;
    for (;;) {
      let covered = 0;
      sum = demand;
      for (let pair = from; pair < to; pair++) {
        const base = bases[pair - from] ?? 0;
        if (base >= level) continue;
        const width = bytesPerUs[holder[pair] ?? 0] ?? 0;
        covered += width;
        sum += base * width;
      }
      if (covered === 0 || covered >= wide) break;
      wide = covered;
      level = sum / wide;
    }
    if (level > this.#highestUs) this.#highestUs = level;
    const shiftUs = this.#shiftUs;
    for (let pair = from; pair < to; pair++) {
      const edge = holder[pair] ?? 0;
      const base = bases[pair - from] ?? 0;
      const next = Math.max(base, level);
      shiftUs[edge] = (shiftUs[edge] ?? 0) + next - (levelUs[edge] ?? 0);
      levelUs[edge] = next;
      bytes[pair] = (next - base) * (bytesPerUs[edge] ?? 0);
    }
    return true;
  }
}
