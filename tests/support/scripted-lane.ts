/**
 * Stands in for workers/lane/client.ts in the tests of the dashboard: a test says what the measurement gives, and when.
 *
 * @module
 */
import { Failure, type FailureCode } from "../../core/failure.ts";
import type { EngineStatus } from "../../core/transfer/snapshot.ts";
import type { EngineWish } from "../../platform/engine.ts";

/** What a test may look at and say, in the page as `globalThis.scriptedLane`. */
export interface ScriptedLane {
  /** What each measurement so far was asked for. */
  readonly wishes: readonly EngineWish[];
  /** Ends the measurement that runs. */
  answer(status: EngineStatus): void;
  fail(code: FailureCode): void;
}

declare global {
  var scriptedLane: ScriptedLane;
}

const wishes: EngineWish[] = [];
let pending: PromiseWithResolvers<EngineStatus> | undefined;

globalThis.scriptedLane = {
  wishes,
  answer: (status) => pending?.resolve(status),
  fail: (code) => pending?.reject(new Failure(code)),
};

/** The same shape as the product's `measureEngine`. */
export function measureEngine(wish: EngineWish): Promise<EngineStatus> {
  wishes.push(wish);
  pending = Promise.withResolvers();
  return pending.promise;
}
