/**
 * A journal in memory. It dies with its thread: what was not durable at that moment is gone.
 *
 * @module
 */
import { Failure } from "../../core/failure.ts";
import type { Journal } from "../../core/ports/journal.ts";

export class MemoryJournal implements Journal {
  readonly durable: Uint8Array<ArrayBuffer>[] = [];
  /** Set by a test: nothing more can be written down. */
  isFull = false;
  #isDead = false;
  #tail: Promise<void> = Promise.resolve();

  append(record: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.isFull) return Promise.reject(new Failure("journal/damaged"));
    const copy = record.slice();
    this.#tail = this.#tail.then(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#isDead) await new Promise(() => {});
      this.durable.push(copy);
    });
    return this.#tail;
  }

  async *records(): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    for (const record of this.durable) yield record.slice();
  }

  /** The thread is gone: nothing that waits is ever written. Gives the journal as the next thread finds it. */
  die(): MemoryJournal {
    this.#isDead = true;
    const next = new MemoryJournal();
    next.durable.push(...this.durable);
    return next;
  }
}
