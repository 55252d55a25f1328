/**
 * When a connection that says nothing is doubted.
 *
 * @module
 */
import type { Clock } from "../ports/clock.ts";
import type { Link } from "../ports/link.ts";

/** More than a heartbeat and its answer. */
const QUIET_MS = 6_000;
/** The same after the browser told that the network changed and a ping asked. */
const WOKEN_QUIET_MS = 2_000;

/** One for all connections of a link. */
export class Doubt {
  readonly #clock: Clock;
  #wokenMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The network may have changed: whatever stands is asked for a sign of life. */
  woken(links: readonly (Link | undefined)[]): void {
    this.#wokenMs = this.#clock.now();
    for (const link of links) link?.ping();
  }

  /** Milliseconds until the link is doubted if it stays silent; 0 or less when it is. */
  leftMs({ heardMs }: Link): number {
    const wokenMs = this.#wokenMs >= heardMs ? this.#wokenMs + WOKEN_QUIET_MS : Number.POSITIVE_INFINITY;
    return Math.min(heardMs + QUIET_MS, wokenMs) - this.#clock.now();
  }
}
