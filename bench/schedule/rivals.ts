/**
 * What else a scheduler could do with the same packs: each gives the edge of every pack, and all are judged by when the last
 * edge is done.
 *
 * @module
 */
import { bestEdgesOfAll, edgeTerms } from "../../core/schedule/cost.ts";
import { NO_EDGE } from "../../core/schedule/model.ts";
import { sequence } from "../../tests/support/fake-effort.ts";
import type { World } from "./worlds.ts";

export interface Rival {
  readonly name: string;
  assign(world: World, out: Uint16Array): void;
}

/** Holders in turn, holders at random, and always the cheapest holder: what the system that this one re-creates did. */
export const RIVALS: readonly Rival[] = [
  {
    name: "round-robin",
    assign({ classes, inRanges }, out) {
      const turns = new Uint32Array(classes.length);
      for (const [pack, index] of inRanges.entries()) {
        const edges = classes[index]?.edges ?? new Uint16Array(0);
        const turn = turns[index] ?? 0;
        out[pack] = edges[turn % edges.length] ?? NO_EDGE;
        turns[index] = turn + 1;
      }
    },
  },
  {
    name: "random",
    assign({ classes, inRanges }, out) {
      const draw = sequence(11);
      for (const [pack, index] of inRanges.entries()) {
        const edges = classes[index]?.edges ?? new Uint16Array(0);
        out[pack] = edges[draw() % edges.length] ?? NO_EDGE;
      }
    },
  },
  {
    name: "cheapest edge",
    assign({ classes, edges, inRanges }, out) {
      const best = bestEdgesOfAll(edgeTerms(edges), classes, 1);
      for (const [pack, index] of inRanges.entries()) out[pack] = best[index] ?? NO_EDGE;
    },
  },
];

/** When the last edge is done, in microseconds, if the packs are carried as `out` says. Infinity if one is carried by none. */
export function makespanUs({ classes, edges, inRanges }: World, out: Uint16Array): number {
  const bytes = new Float64Array(NO_EDGE + 1);
  for (let pack = 0; pack < inRanges.length; pack++) {
    const edge = out[pack] ?? NO_EDGE;
    bytes[edge] = (bytes[edge] ?? 0) + (classes[inRanges[pack] ?? 0]?.packBytes ?? 0);
  }
  if ((bytes[NO_EDGE] ?? 0) > 0) return Number.POSITIVE_INFINITY;
  const done = edges.map(({ rttUs, bytesPerSec }, edge) => rttUs + ((bytes[edge] ?? 0) * 1e6) / bytesPerSec);
  return Math.max(0, ...done.filter((_, edge) => (bytes[edge] ?? 0) > 0));
}
