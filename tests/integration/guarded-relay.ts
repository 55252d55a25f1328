/**
 * A relay with the limits that a real one has, and requests to it from any address.
 *
 * @module
 */
import { type Config, readConfig } from "../../relay-server/src/config.ts";
import { FIXED_LIMITS } from "../../relay-server/src/guard/guard.ts";
import { base64url, bearer, random, type TestPortal } from "./relay-client.ts";
import { type TestRelay, testRelay } from "./relay-fixture.ts";

/** An operator's token as one would be set. */
export const OPERATOR_TOKEN = "operator-token-that-nobody-guesses-0123456789";

/** Starts a relay that believes its tests about where they come from. */
export function guardedRelay(config: Partial<Config> = {}): Promise<TestRelay> {
  const { trustedProxies, operatorTokenHash } = readConfig({ TRUST_PROXY: "127.0.0.0/8", OPERATOR_TOKEN });
  return testRelay({ trustedProxies, operatorTokenHash, ...config }, { limits: FIXED_LIMITS });
}

/** Headers of a request from an address. */
export function from(address: string, headers: Record<string, string> = {}): Record<string, string> {
  return { ...headers, "x-forwarded-for": address };
}

/** Opens the first link of a portal; without a token, with a wrong one. */
export function tryLink(url: string, portal: TestPortal, address: string, token = random(32)): Promise<Response> {
  const path = `/api/v1/portals/${portal.text}/links/${portal.link}`;
  return fetch(url + path, { headers: from(address, bearer(token)) });
}

/** A request as the operator. */
export function operate(
  url: string,
  method: "GET" | "POST" | "DELETE",
  path: string,
  body?: object,
  { token = OPERATOR_TOKEN, address = "127.0.0.1" } = {},
): Promise<Response> {
  const headers = {
    ...from(address),
    Authorization: `Bearer ${token}`,
    ...(body && { "Content-Type": "application/json" }),
  };
  return fetch(`${url}/api/v1/operator${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
}

/** Lets the operator invite. */
export async function invite(url: string, uses = 1): Promise<string> {
  const answer = await operate(url, "POST", "/invites", { uses, expirySeconds: 3600 });
  if (answer.status !== 201) throw new Error(`inviting gave ${answer.status}`);
  return ((await answer.json()) as { invite: string }).invite;
}

/** A portal's id that nobody has. */
export function nobodys(): string {
  return base64url(random(16));
}
