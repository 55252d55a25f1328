/**
 * Round trips of one edge by RFC 6298: smoothed, with their variation, and how long to wait for an answer. Pure.
 *
 * @module
 */
import { assert } from "../failure.ts";

/** An answer is waited for at least and at most this long (RFC 6298, 2.4 and 2.5). */
export const MIN_RTO_MS = 1_000;
export const MAX_RTO_MS = 60_000;

/** The estimate of one edge. */
export class RoundTrip {
  readonly #granularityMs: number;
  #smoothedMs: number | undefined;
  #variationMs = 0;
  #minMs: number | undefined;
  #maxMs: number | undefined;
  /** The wait is doubled for each time that it was not long enough. */
  #backOff = 1;

  /** @param granularityMs the step of the clock; browsers round to a millisecond at the worst */
  constructor(granularityMs = 1) {
    assert(granularityMs > 0, "a clock has a step");
    this.#granularityMs = granularityMs;
  }

  /** SRTT; undefined before the first sample, as the next two are. */
  get smoothedMs(): number | undefined {
    return this.#smoothedMs;
  }

  get minMs(): number | undefined {
    return this.#minMs;
  }

  get maxMs(): number | undefined {
    return this.#maxMs;
  }

  /** RTTVAR; 0 before the first sample. */
  get variationMs(): number {
    return this.#variationMs;
  }

  /** How long to wait for an answer before it counts as lost. */
  get timeoutMs(): number {
    const spreadMs = Math.max(this.#granularityMs, 4 * this.#variationMs);
    const plainMs = Math.max(MIN_RTO_MS, (this.#smoothedMs ?? 0) + spreadMs);
    return Math.min(MAX_RTO_MS, plainMs * this.#backOff);
  }

  /** Counts a round trip. Not of what was asked for twice: whose answer it is cannot be told (Karn). */
  add(rttMs: number): void {
    assert(rttMs >= 0 && rttMs < Number.POSITIVE_INFINITY, "a round trip takes time");
    this.#backOff = 1;
    this.#minMs = Math.min(this.#minMs ?? rttMs, rttMs);
    this.#maxMs = Math.max(this.#maxMs ?? rttMs, rttMs);
    if (this.#smoothedMs === undefined) {
      this.#smoothedMs = rttMs;
      this.#variationMs = rttMs / 2;
      return;
    }
    // The variation first: it is against the old average (RFC 6298, 2.3).
    this.#variationMs += (Math.abs(this.#smoothedMs - rttMs) - this.#variationMs) / 4;
    this.#smoothedMs += (rttMs - this.#smoothedMs) / 8;
  }

  /** No answer came in `timeoutMs`. */
  timedOut(): void {
    if (this.timeoutMs < MAX_RTO_MS) this.#backOff *= 2;
  }
}
