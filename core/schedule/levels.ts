/**
 * When each edge is free with what it has been given, in weighted microseconds: the levels that a flow makes even.
 *
 * @module
 */

/** Level of an edge that is not to be used: above all others, and 0 bytes a microsecond away from it. */
const UNUSABLE_US = 1e300;
/** How far above the ground a level is where a group uses the edge, and not a sum's last digits. */
const USED = 1 + 1e-12;

/** All arrays are by the edge's number, and read only for others but the flow, which moves levels. */
export class Levels {
  readonly levelUs: Float64Array;
  /** Weighted microseconds of a byte at each edge; 0 for one that is not in use. */
  readonly usPerByte: Float64Array;
  readonly bytesPerUs: Float64Array;
  /** Levels with nothing given. */
  readonly #freeUs: Float64Array;
  /** Levels before anything of the group that is being served. */
  readonly #groundUs: Float64Array;

  constructor(edges: number) {
    this.levelUs = new Float64Array(edges);
    this.usPerByte = new Float64Array(edges);
    this.bytesPerUs = new Float64Array(edges);
    this.#freeUs = new Float64Array(edges).fill(UNUSABLE_US);
    this.#groundUs = new Float64Array(edges);
  }

  /** Sets when an edge is free of all but the flow, and what a byte costs it; `usPerByte` 0 takes it out of use. Levels stay. */
  setEdge(edge: number, freeUs: number, usPerByte: number): void {
    const isUsable = usPerByte > 0;
    this.#freeUs[edge] = isUsable ? freeUs : UNUSABLE_US;
    this.usPerByte[edge] = usPerByte;
    this.bytesPerUs[edge] = isUsable ? 1 / usPerByte : 0;
  }

  isInUse(edge: number): boolean {
    return (this.bytesPerUs[edge] ?? 0) > 0;
  }

  /** Takes everything away that was given. */
  clear(): void {
    this.levelUs.set(this.#freeUs);
  }

  /** What is given from now on is another group's. */
  beginGroup(): void {
    this.#groundUs.set(this.levelUs);
  }

  /** Adds the bytes of the pairs `from` to `to` (excluded). */
  add(bytes: Float64Array, holder: Uint16Array, from: number, to: number): void {
    const { levelUs, usPerByte } = this;
    for (let pair = from; pair < to; pair++) {
      const edge = holder[pair] ?? 0;
      levelUs[edge] = (levelUs[edge] ?? 0) + (bytes[pair] ?? 0) * (usPerByte[edge] ?? 0);
    }
  }

  /** The highest level of an edge that the group uses; 0 where it uses none. */
  peakUs(): number {
    let peak = 0;
    for (let edge = 0; edge < this.levelUs.length; edge++) {
      const level = this.levelUs[edge] ?? 0;
      if (level > peak && level > (this.#groundUs[edge] ?? 0) * USED) peak = level;
    }
    return peak;
  }

  /** Bytes of memory; all its arrays are equally long. */
  get memoryBytes(): number {
    return 5 * this.levelUs.byteLength;
  }
}
