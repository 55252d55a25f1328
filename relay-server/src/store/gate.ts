/**
 * Lets only so many asynchronous actions run at a time, first come, first served.
 *
 * @module
 */

export class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** @param width how many actions may run at a time */
  constructor(width: number) {
    this.#free = width;
  }

  async run<T>(action: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await action();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
