/**
 * Errors of the disk and of SQLite as failures of the relay.
 *
 * @module
 */
import { Failure } from "../../../core/failure.ts";

const SQLITE_FULL = 13;

/** No space becomes `relay/full`, everything else `relay/storage`; a Failure stays what it is. */
export function storageFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const code = errorField(error, "code");
  const isFull = code === "ENOSPC" || code === "EDQUOT" || errorField(error, "errcode") === SQLITE_FULL;
  return new Failure(isFull ? "relay/full" : "relay/storage", {}, { cause: error });
}

/** True for an error of the file system that says "no such file". */
export function isAbsent(error: unknown): boolean {
  return errorField(error, "code") === "ENOENT";
}

function errorField(error: unknown, name: "code" | "errcode"): unknown {
  return typeof error === "object" && error !== null && name in error
    ? (error as Record<string, unknown>)[name]
    : undefined;
}
