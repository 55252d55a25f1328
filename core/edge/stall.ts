/**
 * What a relay cannot do now and may do later (it has no room, is too busy, its disk fails; or all downloads that are left
 * are running elsewhere) is waited for as long as it takes: all operations wait together, and one after the other tries for
 * all of them.
 *
 * @module
 */
import { Failure, type FailureCode } from "../failure.ts";
import type { Clock } from "../ports/clock.ts";
import { type Deferred, deferred } from "./deferred.ts";
import { Delays } from "./delays.ts";
import type { Naps } from "./naps.ts";

/** Failures of the relay itself, which no other operation of this client would be spared. */
export const RELAY_TROUBLE: readonly FailureCode[] = ["relay/full", "relay/busy", "relay/stopping", "relay/storage"];

/** Why something waits, and until when. */
export interface Waiting {
  readonly code: FailureCode;
  /** Clock time of the next try, or of the one under way. */
  readonly nextTryAtMs: number;
}

/** Whether an operation tries for all that wait; given by `enter`, given back by `passed`, `failed` or `left`. */
export type Turn = "free" | "first";

/** One for all operations of a link that may meet the same trouble. */
export class Stall {
  readonly #codes: readonly FailureCode[];
  readonly #clock: Clock;
  readonly #naps: Naps;
  readonly #onChange: () => void;
  readonly #delays: Delays;
  #queue: Deferred<Turn>[] = [];
  #waiting: Waiting | undefined;
  /** True while a delay runs or an operation tries for all. */
  #isTaken = false;
  #ended: Failure | undefined;

  /** @param codes the failures that are waited for here */
  constructor(codes: readonly FailureCode[], clock: Clock, naps: Naps, random: () => number, onChange: () => void) {
    this.#codes = codes;
    this.#clock = clock;
    this.#naps = naps;
    this.#onChange = onChange;
    this.#delays = new Delays(clock, random, 0);
  }

  /** True for a failure that is waited for here. */
  isFor(failure: Failure): boolean {
    return this.#codes.includes(failure.code);
  }

  /** Set while operations wait. */
  get waiting(): Waiting | undefined {
    return this.#waiting;
  }

  /** Waits until an operation may be tried. @throws Failure `cancelled` */
  async enter(signal?: AbortSignal): Promise<Turn> {
    if (this.#ended !== undefined) throw this.#ended;
    if (this.#waiting === undefined) return "free";
    const turn = deferred<Turn>();
    const onAbort = () => turn.reject(new Failure("cancelled"));
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#queue.push(turn);
    this.#next();
    try {
      return await turn.promise;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      this.#queue = this.#queue.filter((other) => other !== turn);
    }
  }

  /** The operation was done. */
  passed(turn: Turn): void {
    if (turn === "free") return;
    this.#delays.reset();
    this.#isTaken = false;
    this.#release();
  }

  /** The relay could not do it; it is tried again after the next `enter`. */
  failed(turn: Turn, code: FailureCode): void {
    if (turn === "free" && this.#waiting !== undefined) return; // it was on its way when the first one failed
    const delayMs = this.#delays.next();
    this.#waiting = { code, nextTryAtMs: this.#clock.now() + delayMs };
    this.#isTaken = true;
    this.#onChange();
    void this.#naps.take(delayMs).then(() => {
      this.#isTaken = false;
      this.#next();
    });
  }

  /** The operation ended otherwise: another one tries. */
  left(turn: Turn): void {
    if (turn === "free") return;
    this.#isTaken = false;
    this.#next();
  }

  /** Nobody waits any longer. */
  end(reason: Failure): void {
    this.#ended ??= reason;
    for (const turn of this.#queue) turn.reject(reason);
  }

  #next(): void {
    if (this.#isTaken || this.#waiting === undefined) return;
    const next = this.#queue.shift();
    if (next === undefined) {
      this.#release();
      return;
    }
    this.#isTaken = true;
    next.resolve("first");
  }

  #release(): void {
    this.#waiting = undefined;
    for (const turn of this.#queue.splice(0)) turn.resolve("free");
    this.#onChange();
  }
}
