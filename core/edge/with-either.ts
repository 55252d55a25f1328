/**
 * One signal out of two, for as long as some work lasts.
 *
 * @module
 */

/** Does work under a signal that aborts when either of the two does; both are let go of afterwards. */
export async function withEither<T>(
  one: AbortSignal,
  other: AbortSignal | undefined,
  work: (either: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const onAbort = () => stop.abort();
  const signals = other === undefined ? [one] : [one, other];
  for (const each of signals) {
    if (each.aborted) stop.abort();
    each.addEventListener("abort", onAbort, { once: true });
  }
  try {
    return await work(stop.signal);
  } finally {
    for (const each of signals) each.removeEventListener("abort", onAbort);
  }
}
