/**
 * Answers over plain HTTP, as a relay gives them and as others do, and a link of plain requests that gets them.
 *
 * @module
 */
import { type HttpRequest, type HttpResponse, openHttpLink } from "../../core/edge/http-link.ts";
import { FAILURES, Failure, type FailureCode } from "../../core/failure.ts";
import { HASH_HEADER, type PortalStateJson, RELAY_HEADER } from "../../core/portal/portal.ts";
import type { LeaseWish, LinkRole } from "../../core/ports/link.ts";
import type { SealedObject } from "../../core/wire/object.ts";
import { noise, objectHash } from "./bytes.ts";
import { FakeClock } from "./fake-clock.ts";

export const role: LinkRole = { portal: noise(16, "portal"), role: "receive", token: noise(32, "token") };
export const sender: LinkRole = { ...role, role: "send" };
export const HELD = { lease: 4, takeOver: false };
export const base = `/api/v1/portals/${Buffer.from(role.portal).toString("base64url")}`;
export const state: PortalStateJson = {
  phase: "active",
  heldPacks: [0, 2],
  heldPages: [],
  commitment: null,
  senders: 1,
  receivers: 0,
  expiresAtMs: 5,
  version: 7,
};

export function respond(status: number, body: unknown, headers: Record<string, string> = {}): HttpResponse {
  return foreign(status, body, { [RELAY_HEADER]: "1", ...headers });
}

/** An answer that does not come from a relay. */
export function foreign(status: number, body: unknown, headers: Record<string, string> = {}): HttpResponse {
  const bytes =
    body instanceof Uint8Array
      ? body
      : new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body));
  return { status, header: (name) => headers[name] ?? null, bytes: async () => new Uint8Array(bytes) };
}

export function refuse(code: FailureCode): HttpResponse {
  return respond(FAILURES[code].status, { code, details: {} });
}

export function sealed(index: number): { object: SealedObject; response: HttpResponse } {
  const bytes = noise(100, index);
  const hash = objectHash(bytes);
  const headers = { [HASH_HEADER]: Buffer.from(hash).toString("base64url"), "Warp-Final": "1" };
  const header = { kind: "page" as const, index, final: true, length: 100, hash };
  return { object: { header, bytes }, response: respond(200, bytes, headers) };
}

/** A relay that answers each request as the test says; a request for the state with a wait stays open. */
export function setUpHttp(
  answer: (request: HttpRequest) => HttpResponse | Promise<HttpResponse> | undefined,
  who: LinkRole = role,
  wish: LeaseWish = HELD,
) {
  const clock = new FakeClock();
  const requests: HttpRequest[] = [];
  const send = async (request: HttpRequest): Promise<HttpResponse> => {
    requests.push(request);
    const found = answer(request);
    if (found !== undefined) return found;
    if (request.path === base) return respond(200, state);
    return new Promise((_, reject) => {
      request.signal?.addEventListener("abort", () => reject(new Failure("cancelled")), { once: true });
    });
  };
  const stop = new AbortController();
  return { clock, requests, stop, opening: openHttpLink(send, who, wish, clock, stop.signal) };
}

/** The code that `work` fails with, or "resolved". */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "resolved";
  } catch (error) {
    return error instanceof Failure ? error.code : `not a failure: ${String(error)}`;
  }
}
