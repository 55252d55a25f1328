/**
 * A sender's portal on the relay: made with fresh keys, for everybody with its link or handed in to whoever asked, and ended
 * with the owner's token.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { Failure } from "../../core/failure.ts";
import {
  type Admission,
  createPortal,
  endPortal,
  type MadePortal,
  type OpenedRequest,
  openLink,
  type RelayHost,
} from "../../core/portal/client.ts";
import { isGone } from "../../core/portal/manage.ts";
import { OPEN_LINK } from "../../core/portal/new-link.ts";
import { MIN_EXPIRY_SECONDS, type RelayInfo } from "../../core/portal/portal.ts";
import type { PortalRecord } from "../../core/portal/record.ts";
import { furtherOrigins } from "../../core/portal/relays.ts";
import type { LeaseWish } from "../../core/ports/link.ts";
import { type ContentKeys, deriveContentKeys, ownerKey, relayToken } from "../../core/seal/keys.ts";
import { formatLink, type PortalLink, parseLink } from "../../core/seal/link.ts";
import type { OpenJournal } from "../../platform/journal/journals.ts";
import { storedInvite } from "../../platform/registry/settings.ts";
import { relayHost } from "../../platform/relay-host.ts";
import type { SendOptions } from "./api.ts";

/** Ending a portal at a further relay takes no longer. */
const END_MS = 4_000;

export interface OwnedPortal {
  readonly link: PortalLink;
  readonly keys: ContentKeys;
  /** HMAC-SHA-256, not extractable. */
  readonly ownerKey: CryptoKey;
  readonly ownerToken: Uint8Array<ArrayBuffer>;
  readonly lease: LeaseWish;
  readonly expiresAtMs: number | null;
}

/** The portal of an interrupted send, with what its journal kept. @throws Failure `journal/damaged` */
export async function keptPortal({ head, note }: OpenJournal): Promise<OwnedPortal> {
  const { pack, page, signal, owner: ownerKey } = head.keys;
  if (pack === undefined || page === undefined || ownerKey === undefined)
    throw new Failure("journal/damaged", { what: "keys" });
  const link = parseLink(note.link);
  const ownerToken = await relayToken(ownerKey, "own", head.relayOrigin, link.portal);
  // Whoever held the lease before was this journal's holder, and is gone.
  const lease = { lease: 0, takeOver: true };
  return {
    link,
    keys: { pack, page, ...(signal && { signal }) },
    ownerKey,
    ownerToken,
    lease,
    expiresAtMs: note.expiresAtMs,
  };
}

/** A portal that was made here. */
export interface NewPortal {
  readonly portal: OwnedPortal;
  readonly made: MadePortal;
  /** What this browser is to remember of it; with the further relays where it may live too. */
  readonly record: PortalRecord;
}

/**
 * Makes the portal of a send at home.
 * @throws Failure when the relay does not take it; of a request's link also `link/…` | `password/…`
 */
export async function makePortal(options: SendOptions, info: RelayInfo): Promise<NewPortal> {
  const { relayOrigin, password, idleSeconds, maxDownloads } = options;
  const host = relayHost(relayOrigin);
  const request = options.request && (await openRequest(host, options.request));
  const expirySeconds = Math.min(options.expirySeconds, request?.secondsLeft ?? Number.POSITIVE_INFINITY);
  const made = await createPortal(
    host,
    { kind: "send" },
    { expirySeconds, idleSeconds, maxDownloads },
    { ...OPEN_LINK, password },
    request === null ? await admission(info) : { invite: null, workBits: 0 },
    request?.opened,
  );
  const { link, secret, ownerSecret, ownerToken, lease, expiresAtMs } = made;
  const [keys, key] = await Promise.all([deriveContentKeys(link.portal, secret), ownerKey(ownerSecret)]);
  const nowMs = Date.now();
  const record: PortalRecord = {
    as: request === null ? "sent" : "delivered",
    portal: base64urlnopad.encode(link.portal),
    relayOrigin,
    relays: furtherOrigins(info, relayOrigin, { maxDownloads, isDelivery: request !== null }),
    kind: "send",
    title: "",
    bytesTotal: 0,
    entriesTotal: 0,
    createdAtMs: nowMs,
    expiresAtMs: nowMs + expirySeconds * 1000,
    secret,
    ownerSecret,
    adminLink: null,
    links: [{ path: formatLink(link), link: null, label: "" }],
    ended: null,
    changedAtMs: nowMs,
  };
  const portal = { link, keys, ownerKey: key, ownerToken, lease: { lease, takeOver: false }, expiresAtMs };
  return { portal, made, record };
}

/**
 * Ends the portal for everybody; a relay that cannot be reached forgets it when it expires. Gives those of the further relays
 * that could not be told.
 */
export async function deletePortal(
  relayOrigin: string,
  further: readonly string[],
  { link, ownerKey: key, ownerToken }: Pick<OwnedPortal, "link" | "ownerKey" | "ownerToken">,
): Promise<readonly string[]> {
  const home = endPortal(relayHost(relayOrigin), link.portal, ownerToken).catch(() => {});
  const isTold = await Promise.all(
    further.map(async (origin) => {
      const host = { ...relayHost(origin), signal: AbortSignal.timeout(END_MS) };
      const ended = endPortal(host, link.portal, await relayToken(key, "own", origin, link.portal));
      return ended.then(() => true).catch(isGone);
    }),
  );
  await home;
  return further.filter((_, i) => !isTold[i]);
}

/** What the relay asks for before it creates a portal. @throws Failure `relay/invite` */
export async function admission({ creation }: RelayInfo): Promise<Admission> {
  const invite = creation.invite ? await storedInvite().catch(() => null) : null;
  if (creation.invite && invite === null) throw new Failure("relay/invite");
  return { invite, workBits: creation.workBits };
}

/** @throws Failure `link/…` | `password/…` | `portal/unknown` */
async function openRequest(
  host: RelayHost,
  { link, password }: NonNullable<SendOptions["request"]>,
): Promise<{ readonly opened: OpenedRequest; readonly secondsLeft: number }> {
  const opened = await openLink(host, parseLink(link), password === "" ? null : password);
  if (opened === null) throw new Failure("password/needed");
  const { grant, token, expiresAtMs } = opened;
  if (grant.capability !== "write") throw new Failure("link/purpose", { capability: grant.capability });
  const secondsLeft = Math.max(MIN_EXPIRY_SECONDS, Math.floor((expiresAtMs - Date.now()) / 1000));
  return {
    opened: { portal: opened.link.portal, token, offerKey: grant.offerKey, title: grant.title },
    secondsLeft,
  };
}
