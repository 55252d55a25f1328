/**
 * Requests about one portal, with their outcome in one word: `ok`, or the code of the failure.
 *
 * @module
 */
import { expect } from "vitest";
import { FAILURES } from "../../core/failure.ts";
import type { LinkAccess, PortalDetails } from "../../core/portal/portal.ts";
import type { RawClocks } from "../../relay-server/src/clock.ts";
import { base64url, bearer, type TestLinkEntry, type TestPortal } from "./relay-client.ts";

/** What a request is made of, beside its address. */
export interface CallParts {
  readonly token?: Uint8Array | undefined;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** @param path below the portal's address */
export function request(url: string, portal: TestPortal, method: string, path: string, parts: CallParts = {}) {
  const { token, body, headers } = parts;
  return fetch(`${url}/api/v1/portals/${portal.text}${path}`, {
    method,
    headers: { ...(token && bearer(token)), "Content-Type": "application/json", ...headers },
    body: body === undefined ? null : JSON.stringify(body),
  });
}

/** `ok`, or the code of the failure, whose status is checked. */
export async function outcome(response: Response | Promise<Response>): Promise<string> {
  const answer = await response;
  if (answer.ok) {
    await answer.arrayBuffer();
    return "ok";
  }
  const { code } = (await answer.json()) as { code: keyof typeof FAILURES };
  expect(answer.status).toBe(FAILURES[code].status);
  return code;
}

/** @throws Error when the answer is no success */
async function read<T>(response: Promise<Response>): Promise<T> {
  const answer = await response;
  if (!answer.ok) throw new Error(`the relay answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

export function details(url: string, portal: TestPortal, token = portal.ownerToken): Promise<PortalDetails> {
  return read(request(url, portal, "GET", "/details", { token }));
}

/** Changes rules as the owner. */
export function change(url: string, portal: TestPortal, body: object): Promise<PortalDetails> {
  return read(request(url, portal, "PATCH", "", { token: portal.ownerToken, body }));
}

export function openLink(url: string, portal: TestPortal, link: string, token: Uint8Array, query = "") {
  return request(url, portal, "GET", `/links/${link}${query}`, { token });
}

/** The answer to whoever opens a link rightly. */
export function opened(url: string, portal: TestPortal, { link, token }: TestLinkEntry): Promise<LinkAccess> {
  return read(openLink(url, portal, link, token));
}

/** Takes a claim with a read token. */
export function claim(url: string, portal: TestPortal, id: Uint8Array, token = portal.readToken): Promise<string> {
  return outcome(request(url, portal, "POST", "/claims", { token, body: { claim: base64url(id) } }));
}

/** Completes a download with a read token. */
export function complete(url: string, portal: TestPortal, id: Uint8Array, token = portal.readToken): Promise<string> {
  return outcome(request(url, portal, "POST", "/downloads", { token, body: { claim: base64url(id) } }));
}

/** Clocks of a relay that go as fast as they are told to. */
export class SteeredClocks implements RawClocks {
  #passedMs = 0;
  readonly #startMs = Date.now();

  wall(): number {
    return this.#startMs + this.#passedMs;
  }
  steady(): number {
    return this.#passedMs;
  }
  pass(ms: number): void {
    this.#passedMs += ms;
  }
}
