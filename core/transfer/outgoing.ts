/**
 * Objects of a send that are on their way: as many at a time as there are places, and the first failure for all.
 *
 * @module
 */
import { deferred } from "../edge/deferred.ts";
import { type Failure, toFailure } from "../failure.ts";
import { SEALED_PACK_BYTES, UPLOAD_WINDOW_BYTES } from "../units.ts";
import type { ObjectKind, SealedObject } from "../wire/object.ts";
import { Window } from "./gate.ts";
import type { SendLink } from "./send-link.ts";

/** Packs sealed and not yet acknowledged for each relay: its window, less one pack for pages. */
export const IN_FLIGHT_PACKS = UPLOAD_WINDOW_BYTES / SEALED_PACK_BYTES - 1;
/** Pages are small and wait for nothing but their own acknowledgement. */
const IN_FLIGHT_PAGES = 8;

/** What of one send is under way. */
export class Outgoing {
  readonly #link: Pick<SendLink, "put">;
  readonly #places: Readonly<Record<ObjectKind, Window>>;
  readonly #pending = new Set<Promise<void>>();
  #failure: Failure | undefined;
  readonly #broken = deferred<never>();

  /** @param packs that may be under way at a time */
  constructor(link: Pick<SendLink, "put">, packs = IN_FLIGHT_PACKS) {
    this.#link = link;
    this.#places = { pack: new Window(packs), page: new Window(IN_FLIGHT_PAGES) };
    this.#broken.promise.catch(() => {}); // met by whoever waits
  }

  /** So many more packs may be under way. */
  widen(packs: number): void {
    for (let i = 0; i < packs; i++) this.#places.pack.give();
  }

  /** Waits for a place, which the next `send` of this kind takes. @throws the first Failure of any work */
  async room(kind: ObjectKind): Promise<void> {
    await this.#places[kind].take();
    this.#check();
  }

  /**
   * Sends an object, for which there is room, as soon as `ready` is settled.
   * @param object borrowed until `onStored` is called
   */
  send(object: SealedObject, ready: Promise<void>, onStored: () => void): void {
    const stored = ready.then(() => this.#link.put(object)).then(onStored);
    this.follow(stored.finally(() => this.#places[object.header.kind].give()));
  }

  /** Other work that belongs to the send, which it ends when it fails. */
  follow(work: Promise<void>): void {
    const followed: Promise<void> = work
      .catch((error: unknown) => {
        this.#failure ??= toFailure(error, "relay/unreachable");
        this.#broken.reject(this.#failure);
      })
      .finally(() => this.#pending.delete(followed));
    this.#pending.add(followed);
  }

  /** Resolves when nothing is under way. @throws the first Failure */
  async settle(): Promise<void> {
    while (this.#pending.size > 0 && this.#failure === undefined) await Promise.race(this.#pending);
    this.#check();
  }

  /** Waits for `last`, which may need what is still being sent. @throws what it throws, or the first Failure of any work */
  async whileSound(last: Promise<void>): Promise<void> {
    last.catch(() => {}); // met below unless something else failed first
    await Promise.race([last, this.#broken.promise]);
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}
