/**
 * Plain HTTP requests to the relay by `fetch`, for core's HTTP link and API calls.
 *
 * @module
 */

import { limitAnswers } from "../../core/edge/answer-limit.ts";
import type { HttpResponse, SendRequest } from "../../core/edge/http-link.ts";
import { Failure } from "../../core/failure.ts";
import type { OnBytes } from "../../core/ports/link.ts";
import { systemClock } from "../clock.ts";

/** @param origin of the relay, for example `http://localhost:8080` */
export function fetchFrom(origin: string): SendRequest {
  return limitAnswers(async ({ method, path, headers, body, signal }) => {
    try {
      const response = await fetch(origin + path, {
        method,
        headers: headers ?? {},
        body: body ?? null,
        signal: signal ? nativeSignal(signal) : null,
        cache: "no-store",
        credentials: "omit",
        // A relay never redirects; whoever does must not get the token, and is told apart by its answer.
        redirect: "manual",
        referrerPolicy: "no-referrer",
      });
      return answer(response);
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

function answer(response: Response): HttpResponse {
  return {
    status: response.status,
    header: (name) => response.headers.get(name),
    bytes: async (maxBytes, onBytes) => {
      const declared = Number(response.headers.get("content-length") ?? 0);
      if (declared > maxBytes) throw new Failure("wire/too-large", { bytes: declared });
      try {
        const { body } = response;
        if (onBytes !== undefined && body !== null && declared > 0) return await readInParts(body, declared, onBytes);
        const bytes = new Uint8Array(await response.arrayBuffer());
        if (bytes.length > maxBytes) throw new Failure("wire/too-large", { bytes: bytes.length });
        return bytes;
      } catch (cause) {
        throw cause instanceof Failure ? cause : new Failure("relay/unreachable", {}, { cause });
      }
    },
  };
}

/** A body of a length that was told, part by part. @throws Failure `relay/unreachable` for one of another length */
async function readInParts(
  body: ReadableStream<Uint8Array>,
  length: number,
  onBytes: OnBytes,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  const reader = body.getReader();
  let at = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const { value } = part;
    if (at + value.length > length) {
      reader.cancel().catch(() => {}); // nobody waits for the rest
      throw new Failure("relay/unreachable", { what: "length" });
    }
    bytes.set(value, at);
    at += value.length;
    onBytes(value.length);
  }
  if (at < length) throw new Failure("relay/unreachable", { what: "length" });
  return bytes;
}
