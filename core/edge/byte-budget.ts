/**
 * Bytes that may be spent in any period of a given length: it rolls, so no two halves of it add up to more at a change of
 * day. Pure: time is given, of the wall clock, so that what was spent can be stored and counts after a restart.
 *
 * @module
 */
import { assert } from "../failure.ts";

/** Steps in which bytes come back; they never come back early. */
const STEPS = 48;

/** Bytes that were spent in one step, and when the last of them was. */
export interface Spent {
  readonly lastMs: number;
  readonly bytes: number;
}

/** One budget. */
export class ByteBudget {
  readonly limitBytes: number;
  readonly periodMs: number;
  #spent: Spent[];
  #usedBytes: number;

  /** @param spent what `stored` gave earlier, oldest first */
  constructor(limitBytes: number, periodMs: number, spent: readonly Spent[] = []) {
    assert(limitBytes > 0 && periodMs > 0, "a budget is bytes in a time");
    this.limitBytes = limitBytes;
    this.periodMs = periodMs;
    this.#spent = [...spent];
    this.#usedBytes = spent.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** For storing; at most 49 entries. A fresh array. */
  get stored(): readonly Spent[] {
    return [...this.#spent];
  }

  /** Bytes spent in the period that ends now. */
  usedBytes(epochMs: number): number {
    for (let oldest = this.#spent[0]; oldest !== undefined; oldest = this.#spent[0]) {
      if (epochMs - oldest.lastMs < this.periodMs) break;
      this.#usedBytes -= oldest.bytes;
      this.#spent.shift();
    }
    return this.#usedBytes;
  }

  /** Whether so many more bytes are within the budget now. */
  hasRoom(bytes: number, epochMs: number): boolean {
    return this.usedBytes(epochMs) + bytes <= this.limitBytes;
  }

  /** Counts bytes, also where there was no room for them. */
  spend(bytes: number, epochMs: number): void {
    const stepMs = this.periodMs / STEPS;
    const last = this.#spent.at(-1);
    // A clock that was set back must not make bytes older than they are.
    const lastMs = Math.max(epochMs, last?.lastMs ?? epochMs);
    const isSameStep = last !== undefined && Math.floor(last.lastMs / stepMs) === Math.floor(lastMs / stepMs);
    if (isSameStep) this.#spent.pop();
    this.#spent.push({ lastMs, bytes: bytes + (isSameStep ? last.bytes : 0) });
    this.#usedBytes += bytes;
  }
}
