/**
 * A limit to how long an HTTP request may stay without the beginning of an answer: neither `fetch` nor TCP has one for a
 * relay, or a proxy, that took the request and then says nothing.
 *
 * @module
 */
import { Failure } from "../failure.ts";
import type { Clock } from "../ports/clock.ts";
import type { SendRequest } from "./http-link.ts";

/** Longer than any long poll. Objects on their way up have no limit: a slow line may need minutes for one. */
export const ANSWER_MS = 45_000;

/** `send`, failing with `relay/unreachable` when no answer began in time. */
export function limitAnswers(send: SendRequest, clock: Clock): SendRequest {
  return async (request) => {
    if (request.body instanceof Uint8Array) return send(request);
    const { signal } = request;
    const stop = new AbortController();
    const onAbort = () => stop.abort();
    const release = () => signal?.removeEventListener("abort", onAbort);
    if (signal?.aborted) stop.abort();
    signal?.addEventListener("abort", onAbort, { once: true });
    const begun = new AbortController();
    const late = clock.sleep(ANSWER_MS, begun.signal).then(() => {
      stop.abort();
      throw new Failure("relay/unreachable", { what: "silence" });
    });
    try {
      const response = await Promise.race([send({ ...request, signal: stop.signal }), late]);
      return { ...response, bytes: (...how) => response.bytes(...how).finally(release) };
    } catch (error) {
      release();
      throw error;
    } finally {
      late.catch(() => {}); // the race may have been won by the answer
      begun.abort();
    }
  };
}
