/**
 * How the whole transfer does against its plan: bytes done against bytes that the plan has done by now. Time in which it is
 * paused counts for neither. Pure: time is given.
 *
 * @module
 */
import { assert } from "../failure.ts";

/** A plan is not judged before it has run for this long. */
export const TRANSFER_DRIFT_MIN_MS = 2_000;

/** One plan of one transfer. */
export interface TransferPlan {
  /** Bytes that it has to move. */
  readonly bytes: number;
  /** How long it takes, from its first round trip to its last byte. */
  readonly finishMs: number;
  /** How long nothing can be there yet: the round trip of the edges, and a pack's time. */
  readonly firstMs: number;
}

/** Measured against one plan at a time. */
export class TransferDrift {
  #plan: TransferPlan | undefined;
  #startMs = 0;
  #startBytes = 0;
  #pausedAtMs: number | undefined;

  /** A plan begins. @param doneBytes bytes that are there already */
  planned(plan: TransferPlan, doneBytes: number, nowMs: number): void {
    assert(plan.bytes >= 0 && plan.finishMs >= 0 && plan.firstMs >= 0, "plans look forward");
    this.#plan = plan;
    this.#startMs = nowMs;
    this.#startBytes = doneBytes;
    if (this.#pausedAtMs !== undefined) this.#pausedAtMs = nowMs;
  }

  pause(nowMs: number): void {
    this.#pausedAtMs ??= nowMs;
  }

  resume(nowMs: number): void {
    if (this.#pausedAtMs !== undefined) this.#startMs += nowMs - this.#pausedAtMs;
    this.#pausedAtMs = undefined;
  }

  /** Done ÷ planned: 1 is on time, 0.5 half as much as there should be; undefined while that is too early to say. */
  ratio(doneBytes: number, nowMs: number): number | undefined {
    const plan = this.#plan;
    const passedMs = (this.#pausedAtMs ?? nowMs) - this.#startMs;
    if (plan === undefined || plan.bytes === 0 || passedMs < plan.firstMs + TRANSFER_DRIFT_MIN_MS) return undefined;
    const workMs = Math.max(1, plan.finishMs - plan.firstMs);
    const plannedBytes = plan.bytes * Math.min(1, (passedMs - plan.firstMs) / workMs);
    return (doneBytes - this.#startBytes) / plannedBytes;
  }
}
