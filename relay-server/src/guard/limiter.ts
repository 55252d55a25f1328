/**
 * Counts what happens under a key in a window of time: `rate-limiter-flexible` in memory, with a bound on how many keys it
 * remembers. When there are more, the oldest is forgotten: whoever has that many addresses is not stopped by any of them.
 *
 * @module
 */
import { RateLimiterMemory } from "rate-limiter-flexible";

/** Keys that one limiter remembers: some 10 MB at the most. */
const MAX_KEYS = 20_000;

export class Limiter {
  readonly #limiter: RateLimiterMemory;
  readonly #windowMs: number;
  readonly #maxKeys: number;
  /** When the window of each key ends, by a clock that does not jump. */
  readonly #ends = new Map<string, number>();
  /** The same keys in a ring, the one whose window ends first at `#first`: to find it in a map takes longer the more went. */
  readonly #order: string[] = [];
  #first = 0;

  /** @param points how much may be counted under one key from its first on until `seconds` have passed */
  constructor(points: number, seconds: number, maxKeys = MAX_KEYS) {
    this.#limiter = new RateLimiterMemory({ points, duration: seconds, keyPrefix: "" });
    this.#windowMs = seconds * 1000;
    this.#maxKeys = maxKeys;
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#ends.size;
  }

  /** Counts. Gives 0, or how many seconds are left to wait when it was too much. */
  async count(key: string, points = 1): Promise<number> {
    this.#remember(key);
    const { consumedPoints, msBeforeNext } = await this.#limiter.penalty(key, points);
    return consumedPoints > this.#limiter.points ? inSeconds(msBeforeNext) : 0;
  }

  /** Counts nothing. Gives 0, or how many seconds are left to wait when no more may come. */
  async look(key: string): Promise<number> {
    const state = await this.#limiter.get(key);
    return state !== null && state.consumedPoints >= this.#limiter.points ? inSeconds(state.msBeforeNext) : 0;
  }

  /** True when anything was counted in the window that runs. */
  async knows(key: string): Promise<boolean> {
    return (await this.#limiter.get(key)) !== null;
  }

  #remember(key: string): void {
    const now = performance.now();
    while (this.#ends.size > 0 && (this.#ends.get(this.#firstKey) ?? 0) <= now) this.#forgetFirst();
    if (this.#ends.has(key)) return;
    if (this.#ends.size === this.#maxKeys) this.#forgetFirst();
    this.#order[(this.#first + this.#ends.size) % this.#maxKeys] = key;
    this.#ends.set(key, now + this.#windowMs);
  }

  get #firstKey(): string {
    return this.#order[this.#first] ?? "";
  }

  #forgetFirst(): void {
    const key = this.#firstKey;
    this.#first = (this.#first + 1) % this.#maxKeys;
    this.#ends.delete(key);
    void this.#limiter.delete(key);
  }
}

function inSeconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000));
}
