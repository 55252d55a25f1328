/**
 * What node:fs throws while a folder is written to, as coded failures.
 *
 * @module
 */
import { Failure } from "../core/failure.ts";
import { errorCode, NamedFailure, quoted } from "./named-failure.ts";

/** No room: on the disk, in the quota, under the limit of this process. */
const FULL = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);
const DENIED = new Set(["EACCES", "EPERM", "EROFS"]);
const REFUSED_NAME = new Set(["ENAMETOOLONG", "EILSEQ", "EINVAL"]);

/** @param path what was being written. A Failure passes unchanged. */
export function sinkFailure(error: unknown, path: string): Failure {
  if (error instanceof Failure) return error;
  const reason = errorCode(error);
  const options = { cause: error };
  if (FULL.has(reason)) {
    const sentence = `There is no room left for ${quoted(path)}. Make room, or choose another folder with --out.`;
    return new NamedFailure("sink/full", sentence, { reason }, options);
  }
  if (DENIED.has(reason)) {
    const sentence = `Writing ${quoted(path)} is not allowed. Choose another folder with --out.`;
    return new NamedFailure("sink/denied", sentence, { reason }, options);
  }
  if (REFUSED_NAME.has(reason)) {
    const sentence = `The file system takes no such name as ${quoted(path)}. Choose another folder with --out.`;
    return new NamedFailure("path/rejected", sentence, { reason: "refused-by-target" }, options);
  }
  return new NamedFailure("sink/failed", `Writing ${quoted(path)} failed (${reason}).`, { reason }, options);
}

/** The failure for a name that is taken. */
export function taken(path: string, what: string): NamedFailure {
  return new NamedFailure("sink/denied", `${quoted(path)} ${what}`, { reason: "exists" });
}

/** Runs `work` and turns what it throws into a sink failure about `path`. */
export async function asSinkFailure<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw sinkFailure(error, path);
  }
}
