/**
 * What a relay answers with a frame that names no object (a commitment, a claim, a completed download): one of each kind is
 * open at a time, and whoever asks the same meanwhile shares its answer.
 *
 * @module
 */
import { Failure, failureFromWire } from "../failure.ts";
import { type Deferred, deferred } from "./deferred.ts";

/** What is asked. */
export type Question = "commit" | "claim" | "complete";

/** The open questions of one connection. */
export class Questions {
  readonly #open = new Map<Question, Deferred<void>>();

  /** Asks by `send`, unless that is open already. Resolves with the answer. @throws the Failure in the answer, or of `end` */
  ask(question: Question, send: () => void): Promise<void> {
    const open = this.#open.get(question);
    if (open !== undefined) return open.promise;
    const asked = deferred<void>();
    this.#open.set(question, asked);
    send();
    return asked.promise;
  }

  /** The relay answered. @param code a failure's wire number, or 0 */
  answered(question: Question, code = 0): void {
    const asked = this.#open.get(question);
    this.#open.delete(question);
    if (code === 0) asked?.resolve();
    else asked?.reject(new Failure(failureFromWire(code) ?? "wire/malformed", { wire: code }));
  }

  /** No answer comes any more. */
  end(reason: Failure): void {
    for (const asked of this.#open.values()) asked.reject(reason);
    this.#open.clear();
  }
}
