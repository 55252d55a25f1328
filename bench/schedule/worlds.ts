/**
 * The plans that the schedule bench makes: ten million packs, a thousand edges, up to 4,096 classes. The same numbers every time.
 *
 * @module
 */
import type { EdgeView, PackClass } from "../../core/schedule/model.ts";
import { MAX_CLASSES, WEIGHT_ONE } from "../../core/schedule/model.ts";
import { sequence } from "../../tests/support/fake-effort.ts";

export interface World {
  readonly name: string;
  readonly classes: readonly PackClass[];
  readonly edges: readonly EdgeView[];
  /** Class of each pack in the order of the transfer: each class holds many short ranges. */
  readonly inRanges: Uint16Array;
  /** The same, every pack at any place: the worst order there is. */
  readonly shuffled: Uint16Array;
}

export interface WorldSize {
  readonly packs: number;
  readonly edges: number;
  readonly classes: number;
}

export const FULL: WorldSize = { packs: 10_000_000, edges: 1000, classes: MAX_CLASSES };
/** A hundredth of it, to see that everything works. */
export const QUICK: WorldSize = { packs: 100_000, edges: 200, classes: 256 };

const PACK_BYTES = 4 * 2 ** 20;
const CLUSTER_EDGES = 25;
/** Of a hundred holders in the clustered world, those that belong to the class's own cluster. */
const OWN_PERCENT = 97;
const MOST_RANGE_PACKS = 128;

type Draw = () => number;

/** Random holders; Zipf's rates with holders in clusters and classes of very different sizes; one class that all edges hold. */
export function makeWorlds({ packs, edges, classes }: WorldSize): World[] {
  const draw = sequence(7);
  const below = (limit: number): number => draw() % limit;
  const even = Array.from({ length: edges }, () => 1e6 * (1 + below(100)));
  const zipf = shuffle(
    Array.from({ length: edges }, (_, rank) => 2e8 / (rank + 1) ** 0.8),
    draw,
  );
  const random = Array.from({ length: classes }, () => pick(3 + below(6), () => below(edges)));
  const clustered = Array.from({ length: classes }, () => {
    const cluster = below(Math.floor(edges / CLUSTER_EDGES)) * CLUSTER_EDGES;
    return pick(3 + below(6), () => (below(100) < OWN_PERCENT ? cluster + below(CLUSTER_EDGES) : below(edges)));
  });
  const alike = Array.from({ length: classes }, () => 20 + below(100));
  const unlike = Array.from({ length: classes }, () => (1 + below(classes)) ** -0.5);
  return [
    makeWorld("random holders", even, random, alike, packs, draw),
    makeWorld("clusters, Zipf rates", zipf, clustered, unlike, packs, draw),
    makeWorld("one class", even, [even.map((_, edge) => edge)], [1], packs, draw),
  ];
}

function makeWorld(
  name: string,
  rates: readonly number[],
  holders: readonly (readonly number[])[],
  weights: readonly number[],
  packs: number,
  draw: Draw,
): World {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const counts = weights.map((weight) => Math.floor((weight / sum) * packs));
  counts[0] = (counts[0] ?? 0) + packs - counts.reduce((total, count) => total + count, 0);
  const classes = holders.map((held, index) => ({
    packs: counts[index] ?? 0,
    packBytes: PACK_BYTES,
    edges: Uint16Array.from(held),
    priority: 0,
    deadlineMs: Number.POSITIVE_INFINITY,
  }));
  const edges = rates.map((bytesPerSec) => {
    return { bytesPerSec, rttUs: 5000 + (draw() % 100_000), backlogBytes: 0, maxActive: 8, weight: WEIGHT_ONE };
  });
  const inRanges = rangesOf(counts, packs, draw);
  return { name, classes, edges, inRanges, shuffled: shuffle(inRanges.slice(), draw) };
}

/** Ranges of up to 128 packs, of classes at random, until each class has its packs. */
function rangesOf(counts: readonly number[], packs: number, draw: Draw): Uint16Array {
  const left = counts.slice();
  const open = [...left.keys()];
  const classOf = new Uint16Array(packs);
  for (let pack = 0; pack < packs; ) {
    const place = draw() % open.length;
    const index = open[place] ?? 0;
    const length = Math.min(left[index] ?? 0, 1 + (draw() % MOST_RANGE_PACKS));
    classOf.fill(index, pack, pack + length);
    pack += length;
    left[index] = (left[index] ?? 0) - length;
    if (left[index] === 0) {
      open[place] = open.at(-1) ?? 0;
      open.pop();
    }
  }
  return classOf;
}

/** `count` different numbers, ascending. */
function pick(count: number, draw: Draw): number[] {
  const found = new Set<number>();
  while (found.size < count) found.add(draw());
  return [...found].sort((a, b) => a - b);
}

function shuffle<T extends Uint16Array | number[]>(list: T, draw: Draw): T {
  for (let i = list.length - 1; i > 0; i--) {
    const other = draw() % (i + 1);
    const value = list[i] ?? 0;
    list[i] = list[other] ?? 0;
    list[other] = value;
  }
  return list;
}
