/**
 * The second way to home of a receive: plain requests over TCP beside its link.
 *
 * @module
 */
import type { RelayEdge } from "../../core/edge/relay-edge.ts";
import { SealedReader } from "../../core/edge/sealed-reader.ts";
import { TcpEdge } from "../../core/edge/tcp-edge.ts";
import { SecondWay } from "../../core/transfer/second-way.ts";
import { systemClock } from "../../platform/clock.ts";
import { fetchFrom } from "../../platform/link/fetch.ts";
import type { Overrides } from "./api.ts";

/** What a second way takes. */
export interface SecondWayWish {
  /** Of home. */
  readonly origin: string;
  /** u8[16] */
  readonly portal: Uint8Array;
  /** Of the link that is received by, u8[32]. */
  readonly token: Uint8Array;
  readonly home: RelayEdge;
  readonly overrides: Overrides;
  readonly isLimited: boolean;
  /** The portal counts downloads, after all. */
  readonly isCounted: () => boolean;
}

/** Undefined where there is to be none: one path was asked for, or what is given out is counted. */
export function secondWayOf(wish: SecondWayWish): SecondWay | undefined {
  const { origin, portal, token, home, overrides, isLimited, isCounted } = wish;
  if (overrides.path !== undefined || isLimited) return undefined;
  const reader = new SealedReader(fetchFrom(origin), portal, token);
  return new SecondWay({ home, edge: new TcpEdge({ home, reader, clock: systemClock }), isCounted });
}
