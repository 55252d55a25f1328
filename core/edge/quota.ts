/**
 * What a client keeps to by itself: at most so many bytes on the way, at most so many objects asked for.
 *
 * @module
 */
import { assert, Failure } from "../failure.ts";
import { type Deferred, deferred } from "./deferred.ts";

/** Most wants that pages may take: as many as a receiver asks for ahead. */
const PAGE_WANTS = 4;

interface Waiting {
  readonly amount: number;
  readonly turn: Deferred<void>;
}

/** A shared amount, given in order of asking. More than the whole is given when nothing else is out. */
export class Quota {
  readonly #total: number;
  #taken = 0;
  #queue: Waiting[] = [];
  #ended: Failure | undefined;

  constructor(total: number) {
    this.#total = total;
  }

  /** Amount given and not yet given back. */
  get taken(): number {
    return this.#taken;
  }

  /** Waits until `amount` is free and takes it. @throws Failure `cancelled` when the signal aborts, or the reason of `end` */
  async take(amount: number, signal?: AbortSignal): Promise<void> {
    if (this.#ended !== undefined) throw this.#ended;
    if (signal?.aborted) throw new Failure("cancelled");
    const waiting = { amount, turn: deferred<void>() };
    this.#queue.push(waiting);
    const onAbort = () => {
      this.#queue = this.#queue.filter((other) => other !== waiting);
      waiting.turn.reject(new Failure("cancelled"));
      this.#serve();
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#serve();
    try {
      await waiting.turn.promise;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Gives back what `take` took. */
  give(amount: number): void {
    this.#taken -= amount;
    assert(this.#taken >= 0, "no more is given back than was taken");
    this.#serve();
  }

  /** Nothing is given any more; who waits meets `reason`. */
  end(reason: Failure): void {
    this.#ended ??= reason;
    for (const { turn } of this.#queue) turn.reject(reason);
    this.#queue = [];
  }

  #serve(): void {
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      if (this.#taken > 0 && this.#taken + next.amount > this.#total) return;
      this.#queue.shift();
      this.#taken += next.amount;
      next.turn.resolve();
    }
  }
}

/**
 * Shares `maxWants` (at least 2) between packs and pages. They have quotas of their own because packs may be asked for
 * that only a later page can tell not to exist: pages must never wait for packs.
 */
export function splitWants(maxWants: number): { readonly pack: Quota; readonly page: Quota } {
  const pages = Math.min(PAGE_WANTS, Math.floor(maxWants / 2));
  return { pack: new Quota(maxWants - pages), page: new Quota(pages) };
}

/** Works while one of the turns is taken. @throws Failure `cancelled` when the signal aborts before */
export async function inTurn<T>(turns: Quota, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  await turns.take(1, signal);
  try {
    return await work();
  } finally {
    turns.give(1);
  }
}
