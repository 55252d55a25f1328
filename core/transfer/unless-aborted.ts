/**
 * Ending work from outside, also where it waits for something that never comes.
 *
 * @module
 */
import { deferred } from "../edge/deferred.ts";
import { Failure } from "../failure.ts";

/** Why it was aborted: a Failure that was given, else `cancelled`. */
export function reasonOf(signal: AbortSignal): Failure {
  return signal.reason instanceof Failure ? signal.reason : new Failure("cancelled");
}

/** Settles with `work`, or rejects with the signal's reason when the signal aborts first; `work` then ends by itself. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const aborted = deferred<never>();
  const onAbort = () => aborted.reject(reasonOf(signal));
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    work.catch(() => {});
  }
}
