/**
 * A named cap in bytes for what waits in memory between the network and the disk. Whoever takes beyond it waits, which
 * makes the peer wait.
 *
 * @module
 */

export class ByteBudget {
  readonly limit: number;
  #used = 0;
  #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  /** More than half is taken: let go of bytes early. */
  get isTight(): boolean {
    return this.#used > this.limit / 2;
  }

  take(bytes: number): void {
    this.#used += bytes;
  }

  give(bytes: number): void {
    this.#used -= bytes;
    if (this.#used >= this.limit || this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) go();
  }

  /** Resolves once less than the cap is taken; undefined when that is now. */
  room(): Promise<void> | undefined {
    if (this.#used < this.limit) return undefined;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
