/**
 * What is told to a relay when a transfer is over for its own side.
 *
 * @module
 */
import type { Clock } from "../ports/clock.ts";

const LAST_WORD_MS = 3_000;

/** Waits for `work`, at most 3 s: the bytes are safe already, or gone, and a relay that does not hear it changes nothing. */
export async function lastWord(clock: Clock, work: Promise<void>): Promise<void> {
  const stop = new AbortController();
  const limit = clock.sleep(LAST_WORD_MS, stop.signal).catch(() => {});
  await Promise.race([work.catch(() => {}), limit]);
  stop.abort();
}
