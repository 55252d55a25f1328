/**
 * Plain HTTP requests to the relay by Node's `fetch`, for core's HTTP link and API calls.
 *
 * @module
 */

import { limitAnswers } from "../core/edge/answer-limit.ts";
import type { HttpResponse, SendRequest } from "../core/edge/http-link.ts";
import { Failure } from "../core/failure.ts";
import { systemClock } from "./clock.ts";

/** @param origin of the relay, for example `http://localhost:8080` */
export function fetchFrom(origin: string): SendRequest {
  return limitAnswers(async ({ method, path, headers, body, signal }) => {
    try {
      const response = await fetch(origin + path, {
        method,
        headers: headers ?? {},
        body: body ?? null,
        signal: signal ? nativeSignal(signal) : null,
        // A relay never redirects; whoever does must not get the token, and is told apart by its answer.
        redirect: "manual",
      });
      return answer(response, () => signal?.aborted === true);
    } catch (cause) {
      throw new Failure(signal?.aborted ? "cancelled" : "relay/unreachable", {}, { cause });
    }
  }, systemClock);
}

/** Core names the part of AbortSignal that it needs; what arrives here is always a real one. */
function nativeSignal(signal: { readonly aborted: boolean }): AbortSignal {
  if (!(signal instanceof AbortSignal)) throw new TypeError("not an AbortSignal");
  return signal;
}

function answer(response: Response, isAborted: () => boolean): HttpResponse {
  return {
    status: response.status,
    header: (name) => response.headers.get(name),
    bytes: async (maxBytes) => {
      try {
        return await readAtMost(response, maxBytes);
      } catch (cause) {
        if (cause instanceof Failure) throw cause;
        throw new Failure(isAborted() ? "cancelled" : "relay/unreachable", {}, { cause });
      }
    },
  };
}

/** Counts while reading, because a length that is announced, or absent, promises nothing. */
async function readAtMost(response: Response, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const announced = Number(response.headers.get("content-length") ?? 0);
  if (announced > maxBytes) {
    await response.body?.cancel();
    throw new Failure("wire/too-large", { bytes: announced });
  }
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > maxBytes) throw new Failure("wire/too-large", { bytes });
    parts.push(part);
  }
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
