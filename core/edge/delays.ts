/**
 * How long to wait before the next try: growing, and never the same for everybody.
 *
 * @module
 */
import type { Clock } from "../ports/clock.ts";

const FIRST_MS = 400;
const MAX_MS = 15_000;
/** While trouble is young the line may be back at any moment, and a person is looking. */
const HASTY_MAX_MS = 2_500;

/** Delays of one series of tries. */
export class Delays {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #hasteMs: number;
  #nextMs = FIRST_MS;
  /** When the first of this series was asked for. */
  #sinceMs: number | undefined;

  /**
   * @param random uniform in [0, 1)
   * @param hasteMs how long from the first delay on none is above 2.5 s
   */
  constructor(clock: Clock, random: () => number, hasteMs: number) {
    this.#clock = clock;
    this.#random = random;
    this.#hasteMs = hasteMs;
  }

  /** True when the series has lasted for so long that there is no haste any more. */
  get isLong(): boolean {
    return this.#sinceMs !== undefined && this.#clock.now() - this.#sinceMs >= this.#hasteMs;
  }

  /** Milliseconds to wait now. */
  next(): number {
    this.#sinceMs ??= this.#clock.now();
    const ms = Math.min(this.#nextMs, this.isLong ? MAX_MS : HASTY_MAX_MS);
    this.#nextMs = 2 * ms;
    return ms * (0.75 + 0.5 * this.#random());
  }

  /** It works again: the next series begins with the shortest delay. */
  reset(): void {
    this.#nextMs = FIRST_MS;
    this.#sinceMs = undefined;
  }
}
