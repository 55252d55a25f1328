/**
 * Transfers of this browser that were interrupted, as the send page lists them.
 *
 * @module
 */
import { type FailureCode, toFailure } from "../../../core/failure.ts";
import type { InterruptedTransfer } from "../../../workers/transfer/api.ts";
import { discardTransfer, interruptedTransfers } from "../lib/journals.ts";

/** A send that waits for its files to be chosen once more. */
export interface Choosing {
  readonly portal: string;
  /** Because the browser was not allowed to read them by itself. */
  readonly isRefused: boolean;
}

export class Unfinished {
  #rows = $state.raw<readonly InterruptedTransfer[]>([]);
  #choosing = $state.raw<Choosing | null>(null);
  #problem = $state<FailureCode | null>(null);
  #newest = 0;

  /** Newest first. */
  get rows(): readonly InterruptedTransfer[] {
    return this.#rows;
  }

  /** The row that asks for its files, or null; while there is one, whatever is dropped is for it. */
  get choosing(): Choosing | null {
    const choosing = this.#choosing;
    return this.#rows.some(({ kind, portal }) => kind === "send" && portal === choosing?.portal) ? choosing : null;
  }

  /** Why the list could not be read or a row not be discarded, or null. */
  get problem(): FailureCode | null {
    return this.#problem;
  }

  /** Reads the list anew. */
  async look(): Promise<void> {
    this.#problem = null;
    await this.#read();
  }

  /** Asks for the files of a send, which the row then shows. */
  choose(portal: string, isRefused = false): void {
    this.#choosing = { portal, isRefused };
  }

  /** Asks no more. */
  dismiss(): void {
    this.#choosing = null;
  }

  /** Forgets a transfer for good. */
  async discard(transfer: Pick<InterruptedTransfer, "kind" | "portal">): Promise<void> {
    this.#problem = null;
    try {
      await discardTransfer(transfer);
    } catch (error) {
      this.#problem = toFailure(error, "worker/crashed").code;
    }
    await this.#read();
  }

  async #read(): Promise<void> {
    this.#newest += 1;
    const mine = this.#newest;
    try {
      const rows = await interruptedTransfers();
      if (mine === this.#newest) this.#rows = rows;
    } catch (error) {
      this.#problem = toFailure(error, "worker/crashed").code;
    }
  }
}
