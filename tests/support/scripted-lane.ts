/**
 * Stands in for workers/lane/client.ts in the tests of the dashboard: a test says what the measurement gives, and when.
 *
 * @module
 */
import { Failure, type FailureCode } from "../../core/failure.ts";
import type { EngineStatus } from "../../core/transfer/snapshot.ts";

/** What a test may look at and say, in the page as `globalThis.scriptedLane`. */
export interface ScriptedLane {
  /** How many were asked for so far. */
  readonly measurements: number;
  /** Ends the measurement that runs. */
  answer(status: EngineStatus): void;
  fail(code: FailureCode): void;
}

declare global {
  var scriptedLane: ScriptedLane;
}

let measurements = 0;
let pending: PromiseWithResolvers<EngineStatus> | undefined;

globalThis.scriptedLane = {
  get measurements() {
    return measurements;
  },
  answer: (status) => pending?.resolve(status),
  fail: (code) => pending?.reject(new Failure(code)),
};

/** The same shape as the product's `measureEngine`. */
export function measureEngine(): Promise<EngineStatus> {
  measurements += 1;
  pending = Promise.withResolvers();
  return pending.promise;
}
