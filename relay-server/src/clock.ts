/**
 * The relay's idea of the date: it follows the machine's clock, but a jump of that clock (an administrator, a wrong time
 * server, a machine that slept) is caught up gradually, so that no portal expires early or lives much too long.
 *
 * @module
 */

/** Tells the date; never goes back. */
export interface DateSource {
  /** Milliseconds since 1970 */
  now(): number;
  /** Milliseconds since any origin, by a clock that does not jump */
  steady(): number;
}

/** Raw clocks, replaced in tests. */
export interface RawClocks {
  /** Milliseconds since 1970, may jump */
  wall(): number;
  /** Milliseconds since any origin, steady */
  steady(): number;
}

const MACHINE: RawClocks = { wall: () => Date.now(), steady: () => performance.now() };

/** How many times faster or slower than real time the date may run while it catches up. */
const FASTEST = 10;
const SLOWEST = 0.5;

/** Wall time that runs between half and ten times real speed until it agrees with the machine's clock. */
export class SlewedDate implements DateSource {
  readonly #clocks: RawClocks;
  #date: number;
  #steady: number;

  constructor(clocks: RawClocks = MACHINE) {
    this.#clocks = clocks;
    this.#date = clocks.wall();
    this.#steady = clocks.steady();
  }

  steady(): number {
    return this.#clocks.steady();
  }

  now(): number {
    const steady = this.#clocks.steady();
    const elapsed = Math.max(0, steady - this.#steady);
    this.#steady = steady;
    const gap = this.#clocks.wall() - this.#date;
    this.#date += Math.min(elapsed * FASTEST, Math.max(elapsed * SLOWEST, gap));
    return Math.floor(this.#date);
  }
}
