/**
 * What a pack costs at an edge, and the cheapest edges of a class (docs/decisions/010-plans-are-shares.md).
 *
 * Everything is a whole number that fits 32 bits, and divisions round down, so that a GPU without 64-bit numbers finds the
 * same costs. The one product that is longer, bytes × 10^6, is below 2^52: doubles divide it exactly here (a quotient below
 * 2^31 of whole numbers below 2^52 and 2^32 is at least 2^-21 of its last place from the next whole number), a shader by
 * shifting and subtracting over two words. Weight × time is split at bit 16 of the time.
 *
 * @module
 */
import { assert } from "../failure.ts";
import { type EdgeView, NEVER_US, NO_EDGE, type PackClass } from "./model.ts";

const U32_MAX = 2 ** 32 - 1;
const U16_MAX = 2 ** 16 - 1;
const US_PER_SECOND = 1_000_000;
/** The most that an edge that may be chosen can cost. */
const MOST_US = NEVER_US - 1;

/** What the cost of a pack needs to know of each edge, as a shader would read it: one entry per edge. */
export interface EdgeTerms {
  /** Whole bytes per second, at most 2^32 - 1; 0 for an edge that carries nothing. */
  readonly bytesPerSec: Uint32Array;
  /** Round trip and backlog in microseconds, below 2^31. */
  readonly readyUs: Uint32Array;
  /** Weight in 1/256, at most 65,535; 0 for an edge that is not to be used. */
  readonly weight: Uint16Array;
}

/** The terms of edges 0 to `edges.length - 1`, owned by the caller. Larger numbers than fit count as the largest that does. */
export function edgeTerms(edges: readonly EdgeView[]): EdgeTerms {
  const { length } = edges;
  const terms = {
    bytesPerSec: new Uint32Array(length),
    readyUs: new Uint32Array(length),
    weight: new Uint16Array(length),
  };
  for (const [edge, view] of edges.entries()) setEdgeTerms(terms, edge, view);
  return terms;
}

/** Replaces the terms of one edge. */
export function setEdgeTerms(terms: EdgeTerms, edge: number, view: EdgeView): void {
  const rate = whole(view.bytesPerSec, U32_MAX);
  terms.bytesPerSec[edge] = rate;
  terms.readyUs[edge] = Math.min(MOST_US, whole(view.rttUs, MOST_US) + carryUs(view.backlogBytes, rate));
  terms.weight[edge] = whole(view.weight, U16_MAX);
}

/**
 * Microseconds that a pack of `packBytes` (0 to 2^32 - 1) costs at an edge: weight × (round trip + backlog ÷ rate + bytes ÷
 * rate), each part rounded down. Less than `NEVER_US`, or `NEVER_US` where weight or rate is 0.
 */
export function costUs(edge: EdgeView, packBytes: number): number {
  const rate = whole(edge.bytesPerSec, U32_MAX);
  const readyUs = whole(edge.rttUs, MOST_US) + carryUs(edge.backlogBytes, rate);
  return weighted(whole(edge.weight, U16_MAX), rate, Math.min(MOST_US, readyUs), packBytes);
}

/** The same as `costUs`, from terms. @throws Error for an edge that they do not have */
export function termCostUs(terms: EdgeTerms, edge: number, packBytes: number): number {
  const weight = terms.weight[edge];
  assert(weight !== undefined, "an edge of the plan");
  return weighted(weight, terms.bytesPerSec[edge] ?? 0, terms.readyUs[edge] ?? 0, packBytes);
}

/** The `k` cheapest holders of a class, cheapest first, of equal ones the lower number; `NO_EDGE` where there are no more. */
export function bestEdges(terms: EdgeTerms, packs: PackClass, k: number): Uint16Array {
  return bestEdgesOfAll(terms, [packs], k);
}

/**
 * The same for many classes: those of class `c` stand from `c × k` on. Looks once at each pair of class and holder.
 * @throws Error unless k is a whole number from 1 on
 */
export function bestEdgesOfAll(terms: EdgeTerms, classes: readonly PackClass[], k: number): Uint16Array {
  assert(Number.isInteger(k) && k >= 1, "at least one best edge");
  const best = new Uint16Array(classes.length * k).fill(NO_EDGE);
  const costs = new Uint32Array(k);
  for (const [index, { edges, packBytes }] of classes.entries()) {
    costs.fill(NEVER_US);
    for (const edge of edges) insert(best, index * k, costs, edge, termCostUs(terms, edge, packBytes));
  }
  return best;
}

/** Keeps `costs` ascending and `best` (from `start` on) beside it; what is not cheaper than the last one falls out. */
function insert(best: Uint16Array, start: number, costs: Uint32Array, edge: number, cost: number): void {
  let place = costs.length;
  for (; place > 0 && cost < (costs[place - 1] ?? 0); place--) {
    if (place === costs.length) continue;
    costs[place] = costs[place - 1] ?? 0;
    best[start + place] = best[start + place - 1] ?? NO_EDGE;
  }
  if (place === costs.length) return;
  costs[place] = cost;
  best[start + place] = edge;
}

function weighted(weight: number, rate: number, readyUs: number, packBytes: number): number {
  if (weight === 0 || rate === 0) return NEVER_US;
  const us = Math.min(MOST_US, readyUs + carryUs(packBytes, rate));
  // high × 2^16 + low of the product, less its last 8 bits: each below 2^32
  const high = (us >>> 16) * weight;
  const low = (us & U16_MAX) * weight;
  return Math.min(MOST_US, high * 2 ** 8 + (low >>> 8));
}

/** Microseconds that bytes take, rounded down; saturates. */
function carryUs(bytes: number, rate: number): number {
  if (rate === 0) return MOST_US;
  return Math.min(MOST_US, Math.floor((whole(bytes, U32_MAX) * US_PER_SECOND) / rate));
}

/** A whole number from 0 to `most`; what is no number is 0. */
function whole(value: number, most: number): number {
  return value >= 1 ? Math.floor(Math.min(value, most)) : 0;
}
