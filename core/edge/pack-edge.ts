/**
 * Anything that gives packs: a relay, or another browser. What uses many of them (transfer/fleet.ts) sees no difference.
 *
 * @module
 */
import type { RangeSet } from "../chunk/range-set.ts";
import type { SealedObject } from "../wire/object.ts";

/** How an edge's bytes travel. */
export type EdgeKind = "webtransport" | "tcp" | "peer";

/** One edge. Its owner is told of every change of these values by a listener of its own. */
export interface PackEdge {
  /** Null while it has never been connected. */
  readonly kind: EdgeKind | null;
  /** For people: the host of a relay; empty for a peer, which is numbered by whoever shows it. */
  readonly name: string;
  /** It can be asked now. */
  readonly isUp: boolean;
  /** Its last measured round trip, null before there is one. */
  readonly rttMs: number | null;
  /** The packs that it said it holds: a value that is replaced, never changed. */
  readonly held: RangeSet;
  /** Packs that it takes at once, ≥ 1. */
  readonly maxActive: number;
  /**
   * Fetches one pack and gives what `accept` makes of it; the object's bytes are good only until then.
   *
   * @param onBytes is told of sealed bytes as they come, where the edge can tell
   * @throws Failure `cancelled` after `signal` was aborted, `object/absent` when it does not hold it, what `accept` threw, or why the
   *   edge failed
   */
  get<T>(
    pack: number,
    accept: (object: SealedObject) => Promise<T>,
    signal: AbortSignal,
    onBytes: (bytes: number) => void,
  ): Promise<T>;
}
