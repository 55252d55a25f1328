/**
 * What the browser's file APIs throw, as coded failures.
 *
 * @module
 */
import { Failure } from "../../core/failure.ts";

/**
 * Maps an error of the file system APIs to `sink/full`, `sink/denied`, or `sink/failed` with the error's name as
 * `reason`. A Failure passes unchanged.
 */
export function sinkFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const name = errorName(error);
  if (name === "QuotaExceededError") return new Failure("sink/full", {}, { cause: error });
  if (name === "NotAllowedError" || name === "SecurityError") return new Failure("sink/denied", {}, { cause: error });
  return new Failure("sink/failed", { reason: name }, { cause: error });
}

/** A thrown value's `name`, for example `NotFoundError`; `unknown` for what has none. */
export function errorName(error: unknown): string {
  return error instanceof Error || error instanceof DOMException ? error.name : "unknown";
}

/** Runs `work` and turns what it throws into a sink failure. */
export async function asSinkFailure<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw sinkFailure(error);
  }
}
