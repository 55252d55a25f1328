/**
 * When to look again for a better path: after a minute, then more and more rarely, and when the network changed.
 *
 * @module
 */
import type { Clock } from "../ports/clock.ts";
import type { Naps } from "./naps.ts";

/** However often the network changes. */
const MIN_MS = 5_000;
const FIRST_MS = 60_000;
const MAX_MS = 600_000;

/** The times of all searches of one link. */
export class SearchTimes {
  readonly #clock: Clock;
  readonly #naps: Naps;
  readonly #signal: AbortSignal;
  #intervalMs = FIRST_MS;

  constructor(clock: Clock, naps: Naps, signal: AbortSignal) {
    this.#clock = clock;
    this.#naps = naps;
    this.#signal = signal;
  }

  /** Resolves when it is time, and when everything ended. */
  async next(): Promise<void> {
    const [fromMs, { wakes }] = [this.#clock.now(), this.#naps];
    await this.#clock.sleep(MIN_MS, this.#signal).catch(() => {});
    await this.#naps.take(this.#intervalMs - MIN_MS, wakes);
    if (this.#clock.now() - fromMs >= this.#intervalMs) this.#intervalMs = Math.min(MAX_MS, 2 * this.#intervalMs);
  }

  /** The better path was good for something: should it be lost, it is looked for soon. */
  reset(): void {
    this.#intervalMs = FIRST_MS;
  }
}
