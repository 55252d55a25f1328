/**
 * The real clock behind core's port.
 *
 * @module
 */
import { Failure } from "../core/failure.ts";
import type { Clock } from "../core/ports/clock.ts";

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(new Failure("cancelled"));
        return;
      }
      const onAbort = () => {
        clearTimeout(timer);
        reject(new Failure("cancelled"));
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      }, ms);
      signal?.addEventListener("abort", onAbort, { once: true });
    }),
};
