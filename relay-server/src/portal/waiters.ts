/**
 * Who waits for which object of a portal. Everybody is called back once; whether to go on waiting is theirs to find out.
 *
 * @module
 */
import type { ObjectKind } from "../../../core/wire/object.ts";

export class Waiters {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Objects that somebody waits for. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Gives the function that stops waiting. */
  add(kind: ObjectKind, index: number, callback: () => void): () => void {
    const key = `${kind} ${index}`;
    const waiters = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiters);
    waiters.add(callback);
    return () => {
      waiters.delete(callback);
      if (waiters.size === 0 && this.#waiting.get(key) === waiters) this.#waiting.delete(key);
    };
  }

  wake(kind: ObjectKind, index: number): void {
    this.#wake(`${kind} ${index}`);
  }

  wakeAll(): void {
    for (const key of [...this.#waiting.keys()]) this.#wake(key);
  }

  #wake(key: string): void {
    const waiters = this.#waiting.get(key);
    this.#waiting.delete(key);
    for (const waiter of waiters ?? []) waiter();
  }
}
