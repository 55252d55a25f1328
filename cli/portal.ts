/**
 * Making, opening and deleting a portal over the relay's API.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { callApi } from "../core/edge/http-link.ts";
import { Failure } from "../core/failure.ts";
import { PASSWORD_PARAMETERS } from "../core/portal/password.ts";
import type { CreatePortal, PortalAccess } from "../core/portal/portal.ts";
import {
  commitmentMatches,
  createOwnerKey,
  deriveKeys,
  type PortalKeys,
  relayToken,
  tokenHash,
} from "../core/seal/keys.ts";
import { createLink, type PortalLink, parseLink } from "../core/seal/link.ts";
import { fetchFrom } from "./http.ts";
import { passwordKey } from "./password.ts";

/** A relay that does not answer must not keep the program open. */
const DELETE_LIMIT_MS = 5_000;

export interface NewPortal {
  readonly password: string | null;
  readonly expirySeconds: number;
  readonly maxDownloads: number | null;
}

export interface OwnedPortal {
  readonly link: PortalLink;
  readonly keys: PortalKeys;
  readonly ownerToken: Uint8Array<ArrayBuffer>;
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
}

/** @throws Failure when the relay refuses, or is not there */
export async function createPortal(origin: string, options: NewPortal, signal: AbortSignal): Promise<OwnedPortal> {
  const { password, expirySeconds, maxDownloads } = options;
  const link = createLink();
  const [keys, ownerKey] = await Promise.all([
    passwordKey(link, password, PASSWORD_PARAMETERS).then((key) => deriveKeys(link, key)),
    createOwnerKey(),
  ]);
  const [readToken, ownerToken] = await Promise.all([
    relayToken(keys.downloadAuth, "read", origin, link.portal),
    relayToken(ownerKey, "own", origin, link.portal),
  ]);
  const body: CreatePortal = {
    portal: base64urlnopad.encode(link.portal),
    keyCommitment: base64urlnopad.encode(keys.keyCommitment),
    password: password === null ? null : PASSWORD_PARAMETERS,
    readTokenHash: base64urlnopad.encode(tokenHash(readToken)),
    ownerTokenHash: base64urlnopad.encode(tokenHash(ownerToken)),
    expirySeconds,
    maxDownloads,
  };
  const { expiresAtMs } = await callApi<{ expiresAtMs: number }>(fetchFrom(origin), {
    method: "POST",
    path: "/api/v1/portals",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  return { link, keys, ownerToken, expiresAtMs };
}

/** Deletes a portal that will not be finished. Gives false when the relay did not answer; the portal expires then. */
export async function deletePortal(origin: string, { link, ownerToken }: OwnedPortal): Promise<boolean> {
  const request = {
    method: "DELETE" as const,
    path: portalPath(link),
    headers: { Authorization: `Bearer ${base64urlnopad.encode(ownerToken)}` },
    signal: AbortSignal.timeout(DELETE_LIMIT_MS),
  };
  return callApi(fetchFrom(origin), request).then(
    () => true,
    () => false,
  );
}

export interface SharedPortal {
  readonly origin: string;
  readonly link: PortalLink;
  readonly keys: PortalKeys;
  readonly readToken: Uint8Array<ArrayBuffer>;
}

/**
 * Asks the relay for a link's portal and derives its keys.
 * @param text a whole link, or its path and fragment for the relay at `relay`
 * @throws Failure `link/…`, `password/…`, `portal/…`, `relay/…`
 */
export async function openPortal(
  text: string,
  relay: string,
  password: string | null,
  signal: AbortSignal,
): Promise<SharedPortal> {
  const link = parseLink(text);
  const origin = originOf(text) ?? relay;
  const request = { method: "GET" as const, path: `${portalPath(link)}/access`, signal };
  const access = await callApi<PortalAccess>(fetchFrom(origin), request);
  if (access.password !== null && password === null) throw new Failure("password/needed");
  const second = access.password === null ? null : password;
  const keys = await deriveKeys(link, await passwordKey(link, second, access.password ?? PASSWORD_PARAMETERS));
  if (!commitmentMatches(keys, publishedCommitment(access)))
    throw new Failure(access.password === null ? "link/wrong-secret" : "password/wrong");
  return { origin, link, keys, readToken: await relayToken(keys.downloadAuth, "read", origin, link.portal) };
}

function publishedCommitment({ keyCommitment }: PortalAccess): Uint8Array {
  try {
    return base64urlnopad.decode(keyCommitment);
  } catch (cause) {
    throw new Failure("relay/unreachable", { what: "not a relay" }, { cause });
  }
}

function portalPath(link: PortalLink): string {
  return `/api/v1/portals/${base64urlnopad.encode(link.portal)}`;
}

/** The relay's origin in a whole link, or null. @throws Failure `link/cut` for an address that is not a relay's */
function originOf(text: string): string | null {
  if (text.startsWith("/")) return null;
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) throw new Failure("link/cut");
  return url.origin;
}
