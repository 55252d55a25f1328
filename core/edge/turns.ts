/**
 * One operation's turns at the stalls that it may have to wait at.
 *
 * @module
 */
import type { Failure } from "../failure.ts";
import type { Stall, Turn } from "./stall.ts";

/** Given back once: by `passed`, or by `ended`. */
export class Turns {
  readonly #turns: (readonly [Stall, Turn])[] = [];
  #isPassed = false;

  /** Waits for a turn at each of them, in this order. @throws Failure `cancelled` */
  static async enter(stalls: readonly Stall[], signal: AbortSignal | undefined): Promise<Turns> {
    const turns = new Turns();
    try {
      for (const stall of stalls) turns.#turns.push([stall, await stall.enter(signal)]);
      return turns;
    } catch (error) {
      turns.ended(undefined);
      throw error;
    }
  }

  /** True while others wait for what becomes of this operation. */
  get isWaitedFor(): boolean {
    return !this.#isPassed && this.#turns.some(([, turn]) => turn === "first");
  }

  /** The relay does what it is asked: nobody waits any longer. */
  passed(): void {
    if (this.#isPassed) return;
    this.#isPassed = true;
    for (const [stall, turn] of this.#turns) stall.passed(turn);
  }

  /**
   * The operation came to nothing.
   * @param failure what the relay answered; undefined where it has no part in it
   * @returns true when that is something that is waited for
   */
  ended(failure: Failure | undefined): boolean {
    let isWaitedFor = false;
    for (const [stall, turn] of this.#turns) {
      const own = this.#isPassed ? "free" : turn;
      if (failure === undefined || !stall.isFor(failure)) stall.left(own);
      else {
        stall.failed(own, failure.code);
        isWaitedFor = true;
      }
    }
    return isWaitedFor;
  }
}
