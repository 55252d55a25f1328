/**
 * Objects that wait for a pipe. Pages go before packs, because a receiver can do nothing with a pack before its page;
 * and no more packs lie in the pipe than keep it busy, because what is in it cannot be overtaken.
 *
 * @module
 */
import type { Pipe } from "../ports/pipe.ts";
import type { SealedObject } from "../wire/object.ts";

/** Objects handed to a pipe at once: one for each of its object streams. */
const WRITES = { webtransport: 2, websocket: 1 } as const;

export class Outbox {
  readonly #pipe: Pipe;
  readonly #onBroken: (error: unknown) => void;
  readonly #waiting = { page: [] as SealedObject[], pack: [] as SealedObject[] };
  #writing = 0;

  /** @param onBroken is called when the pipe takes no more */
  constructor(pipe: Pipe, onBroken: (error: unknown) => void) {
    this.#pipe = pipe;
    this.#onBroken = onBroken;
  }

  /** Borrows the object until it was written. */
  add(object: SealedObject): void {
    this.#waiting[object.header.kind].push(object);
    this.#write();
  }

  #write(): void {
    while (this.#writing < WRITES[this.#pipe.carrier]) {
      const next = this.#waiting.page.shift() ?? this.#waiting.pack.shift();
      if (next === undefined) return;
      this.#writing += 1;
      this.#pipe.sendObject(next.header, next.bytes).then(() => {
        this.#writing -= 1;
        this.#write();
      }, this.#onBroken);
    }
  }
}
