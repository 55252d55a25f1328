/**
 * Objects that the relay held and lost while the sender is there: made again from the journal and sent, beside what else
 * goes on.
 *
 * @module
 */
import { Failure } from "../failure.ts";
import type { Clock } from "../ports/clock.ts";
import type { Journal } from "../ports/journal.ts";
import type { ObjectKind } from "../wire/object.ts";
import { type TakeUpHost, takeUp } from "./take-up.ts";

/** How often one object is made again before the relay counts as one that cannot keep it. */
const MAX_REMAKES = 5;
/** Rest between two readings of the journal, doubled each time: a relay must not keep its sender reading. */
const REST_MS = 500;
const MAX_REST_MS = 60_000;

export class Repairs {
  readonly #journal: Journal;
  readonly #host: Omit<TakeUpHost, "isHeld">;
  #wanted = new Set<string>();
  readonly #clock: Pick<Clock, "now">;
  readonly #sleep: (ms: number) => Promise<void>;
  readonly #remakes = new Map<string, number>();
  #running: Promise<void> | undefined;
  #readings = 0;
  #readAtMs = Number.NEGATIVE_INFINITY;

  /** @param sleep rejects when the send ends */
  constructor(
    journal: Journal,
    host: Omit<TakeUpHost, "isHeld">,
    clock: Pick<Clock, "now">,
    sleep: (ms: number) => Promise<void>,
  ) {
    this.#journal = journal;
    this.#host = host;
    this.#clock = clock;
    this.#sleep = sleep;
  }

  /**
   * The relay lost an object. Gives the work on it, and on what is lost meanwhile, when that begins now.
   * @throws Failure as `takeUp`; `relay/storage` when the relay loses one object again and again
   */
  lost(kind: ObjectKind, index: number): Promise<void> | undefined {
    this.#wanted.add(keyOf(kind, index));
    if (this.#running !== undefined) return undefined;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    while (this.#wanted.size > 0) {
      await this.#rest();
      const wanted = this.#wanted;
      this.#wanted = new Set();
      await takeUp(this.#journal, { ...this.#host, isHeld: (kind, index) => !this.#take(wanted, keyOf(kind, index)) });
      this.#readAtMs = this.#clock.now();
    }
  }

  /** The first reading begins at once, as does one after a long quiet time. */
  async #rest(): Promise<void> {
    const restMs = Math.min(MAX_REST_MS, REST_MS * 2 ** this.#readings++);
    const leftMs = this.#readAtMs + restMs - this.#clock.now();
    if (leftMs > 0) await this.#sleep(leftMs);
  }

  /** True when the object is to be made again. @throws Failure `relay/storage` when that was done too often */
  #take(wanted: ReadonlySet<string>, name: string): boolean {
    if (!wanted.has(name)) return false;
    const remakes = (this.#remakes.get(name) ?? 0) + 1;
    if (remakes > MAX_REMAKES) throw new Failure("relay/storage", { what: "lost", remakes });
    this.#remakes.set(name, remakes);
    return true;
  }
}

function keyOf(kind: ObjectKind, index: number): string {
  return `${kind} ${index}`;
}
