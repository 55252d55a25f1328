/**
 * Inputs for decoders: valid ones, damaged in the ways in which damage and malice come. The same seed gives the same inputs.
 *
 * @module
 */
import { sequence } from "../../support/fake-effort.ts";

/** Lengths and counts at which decoders go wrong. */
const EDGES: readonly number[] = [
  0, 1, 2, 3, 15, 16, 31, 32, 33, 127, 128, 255, 256, 257, 65_535, 65_536, 65_537, 1_000_000, 1_048_575, 1_048_576,
  4_194_276, 4_194_303, 4_194_304, 4_194_305, 8_388_608, 16_777_216, 2_147_483_647, 2_147_483_648, 4_294_967_295,
];
const WIDTHS = [1, 2, 4, 8] as const;
/** Inputs do not grow beyond that, however often they are doubled. */
const MAX_BYTES = 1 << 18;
const MAX_STEPS = 4;

/** A few random choices. */
export class Dice {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = sequence(seed);
  }

  /** Uniform enough in `[0, limit)`; 0 for a limit of 0. */
  below(limit: number): number {
    return limit < 1 ? 0 : this.#next() % limit;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }
}

/** Damaged copies of `corpus`, without end; each is good until the next one is asked for. */
export class Mutator {
  readonly #dice: Dice;
  readonly #corpus: readonly Uint8Array[];
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  #length = 0;

  constructor(corpus: readonly Uint8Array[], seed: number) {
    const room = Math.max(MAX_BYTES, ...corpus.map(({ length }) => length));
    this.#dice = new Dice(seed);
    this.#corpus = corpus;
    this.#bytes = new Uint8Array(room);
    this.#view = new DataView(this.#bytes.buffer);
  }

  next(): Uint8Array<ArrayBuffer> {
    const seed = this.#dice.pick(this.#corpus);
    this.#bytes.set(seed);
    this.#length = seed.length;
    for (let steps = 1 + this.#dice.below(MAX_STEPS); steps > 0; steps--) this.#step();
    return this.#bytes.slice(0, this.#length);
  }

  #step(): void {
    const dice = this.#dice;
    const at = dice.below(this.#length);
    switch (dice.below(10)) {
      case 0:
        this.#bytes[at] = (this.#bytes[at] ?? 0) ^ (1 << dice.below(8));
        return;
      case 1:
        this.#bytes[at] = dice.below(256);
        return;
      case 2:
        this.#bytes[at] = (this.#bytes[at] ?? 0) + dice.pick([1, -1]);
        return;
      case 3:
      case 4:
        this.#putNumber(at);
        return;
      case 5:
        this.#length = at;
        return;
      case 6:
        this.#replace(at, this.#spanFrom(at), new Uint8Array(0));
        return;
      case 7: {
        const end = at + this.#spanFrom(at);
        this.#replace(dice.below(this.#length), 0, this.#bytes.slice(at, end));
        return;
      }
      case 8: {
        // A splice: the rest of one input behind the beginning of another.
        const other = dice.pick(this.#corpus);
        this.#replace(at, this.#length - at, other.subarray(dice.below(other.length)));
        return;
      }
      default: {
        const other = dice.pick(this.#corpus);
        const from = dice.below(other.length);
        this.#replace(at, this.#spanFrom(at), other.subarray(from, from + dice.below(64)));
      }
    }
  }

  #spanFrom(at: number): number {
    return this.#dice.below(Math.min(64, this.#length - at) + 1);
  }

  /** A length that lies. */
  #putNumber(at: number): void {
    const width = this.#dice.pick(WIDTHS);
    if (at + width > this.#length) return;
    const edge = this.#dice.pick(EDGES);
    const isLittle = this.#dice.below(2) === 0;
    if (width === 1) this.#view.setUint8(at, edge);
    else if (width === 2) this.#view.setUint16(at, edge, isLittle);
    else if (width === 4) this.#view.setUint32(at, edge, isLittle);
    else this.#view.setBigUint64(at, BigInt(edge) << BigInt(this.#dice.below(33)), isLittle);
  }

  #replace(at: number, bytes: number, by: Uint8Array): void {
    const length = this.#length - bytes + by.length;
    if (length > this.#bytes.length) return;
    this.#bytes.copyWithin(at + by.length, at + bytes, this.#length);
    this.#bytes.set(by, at);
    this.#length = length;
  }
}

/** What stands in place of any value. */
const STRANGE: readonly unknown[] = [
  null,
  true,
  false,
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 53 - 1,
  2 ** 53,
  -(2 ** 53),
  8.64e15 + 1,
  "",
  "../x",
  "a/b",
  "x".repeat(300),
  "\ud800",
  new Uint8Array(0),
  new Uint8Array(31),
  new Uint8Array(33),
  [],
  {},
  [[[[[[[[[[]]]]]]]]]],
  { ["__proto__x"]: 1 },
];

/**
 * A damaged copy of plain data (numbers, texts, byte strings, lists, maps) that is still plain data, so that it reaches what
 * lies behind a decoder of canonical bytes.
 */
export function mutateValue(value: unknown, dice: Dice): unknown {
  let left = 1 + dice.below(2);
  const places = countOf(value);
  const change = (inner: unknown): unknown => {
    if (left > 0 && dice.below(places) === 0) {
      left--;
      return changed(inner, dice);
    }
    if (inner instanceof Uint8Array || typeof inner !== "object" || inner === null) return inner;
    if (Array.isArray(inner)) return inner.map(change);
    return Object.fromEntries(Object.entries(inner).map(([key, each]) => [key, change(each)]));
  };
  return change(value);
}

/** Values in a value. */
function countOf(value: unknown): number {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return 1;
  return Object.values(value).reduce<number>((sum, each) => sum + countOf(each), 1);
}

function changed(value: unknown, dice: Dice): unknown {
  const choice = dice.below(6);
  if (choice === 0) return dice.pick(STRANGE);
  if (typeof value === "number") return choice < 3 ? dice.pick(EDGES) : value + dice.pick([1, -1, 2, 255, 65_536]);
  if (typeof value === "boolean") return !value;
  if (typeof value === "string") return choice < 3 ? value + value : value.slice(dice.below(value.length));
  if (value instanceof Uint8Array) return changedBytes(value, dice);
  if (Array.isArray(value)) return changedList(value, dice);
  if (value === null) return dice.pick(EDGES);
  return changedMap(value as object, dice);
}

function changedBytes(value: Uint8Array, dice: Dice): Uint8Array {
  if (dice.below(2) === 0) return value.slice(dice.below(value.length));
  const copy = value.slice();
  copy[dice.below(copy.length)] = dice.below(256);
  return copy;
}

function changedList(value: readonly unknown[], dice: Dice): unknown[] {
  const [a, b] = [dice.below(value.length), dice.below(value.length)];
  const kind = dice.below(4);
  if (kind === 0) return [...value, value[a]];
  if (kind === 1) return value.toSpliced(a, 1 + dice.below(3));
  if (kind === 2) return value.length === 0 ? [0] : value.with(a, value[b]).with(b, value[a]);
  return value.toSpliced(a, 0, dice.pick(EDGES));
}

function changedMap(value: object, dice: Dice): object {
  const pairs = Object.entries(value);
  const at = dice.below(pairs.length);
  const kind = dice.below(3);
  if (kind === 0) return Object.fromEntries(pairs.toSpliced(at, 1));
  if (kind === 1) return { ...value, more: dice.pick(STRANGE) };
  const [key] = pairs[at] ?? [""];
  return { ...value, [key]: dice.pick(pairs)?.[1] };
}
