/**
 * Time as a port, so that tests drive it.
 *
 * @module
 */

export interface Clock {
  /** Monotonic milliseconds; the origin is arbitrary. */
  now(): number;
  /** Resolves after `ms`; rejects with Failure `cancelled` when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
