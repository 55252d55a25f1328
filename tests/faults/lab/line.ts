/**
 * What a line does to packets, each direction alone.
 *
 * @module
 */

/** Chances are from 0 to 1. */
export interface Line {
  /** One way; half of what it adds to the round trip. */
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly loss: number;
  /** 0 is without limit. */
  readonly rateMbit: number;
  /** Packets that wait for the line at its rate; more are dropped. */
  readonly queuePackets: number;
  /** Packets that skip the delay. */
  readonly reorder: number;
  /** Bursts of loss after Gilbert and Elliott: the chance, at each packet, that one begins, */
  readonly burstEnter: number;
  /** and that it ends. */
  readonly burstLeave: number;
}

/** A line that does nothing but carry. */
export const CLEAN: Line = {
  delayMs: 0,
  jitterMs: 0,
  loss: 0,
  rateMbit: 0,
  queuePackets: 4000,
  reorder: 0,
  burstEnter: 0,
  burstLeave: 0,
};

/** A line of this round trip and loss; `more` changes the rest of a clean one. */
export function lineOf(rttMs: number, loss: number, more: Partial<Line> = {}): Line {
  return { ...CLEAN, delayMs: rttMs / 2, loss, ...more };
}
