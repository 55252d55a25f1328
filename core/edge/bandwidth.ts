/**
 * How fast an edge carries bytes, in each direction by itself: a moving average of samples of real work (bytes by the time
 * that the edge had something to carry; see busy-meter.ts). Pure.
 *
 * The average is exponential, α 0.2; the first sample sets it. When three samples in a row lie a fifth or more to the same
 * side, the line has changed and is not merely noisy: the third counts with α 1/2, the next with 3/4, 7/8, …, so that five
 * samples after a step of any height the estimate is within a fifth of the new rate. Noise of ±30 % does this to one sample
 * in two hundred.
 *
 * @module
 */
import { assert } from "../failure.ts";

/** Share of a new sample in the average. */
export const BANDWIDTH_ALPHA = 0.2;
/** A sample this far from the estimate, relative to it, may be a step. */
const STEP_SHARE = 0.2;
/** So many of them in a row, on the same side, are one. */
const STEP_SAMPLES = 3;

/** As this side sees it: what it sends, what it receives. */
export type Direction = "up" | "down";

/** The estimate of one direction of one edge. */
export class Bandwidth {
  #bytesPerSec: number | undefined;
  #peakBytesPerSec = 0;
  #samples = 0;
  /** Samples in a row that lie a step away: below (negative) or above. */
  #run = 0;

  /** Bytes per second, > 0; undefined before the first sample. */
  get bytesPerSec(): number | undefined {
    return this.#bytesPerSec;
  }

  /** The highest single sample, bytes per second; 0 before the first. */
  get peakBytesPerSec(): number {
    return this.#peakBytesPerSec;
  }

  get samples(): number {
    return this.#samples;
  }

  /**
   * Counts one sample.
   *
   * @param bytes carried, > 0: an edge that carries nothing is lost or stalled, which is not a rate
   * @param busyMs for how long it had something to carry, > 0
   */
  add(bytes: number, busyMs: number): void {
    assert(bytes > 0 && busyMs > 0 && bytes / busyMs < Number.POSITIVE_INFINITY, "a sample is bytes in time");
    const sample = (bytes * 1000) / busyMs;
    this.#samples += 1;
    this.#peakBytesPerSec = Math.max(this.#peakBytesPerSec, sample);
    const old = this.#bytesPerSec ?? sample;
    const side = sample >= old * (1 + STEP_SHARE) ? 1 : sample <= old * (1 - STEP_SHARE) ? -1 : 0;
    this.#run = side !== 0 && Math.sign(this.#run) === side ? this.#run + side : side;
    const past = Math.abs(this.#run) - STEP_SAMPLES;
    const alpha = past < 0 ? BANDWIDTH_ALPHA : 1 - 0.5 ** (past + 1);
    this.#bytesPerSec = old + alpha * (sample - old);
  }

  /** Goes on from another rate, > 0: a change was found, and it is known to what (see orchestrate/drift.ts). */
  restart(bytesPerSec: number): void {
    assert(bytesPerSec > 0 && bytesPerSec < Number.POSITIVE_INFINITY, "a rate is positive");
    this.#bytesPerSec = bytesPerSec;
    this.#run = 0;
  }
}

/** Both directions of one edge. Neither says anything about the other. */
export class EdgeBandwidth {
  readonly up = new Bandwidth();
  readonly down = new Bandwidth();

  /** Counts a sample of one direction, see `Bandwidth.add`. */
  add(direction: Direction, bytes: number, busyMs: number): void {
    this[direction].add(bytes, busyMs);
  }
}
