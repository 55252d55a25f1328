/**
 * A sender's portal on the relay: made with fresh keys, ended with the owner's token.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { callApi } from "../../core/edge/http-link.ts";
import { Failure } from "../../core/failure.ts";
import { PASSWORD_PARAMETERS } from "../../core/portal/password.ts";
import type { CreatePortal } from "../../core/portal/portal.ts";
import type { LeaseWish } from "../../core/ports/link.ts";
import {
  createOwnerKey,
  deriveKeys,
  NO_PASSWORD,
  type PortalKeys,
  passwordSalt,
  relayToken,
  tokenHash,
} from "../../core/seal/keys.ts";
import { createLink, type PortalLink, parseLink } from "../../core/seal/link.ts";
import type { OpenJournal } from "../../platform/journal/journals.ts";
import { fetchFrom } from "../../platform/link/fetch.ts";
import { passwordKey } from "../../platform/password.ts";
import type { SendOptions } from "./api.ts";

export interface OwnedPortal {
  readonly link: PortalLink;
  readonly keys: Pick<PortalKeys, "pack" | "page">;
  /** HMAC-SHA-256, not extractable. */
  readonly ownerKey: CryptoKey;
  readonly ownerToken: Uint8Array<ArrayBuffer>;
  readonly lease: LeaseWish;
  readonly expiresAtMs: number | null;
}

/** The portal of an interrupted send, with what its journal kept. @throws Failure `journal/damaged` */
export async function keptPortal({ head, note }: OpenJournal): Promise<OwnedPortal> {
  const { pack, page, owner: ownerKey } = head.keys;
  if (pack === undefined || page === undefined || ownerKey === undefined)
    throw new Failure("journal/damaged", { what: "keys" });
  const link = parseLink(note.link);
  const ownerToken = await relayToken(ownerKey, "own", head.relayOrigin, link.portal);
  // Whoever held the lease before was this journal's holder, and is gone.
  const lease = { lease: 0, takeOver: true };
  return { link, keys: { pack, page }, ownerKey, ownerToken, lease, expiresAtMs: note.expiresAtMs };
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
  const created = await callApi<{ expiresAtMs: number; lease: number }>(fetchFrom(relayOrigin), {
    method: "POST",
    path: "/api/v1/portals",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const lease = { lease: created.lease, takeOver: false };
  return { link, keys, ownerKey, ownerToken, lease, expiresAtMs: created.expiresAtMs };
}

/** Ends the portal for everybody; a relay that cannot be reached forgets it when it expires. */
export async function deletePortal(
  relayOrigin: string,
  { link, ownerToken }: Pick<OwnedPortal, "link" | "ownerToken">,
): Promise<void> {
  await callApi(fetchFrom(relayOrigin), {
    method: "DELETE",
    path: `/api/v1/portals/${base64urlnopad.encode(link.portal)}`,
    headers: { Authorization: `Bearer ${base64urlnopad.encode(ownerToken)}` },
  }).catch(() => {});
}
