/**
 * The end of a transfer, or of a receiver's window: nothing waits, some edges are idle, and a few packs are still under way
 * at slow ones. The slowest of them are asked for a second time, where that gains.
 *
 * @module
 */
import type { HolderClass } from "./dispatch-holders.ts";
import type { EdgeInFlight, Flight } from "./in-flight.ts";

/** Copies, at most, as a part of all packs that were wanted; one is always allowed. Rescues are not counted. */
const DUPLICATES = 0.02;
/** A second copy must be there in less than this part of the time that the first still needs. */
const GAIN = 0.7;
/** One that is there in less than this part of it, of a pack of which … */
const RESCUE_GAIN = 0.25;
/** … at least this part is lacking, is a rescue: almost surely what came of the first is all that is lost. */
const RESCUE_LEFT = 0.25;
/** Copies that are started at once, at most. */
const MAX_AT_ONCE = 8;
const US_PER_MS = 1_000;

/** What the end game looks at. */
export interface EndgameState {
  readonly edges: ReadonlyMap<number, EdgeInFlight>;
  /** Bytes of each pack. */
  readonly packBytes: number;
  /** Who holds a pack. */
  holders(pack: number): HolderClass;
  /** Edges that have a pack under way. */
  copies(pack: number): number;
}

/** Puts a second copy of a pack under way. */
type Begin = (flight: Flight, edge: EdgeInFlight, isRescue: boolean) => void;

/** The copies of one transfer. */
export class Copies {
  /** Those started, rescues included. */
  started = 0;
  #counted = 0;

  /**
   * Starts copies where edges are idle, slowest packs first: none of a pack that has two already, and each at the holder that is
   * through first.
   *
   * @param everWanted packs that were wanted so far: ordinary copies are a small part of them
   */
  start(state: EndgameState, everWanted: number, nowMs: number, begin: Begin): void {
    const allowed = Math.max(1, Math.floor(DUPLICATES * everWanted));
    for (const { flight, ms } of slowestOf(state, nowMs)) {
      const edge = fastestOther(state, flight, nowMs);
      if (edge === undefined) continue;
      const part = edge.arrivalUs / US_PER_MS / ms;
      const isRescue = part <= RESCUE_GAIN && flight.leftBytes >= RESCUE_LEFT * state.packBytes;
      if (!isRescue && (part > GAIN || this.#counted >= allowed)) continue;
      if (!isRescue) this.#counted += 1;
      this.started += 1;
      begin(flight, edge, isRescue);
    }
  }
}

/** The packs under way that take longest, the longest first; none where no edge is idle. */
function slowestOf(state: EndgameState, nowMs: number): { readonly flight: Flight; readonly ms: number }[] {
  let hasRoom = false;
  for (const edge of state.edges.values()) hasRoom ||= edge.room(nowMs) > 0;
  if (!hasRoom) return [];
  const slowest: { flight: Flight; ms: number }[] = [];
  for (const edge of state.edges.values()) {
    for (const flight of edge.flights.values()) {
      if (state.copies(flight.wanted.pack) > 1) continue;
      const ms = edge.remainingMs(flight, nowMs);
      const last = slowest[slowest.length - 1];
      if (slowest.length >= MAX_AT_ONCE && last !== undefined && last.ms >= ms) continue;
      const at = slowest.findIndex((each) => each.ms < ms);
      slowest.splice(at === -1 ? slowest.length : at, 0, { flight, ms });
      if (slowest.length > MAX_AT_ONCE) slowest.pop();
    }
  }
  return slowest;
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
