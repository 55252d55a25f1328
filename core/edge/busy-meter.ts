/**
 * Turns what happens on an edge into samples of real work: the bytes that it carried, and the time in which it had something
 * to carry. Idle time is no work, nor is the first round trip after it, which a plan counts apart. Pure: time is given.
 *
 * Where bytes are told by the pack, packs that share a line arrive together after a long silence. So a sample has as many
 * arrivals as there were packs under way: a whole burst, or parts of two that make a whole. Bytes that are told as they come
 * give more samples, and slow edges need them: a drift is judged by five samples in five seconds.
 *
 * @module
 */
import { assert } from "../failure.ts";

/** Busy time that a sample covers at least, so that the grain of clocks and arrivals does not matter. */
export const SAMPLE_BUSY_MS = 50;

/** One sample: `bytes` arrived while the edge was busy for `busyMs`. */
export interface WorkSample {
  readonly bytes: number;
  readonly busyMs: number;
}

/** One direction of one edge; times are of one clock and do not go back. */
export class BusyMeter {
  #active = 0;
  #startedAtMs = 0;
  /** From when on time counts; undefined while idle. */
  #busyFromMs: number | undefined;
  #busyMs = 0;
  #bytes = 0;
  #arrivals = 0;
  /** The most that were under way at once since the last sample. */
  #mostActive = 0;

  /** Something is asked for, or handed over. @param rttMs how long nothing can come when the edge was idle */
  started(nowMs: number, rttMs = 0): void {
    this.#active += 1;
    this.#mostActive = Math.max(this.#mostActive, this.#active);
    if (this.#active > 1) return;
    this.#startedAtMs = nowMs;
    this.#busyFromMs = nowMs + rttMs;
  }

  /** Bytes of it are there. */
  carried(bytes: number, nowMs: number): void {
    // Sooner than a round trip: the round trip was estimated too long, and all of the time was work.
    if (this.#busyFromMs !== undefined && nowMs <= this.#busyFromMs) this.#busyFromMs = this.#startedAtMs;
    this.#bytes += bytes;
    this.#arrivals += 1;
    this.#count(nowMs);
  }

  /** One of what was started has ended, well or not. */
  ended(nowMs: number): void {
    assert(this.#active > 0, "what ends was started");
    this.#count(nowMs);
    this.#active -= 1;
    if (this.#active === 0) this.#busyFromMs = undefined;
  }

  /** What was carried since the last sample, once it is enough for one; time without bytes is kept for the next. */
  take(nowMs: number): WorkSample | undefined {
    this.#count(nowMs);
    if (this.#busyMs < SAMPLE_BUSY_MS || this.#bytes === 0 || this.#arrivals < this.#mostActive) return undefined;
    const sample = { bytes: this.#bytes, busyMs: this.#busyMs };
    this.skip(nowMs);
    return sample;
  }

  /** Forgets what was counted since the last sample: it says nothing about the edge. */
  skip(nowMs: number): void {
    this.#count(nowMs);
    this.#bytes = 0;
    this.#busyMs = 0;
    this.#arrivals = 0;
    this.#mostActive = this.#active;
  }

  #count(nowMs: number): void {
    if (this.#busyFromMs === undefined || nowMs <= this.#busyFromMs) return;
    this.#busyMs += nowMs - this.#busyFromMs;
    this.#busyFromMs = nowMs;
    this.#startedAtMs = nowMs;
  }
}
