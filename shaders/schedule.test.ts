/**
 * The scheduler's two shaders, on a software GPU, find what the processor finds.
 *
 * @module
 */
import { beforeAll, describe, expect, it } from "vitest";
import { bestEdgesOfAll, type EdgeTerms, edgeTerms, termCostUs } from "../core/schedule/cost.ts";
import { type EdgeView, NO_EDGE, type PackClass } from "../core/schedule/model.ts";
import { sequence } from "../tests/support/fake-effort.ts";
import { openTestGpu, POISON, runShader } from "../tests/support/gpu.ts";
import { bestEdgesShader, MOST_BEST_EDGES } from "./best-edges.ts";
import { gridFor } from "./descriptor.ts";
import { edgeCosts, edgeWords } from "./edge-costs.ts";

let device: GPUDevice;
beforeAll(async () => {
  device = await openTestGpu("least");
});

const U32 = 2 ** 32 - 1;
const SIZES = Uint32Array.of(0, 1, 65_535, 65_536, 65_537, 4 * 2 ** 20, 2 ** 31 - 1, 2 ** 31, U32);

/** Numbers at which arithmetic of 16 and 32 bits goes wrong first. */
const EDGY: readonly EdgeView[] = [1, 2, 255, 65_535, 65_536, 999_999, 1_000_000, 1_000_001, 2 ** 31, U32].flatMap(
  (bytesPerSec) =>
    [0, 1, 65_535, 65_536, 2 ** 31 - 2].flatMap((rttUs) =>
      [0, 1, 255, 256, 257, 65_535].map((weight) => ({ bytesPerSec, rttUs, weight, backlogBytes: 0, maxActive: 1 })),
    ),
);

/** Edges as there are, some of them not to be used, many of them alike. */
function edgesOf(count: number, seed: number): EdgeView[] {
  const random = sequence(seed);
  return Array.from({ length: count }, () => ({
    bytesPerSec: random() % 5 === 0 ? 1_000_000 : 1000 + (random() % 200_000_000),
    rttUs: random() % 300_000,
    backlogBytes: random() % 3 === 0 ? 0 : random() % 50_000_000,
    maxActive: 8,
    weight: random() % 7 === 0 ? 0 : 128 + (random() % 2048),
  }));
}

async function costsOnGpu(terms: EdgeTerms, sizes: Uint32Array): Promise<Uint32Array> {
  const edges = terms.weight.length;
  const pairs = edges * sizes.length;
  const params = Uint32Array.of(edges, sizes.length, 0, 0);
  const grid = gridFor(Math.ceil(pairs / edgeCosts.workgroupInvocations));
  const [costs] = await runShader(device, edgeCosts, [edgeWords(terms), sizes, 4 * (pairs + 3), params], grid);
  if (costs === undefined) throw new Error("no output");
  // Nothing behind the last pair is touched.
  expect([...costs.subarray(pairs)]).toEqual([POISON, POISON, POISON]);
  return costs.slice(0, pairs);
}

describe("edge-costs", () => {
  it.each([
    ["numbers at the borders of words", EDGY],
    ["1,000 random edges", edgesOf(1000, 1)],
    ["one edge", edgesOf(1, 2)],
  ])("finds the processor's costs for %s", async (_what, edges) => {
    const terms = edgeTerms(edges);
    const expected = Uint32Array.from([...SIZES].flatMap((size) => edges.map((_, e) => termCostUs(terms, e, size))));
    expect(await costsOnGpu(terms, SIZES)).toEqual(expected);
  });

  it("finds them for 20,000 random pairs of any 32 bits", async () => {
    const random = sequence(3);
    const any = () => random() >>> (random() % 32);
    const edges = Array.from({ length: 2000 }, () => ({
      bytesPerSec: any(),
      rttUs: any(),
      backlogBytes: 0,
      maxActive: 1,
      weight: any() & 0xffff,
    }));
    const sizes = Uint32Array.from({ length: 10 }, any);
    const terms = edgeTerms(edges);
    const expected = Uint32Array.from([...sizes].flatMap((size) => edges.map((_, e) => termCostUs(terms, e, size))));
    expect(await costsOnGpu(terms, sizes)).toEqual(expected);
  });
});

/** Rows that hold each edge with a chance of one in `oneIn`; the first holds none, the second all. */
function rowsOf(count: number, edges: number, oneIn: number, seed: number): PackClass[] {
  const random = sequence(seed);
  const all = Array.from({ length: edges }, (_, edge) => edge);
  return Array.from({ length: count }, (_, row) => ({
    packs: 1,
    packBytes: SIZES[random() % SIZES.length] ?? 0,
    edges: Uint16Array.from(row === 0 ? [] : row === 1 ? all : all.filter(() => random() % oneIn === 0)),
    priority: 0,
    deadlineMs: Number.POSITIVE_INFINITY,
  }));
}

describe("best-edges", () => {
  it.each([
    [1, 1, 4],
    [31, 50, 2],
    [32, 50, 3],
    [33, 50, 8],
    [1000, 300, 4],
    [1000, 40, 1],
    [4097, 5, MOST_BEST_EDGES],
  ])("of %i edges and %i rows keeps the same %i as the processor, in the same order", async (count, rows, k) => {
    const terms = edgeTerms(edgesOf(count, count));
    const classes = rowsOf(rows, count, 5, rows);
    const words = Math.ceil(count / 32);
    // Bits behind the last edge are set, and mean nothing.
    const holders = new Uint32Array(rows * words);
    for (const [row, { edges }] of classes.entries()) {
      if (count % 32 !== 0) holders[(row + 1) * words - 1] = (U32 << (count % 32)) >>> 0;
      for (const edge of edges) holders[row * words + (edge >>> 5)] = bit(holders[row * words + (edge >>> 5)], edge);
    }
    const sizeOf = Uint32Array.from(classes, ({ packBytes }) => SIZES.indexOf(packBytes));
    const shader = bestEdgesShader(k);
    const params = Uint32Array.of(rows, count, 0, 0);
    // Two workgroups more than there are rows.
    const [best] = await runShader(
      device,
      shader,
      [await costsOnGpu(terms, SIZES), sizeOf, holders, 4 * (rows * k + 2), params],
      gridFor(rows + 2),
    );
    const expected = Uint32Array.from(bestEdgesOfAll(terms, classes, k));
    expect(best).toEqual(Uint32Array.of(...expected, POISON, POISON));
    expect([...expected.subarray(0, k)]).toEqual(Array<number>(k).fill(NO_EDGE));
  });
});

const bit = (word: number | undefined, edge: number): number => ((word ?? 0) | (1 << (edge & 31))) >>> 0;
