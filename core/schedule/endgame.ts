/**
 * The end of a transfer, or of a receiver's window: nothing waits, some edges are idle, and a few packs are still under way
 * at slow ones. The slowest of them are asked for a second time, where that gains.
 *
 * @module
 */
import type { HolderClass } from "./dispatch-holders.ts";
import type { EdgeInFlight, Flight } from "./in-flight.ts";

/** A second copy must be there in less than this part of the time that the first still needs. */
const GAIN = 0.7;
/** Copies that are started at once, at most. */
const MAX_AT_ONCE = 8;
const US_PER_MS = 1_000;

/** What the end game looks at. */
export interface EndgameState {
  readonly edges: ReadonlyMap<number, EdgeInFlight>;
  /** Who holds a pack. */
  holders(pack: number): HolderClass;
  /** Edges that have a pack under way. */
  copies(pack: number): number;
}

/**
 * The next copies to start, slowest first: none of a pack that has two already, and each at the holder that is through
 * first. They are for one moment: start the first and ask again.
 *
 * @param allowed copies that may still be started
 */
export function nextCopies(
  state: EndgameState,
  allowed: number,
  nowMs: number,
): { flight: Flight; edge: EdgeInFlight }[] {
  const slowest: { flight: Flight; ms: number }[] = [];
  const wanted = Math.min(allowed, MAX_AT_ONCE);
  if (wanted <= 0) return [];
  let hasRoom = false;
  for (const edge of state.edges.values()) hasRoom ||= edge.room(nowMs) > 0;
  if (!hasRoom) return [];
  for (const edge of state.edges.values()) {
    for (const flight of edge.flights.values()) {
      if (state.copies(flight.wanted.pack) > 1) continue;
      const ms = edge.remainingMs(flight, nowMs);
      const last = slowest[slowest.length - 1];
      if (slowest.length >= wanted && last !== undefined && last.ms >= ms) continue;
      const at = slowest.findIndex((each) => each.ms < ms);
      slowest.splice(at === -1 ? slowest.length : at, 0, { flight, ms });
      if (slowest.length > wanted) slowest.pop();
    }
  }
  return slowest.flatMap(({ flight, ms }) => {
    const edge = fastestOther(state, flight, nowMs);
    if (edge === undefined || edge.arrivalUs / US_PER_MS > GAIN * ms) return [];
    return [{ flight, edge }];
  });
}

function fastestOther(state: EndgameState, flight: Flight, nowMs: number): EdgeInFlight | undefined {
  let best: EdgeInFlight | undefined;
  for (const number of state.holders(flight.wanted.pack).edges) {
    const edge = state.edges.get(number);
    if (edge === undefined || number === flight.edge || edge.room(nowMs) === 0) continue;
    if (best === undefined || edge.arrivalUs < best.arrivalUs) best = edge;
  }
  return best;
}
