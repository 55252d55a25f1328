/**
 * How often something may happen: so often at once, and so often in each second after that.
 *
 * @module
 */

export class Allowance {
  readonly #burst: number;
  readonly #perSecond: number;
  #left: number;
  #atMs = performance.now();

  constructor(burst: number, perSecond: number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#left = burst;
  }

  /** Takes so many if they are there; gives whether they were. */
  take(count = 1): boolean {
    const now = performance.now();
    this.#left = Math.min(this.#burst, this.#left + ((now - this.#atMs) * this.#perSecond) / 1000);
    this.#atMs = now;
    if (this.#left < count) return false;
    this.#left -= count;
    return true;
  }
}
