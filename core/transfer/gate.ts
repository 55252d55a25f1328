/**
 * A gate that stages pass while a transfer is not paused, and a counting window for bytes in flight.
 *
 * @module
 */
import { type Deferred, deferred } from "../edge/deferred.ts";

/** Open by default. */
export class Gate {
  #shut: Deferred<void> | undefined;

  shut(): void {
    this.#shut ??= deferred<void>();
  }
  open(): void {
    this.#shut?.resolve();
    this.#shut = undefined;
  }
  async pass(): Promise<void> {
    while (this.#shut !== undefined) await this.#shut.promise;
  }
}

/** At most `size` places taken at once; places are given in order of asking. */
export class Window {
  #free: number;
  readonly #queue: Deferred<void>[] = [];

  constructor(size: number) {
    this.#free = size;
  }

  async take(): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    const place = deferred<void>();
    this.#queue.push(place);
    await place.promise;
  }

  give(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#free += 1;
    else next.resolve();
  }
}
