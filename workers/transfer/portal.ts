/**
 * A sender's portal on the relay: made with fresh keys, ended with the owner's token.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { callApi } from "../../core/edge/http-link.ts";
import { PASSWORD_PARAMETERS } from "../../core/portal/password.ts";
import type { CreatePortal } from "../../core/portal/portal.ts";
import {
  createOwnerKey,
  deriveKeys,
  NO_PASSWORD,
  type PortalKeys,
  passwordSalt,
  relayToken,
  tokenHash,
} from "../../core/seal/keys.ts";
import { createLink, type PortalLink } from "../../core/seal/link.ts";
import { fetchFrom } from "../../platform/link/fetch.ts";
import { passwordKey } from "../../platform/password.ts";
import type { SendOptions } from "./api.ts";

export interface OwnedPortal {
  readonly link: PortalLink;
  readonly keys: PortalKeys;
  readonly ownerToken: Uint8Array<ArrayBuffer>;
  readonly expiresAtMs: number;
}

/** @throws Failure when the relay does not take it */
export async function createPortal(options: SendOptions): Promise<OwnedPortal> {
  const { relayOrigin, password, expirySeconds, maxDownloads } = options;
  const link = createLink();
  const salted =
    password === "" ? NO_PASSWORD : await passwordKey(password, await passwordSalt(link), PASSWORD_PARAMETERS);
  const [keys, ownerKey] = await Promise.all([deriveKeys(link, salted), createOwnerKey()]);
  const [readToken, ownerToken] = await Promise.all([
    relayToken(keys.downloadAuth, "read", relayOrigin, link.portal),
    relayToken(ownerKey, "own", relayOrigin, link.portal),
  ]);
  const body: CreatePortal = {
    portal: base64urlnopad.encode(link.portal),
    keyCommitment: base64urlnopad.encode(keys.keyCommitment),
    password: password === "" ? null : PASSWORD_PARAMETERS,
    readTokenHash: base64urlnopad.encode(tokenHash(readToken)),
    ownerTokenHash: base64urlnopad.encode(tokenHash(ownerToken)),
    expirySeconds,
    maxDownloads,
  };
  const created = await callApi<{ expiresAtMs: number }>(fetchFrom(relayOrigin), {
    method: "POST",
    path: "/api/v1/portals",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return { link, keys, ownerToken, expiresAtMs: created.expiresAtMs };
}

/** Ends the portal for everybody; a relay that cannot be reached forgets it when it expires. */
export async function deletePortal(relayOrigin: string, { link, ownerToken }: OwnedPortal): Promise<void> {
  await callApi(fetchFrom(relayOrigin), {
    method: "DELETE",
    path: `/api/v1/portals/${base64urlnopad.encode(link.portal)}`,
    headers: { Authorization: `Bearer ${base64urlnopad.encode(ownerToken)}` },
  }).catch(() => {});
}
