/**
 * One thing that a person asked for: it is going on, or it failed, or neither.
 *
 * @module
 */
import { toFailure } from "../../../core/failure.ts";
import type { CodedFailure } from "./transfer.svelte.ts";

export class Deed {
  #isRunning = $state(false);
  #failure = $state.raw<CodedFailure | null>(null);

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** What it failed with the last time, or null. */
  get failure(): CodedFailure | null {
    return this.#failure;
  }

  /** Does it, one at a time. Never rejects; gives what the work gave, or undefined when it failed or one is going on. */
  async run<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (this.#isRunning) return undefined;
    this.#isRunning = true;
    this.#failure = null;
    try {
      return await work();
    } catch (error) {
      const { code, details } = toFailure(error, "worker/crashed");
      this.#failure = { code, details };
      return undefined;
    } finally {
      this.#isRunning = false;
    }
  }
}
