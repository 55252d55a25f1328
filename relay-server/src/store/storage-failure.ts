/**
 * Errors of the disk and of SQLite as failures of the relay.
 *
 * @module
 */
import { Failure } from "../../../core/failure.ts";

const SQLITE_FULL = 13;
/** Out of memory, read-only, input or output, corrupt, full, cannot open, no database: not the fault of one statement. */
const SQLITE_TROUBLE: ReadonlySet<number> = new Set([7, 8, 10, 11, SQLITE_FULL, 14, 26]);

/** No space becomes `relay/full`, everything else `relay/storage`; a Failure stays what it is. */
export function storageFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const code = errorField(error, "code");
  const isFull = code === "ENOSPC" || code === "EDQUOT" || sqliteCode(error) === SQLITE_FULL;
  return new Failure(isFull ? "relay/full" : "relay/storage", {}, { cause: error });
}

/** True for an error of SQLite that comes from the disk or the machine, not from what a statement asked for. */
export function isSqliteTrouble(error: unknown): boolean {
  return SQLITE_TROUBLE.has(sqliteCode(error));
}

/** True for an error of the file system that says "no such file". */
export function isAbsent(error: unknown): boolean {
  return errorField(error, "code") === "ENOENT";
}

/** SQLite's primary code, without what extends it; NaN for other errors. */
function sqliteCode(error: unknown): number {
  const code = errorField(error, "errcode");
  return typeof code === "number" ? code & 0xff : Number.NaN;
}

function errorField(error: unknown, name: "code" | "errcode"): unknown {
  return typeof error === "object" && error !== null && name in error
    ? (error as Record<string, unknown>)[name]
    : undefined;
}
