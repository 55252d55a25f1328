/**
 * How long a portal that is in use may go on, by a clock that does not jump: a date that was set wrong must not end a
 * transfer that runs, and a clock that stood still while the machine slept must not keep a portal that nobody uses.
 *
 * @module
 */

/** A portal counts as used this long after the last one left: longer than a cut of the network. */
const PAUSE_MS = 15 * 60_000;

export class Lifetime {
  readonly #steadyMs: () => number;
  #endMs: number;
  #users = 0;
  #leftMs = Number.NEGATIVE_INFINITY;

  /**
   * @param steadyMs a clock that does not jump
   * @param lifeMs what the portal has left now
   */
  constructor(steadyMs: () => number, lifeMs: number) {
    this.#steadyMs = steadyMs;
    this.#endMs = steadyMs() + lifeMs;
  }

  /** Its owner gave it another time, counted from now. */
  renew(lifeMs: number): void {
    this.#endMs = this.#steadyMs() + lifeMs;
  }

  /** Somebody uses the portal; gives the function that ends the use. */
  use(): () => void {
    this.#users++;
    return () => {
      this.#users--;
      this.#leftMs = this.#steadyMs();
    };
  }

  /** True while it goes on, whatever the date says. */
  get goesOn(): boolean {
    return this.#steadyMs() < this.#endMs && this.idleMs < PAUSE_MS;
  }

  /** How long nobody has used it, as far as is known here: infinite when nobody did. */
  get idleMs(): number {
    return this.#users > 0 ? 0 : this.#steadyMs() - this.#leftMs;
  }
}
