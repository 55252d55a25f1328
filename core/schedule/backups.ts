/**
 * The edges that take over a pack when its own fails: ranked before they are needed, for all packs with the same holders.
 *
 * @module
 */
import type { HolderClass } from "./dispatch-holders.ts";
import type { EdgeInFlight } from "./in-flight.ts";

/** Edges that are kept in readiness for each set of holders. */
const BACKUPS = 4;
/** A ranking serves this long; it is only made for sets of holders that packs are started from. */
const RANKED_FOR_MS = 1_000;

interface Ranking {
  readonly atMs: number;
  readonly version: number;
  readonly edges: readonly EdgeInFlight[];
}

export class Backups {
  readonly #edge: (edge: number) => EdgeInFlight | undefined;
  readonly #rankings = new WeakMap<HolderClass, Ranking>();

  /** @param edge the edge with a number */
  constructor(edge: (edge: number) => EdgeInFlight | undefined) {
    this.#edge = edge;
  }

  /** Ranks the holders, unless that was done lately and the same edges were there (`version` is the same). */
  prepare(holders: HolderClass, version: number, nowMs: number): void {
    const old = this.#rankings.get(holders);
    if (old !== undefined && old.version === version && nowMs - old.atMs < RANKED_FOR_MS) return;
    const usable = holders.edges.flatMap((each) => {
      const edge = this.#edge(each);
      return edge?.isUsable === true ? [{ edge, us: edge.arrivalUs }] : [];
    });
    usable.sort((a, b) => a.us - b.us);
    this.#rankings.set(holders, { atMs: nowMs, version, edges: usable.slice(0, BACKUPS + 1).map(({ edge }) => edge) });
  }

  /** The edge with room that is through first: of those in readiness, else of all holders. An edge that just failed has none. */
  pick(holders: HolderClass, nowMs: number): EdgeInFlight | undefined {
    const { edges = [] } = this.#rankings.get(holders) ?? {};
    return soonest(edges, nowMs) ?? soonest(holders.edges.map(this.#edge), nowMs);
  }
}

function soonest(edges: readonly (EdgeInFlight | undefined)[], nowMs: number): EdgeInFlight | undefined {
  let best: EdgeInFlight | undefined;
  for (const edge of edges) {
    if (edge === undefined || edge.roomAtMost(nowMs) === 0) continue;
    if (best === undefined || edge.arrivalUs < best.arrivalUs) best = edge;
  }
  return best;
}
