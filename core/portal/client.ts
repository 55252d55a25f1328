/**
 * A client's half of portals and links over the relay's API: making a portal with its first link, making more links, opening
 * one. Moving bytes is core/transfer.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { callApi, type SendRequest } from "../edge/http-link.ts";
import { Failure } from "../failure.ts";
import {
  type ContentKeys,
  commitmentMatches,
  createSecret,
  deriveContentKeys,
  deriveLinkKeys,
  type LinkKeys,
  linkId,
  NO_PASSWORD,
  ownerKey,
  passwordSalt,
  relayToken,
  tokenHash,
} from "../seal/keys.ts";
import { createLink, type PortalLink } from "../seal/link.ts";
import { readCreated, readLinkAccess } from "./answers.ts";
import { type Grant, openGrant } from "./grant.ts";
import { type DescribedLink, describeLink, type LinkHost, type LinkRules } from "./new-link.ts";
import { offerKeys, sealOffer } from "./offer.ts";
import {
  type CreatedPortal,
  type CreatePortal,
  INVITE_HEADER,
  type LinkAccess,
  type PortalKind,
  WORK_HEADER,
} from "./portal.ts";
import { findStamp } from "./work.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** One relay, and what this host brings. */
export interface RelayHost extends LinkHost {
  readonly send: SendRequest;
  readonly signal?: AbortSignal;
}

/** What the maker of a portal chooses. */
export interface PortalRules {
  readonly expirySeconds: number;
  readonly idleSeconds: number | null;
  readonly maxDownloads: number | null;
}

/** A portal that was just made; its secrets are the caller's. */
export interface MadePortal {
  readonly link: PortalLink;
  /** R, u8[32] */
  readonly secret: Bytes;
  /** u8[32] */
  readonly ownerSecret: Bytes;
  readonly ownerToken: Bytes;
  readonly lease: number;
  /** Milliseconds since 1970 */
  readonly expiresAtMs: number;
  /** What its relay was told, for further ones (core/portal/further.ts). */
  readonly told: { readonly body: CreatePortal; readonly link: DescribedLink };
}

/** What a relay may ask for before it creates a portal. */
export interface Admission {
  readonly invite: string | null;
  readonly workBits: number;
}

/** A request's write link, opened: what a delivery needs of it. */
export interface OpenedRequest {
  readonly portal: Bytes;
  /** u8[32] of its write link. */
  readonly token: Bytes;
  readonly offerKey: Bytes;
  readonly title: string;
}

/** A link that was opened. */
export interface OpenedPortal {
  readonly link: PortalLink;
  /** u8[16], the link's public name. */
  readonly id: Bytes;
  /** HMAC-SHA-256 key behind the token, not extractable: opens the link again without its password. */
  readonly auth: CryptoKey;
  /** u8[32] */
  readonly token: Bytes;
  readonly grant: Grant;
  readonly kind: PortalKind;
  readonly isLimited: boolean;
  readonly expiresAtMs: number;
}

/**
 * Creates a portal with one link: a read link for `send`, a write link for `request` (with its title). With `request`, it is a
 * delivery, and its link is offered to whoever asked.
 * @throws Failure `portal/…` | `relay/…`
 */
export async function createPortal(
  host: RelayHost,
  kind: { readonly kind: "send" } | { readonly kind: "request"; readonly title: string },
  rules: PortalRules,
  linkRules: LinkRules,
  admission: Admission,
  request?: OpenedRequest,
): Promise<MadePortal> {
  const link = createLink();
  const [secret, ownerSecret] = [createSecret(), createSecret()];
  const grant = await firstGrant(kind, secret, link.portal);
  const [first, ownerToken] = await Promise.all([
    describeLink(host, link, grant, linkRules),
    ownerKey(ownerSecret).then((key) => relayToken(key, "own", host.origin, link.portal)),
  ]);
  const body: CreatePortal = {
    portal: base64urlnopad.encode(link.portal),
    kind: kind.kind,
    ownerTokenHash: base64urlnopad.encode(tokenHash(ownerToken)),
    ...rules,
    links: [first.body],
    delivery: request === undefined ? null : await deliveryOf(request, link),
    partial: false,
  };
  const { lease, expiresAtMs } = await postPortal(host, body, admission, request?.token);
  return { link, secret, ownerSecret, ownerToken, lease, expiresAtMs, told: { body, link: first } };
}

/**
 * Tells a relay of a new portal, with what it asks for.
 * @param token of a request's write link, for a delivery
 * @throws Failure `portal/…` | `relay/…`
 */
export async function postPortal(
  host: RelayHost,
  body: CreatePortal,
  admission: Admission,
  token?: Bytes,
): Promise<CreatedPortal> {
  const headers: Record<string, string> = { "Content-Type": "application/json" };
  if (token !== undefined) Object.assign(headers, bearer(token));
  if (admission.invite !== null) headers[INVITE_HEADER] = admission.invite;
  if (admission.workBits > 0) {
    const portal = base64urlnopad.decode(body.portal);
    headers[WORK_HEADER] = String(await findStamp(portal, host.origin, admission.workBits, host.signal));
  }
  return readCreated(await call(host, "POST", "/api/v1/portals", headers, JSON.stringify(body)));
}

/**
 * Opens a link; without a password where it may have none. Gives null when it needs one.
 * @throws Failure `password/wrong` | `link/wrong-secret` | `portal/unknown` | `relay/…`
 */
export async function openLink(
  host: RelayHost,
  link: PortalLink,
  password: string | null,
): Promise<OpenedPortal | null> {
  const path = await linkPath(link);
  // A token that was formed without a password is no guess at one.
  const first = await tryLink(host, `${path}?plain=1`, link, NO_PASSWORD);
  if (first.password === null) return toOpened(link, first);
  if (password === null) return null;
  const key = await host.passwordKey(password, await passwordSalt(link), first.password);
  // The link was there a moment ago: what it does not open to now is the password.
  const second = await tryLink(host, path, link, key).catch((error: unknown) => {
    throw error instanceof Failure && error.code === "portal/unknown" ? new Failure("password/wrong") : error;
  });
  if (second.opened === null) throw new Failure("password/wrong");
  return toOpened(link, second);
}

/**
 * Opens a link again by the key that was kept of it; what it gives was kept too.
 * @throws Failure `portal/unknown` | `relay/…`
 */
export async function reopenLink(
  host: RelayHost,
  link: PortalLink,
  auth: CryptoKey,
): Promise<Omit<OpenedPortal, "grant">> {
  const [id, path] = await Promise.all([linkId(link), linkPath(link)]);
  const { token, opened } = await ask(host, path, link, auth);
  if (opened === null) throw new Failure("relay/foreign", { what: "link" });
  return { link, id, auth, token, kind: opened.kind, isLimited: opened.isLimited, expiresAtMs: opened.expiresAtMs };
}

/** Ends a portal for everybody. @param token its owner's, or an admin link's. @throws Failure `portal/…` | `relay/…` */
export async function endPortal(host: RelayHost, portal: Uint8Array, token: Bytes): Promise<void> {
  await call(host, "DELETE", portalPath(portal), bearer(token));
}

/** The keys of a portal's content. @param grant of a read or an admin link. @throws Failure `link/purpose` */
export async function contentKeysOf({ link, grant }: Pick<OpenedPortal, "link" | "grant">): Promise<ContentKeys> {
  if (grant.capability === "write") throw new Failure("link/purpose", { capability: "write" });
  return deriveContentKeys(link.portal, grant.secret);
}

/** Path of a portal below the relay's origin. */
export function portalPath(portal: Uint8Array): string {
  return `/api/v1/portals/${base64urlnopad.encode(portal)}`;
}

interface Attempt extends LinkAccess {
  readonly keys: LinkKeys;
  readonly token: Bytes;
}

async function tryLink(host: RelayHost, path: string, link: PortalLink, passwordKey: Bytes): Promise<Attempt> {
  const keys = await deriveLinkKeys(link, passwordKey);
  return { keys, ...(await ask(host, path, link, keys.auth)) };
}

async function ask(host: RelayHost, path: string, { portal }: PortalLink, auth: CryptoKey) {
  const token = await relayToken(auth, "link", host.origin, portal);
  const { password, opened } = readLinkAccess(await call(host, "GET", path, bearer(token)));
  return { token, password, opened };
}

async function linkPath(link: PortalLink): Promise<string> {
  return `${portalPath(link.portal)}/links/${base64urlnopad.encode(await linkId(link))}`;
}

function bearer(token: Bytes): Readonly<Record<string, string>> {
  return { Authorization: `Bearer ${base64urlnopad.encode(token)}` };
}

async function toOpened(link: PortalLink, { keys, token, opened }: Attempt): Promise<OpenedPortal> {
  if (opened === null) throw new Failure("link/wrong-secret");
  if (!commitmentMatches(keys, decode(opened.keyCommitment))) throw new Failure("link/wrong-secret");
  const id = await linkId(link);
  const place = { portal: link.portal, link: id, capability: opened.capability };
  const grant = await openGrant(keys.grant, place, decode(opened.grant));
  const { kind, isLimited, expiresAtMs } = opened;
  return { link, id, auth: keys.auth, token, grant, kind, isLimited, expiresAtMs };
}

async function firstGrant(
  kind: { readonly kind: "send" } | { readonly kind: "request"; readonly title: string },
  secret: Bytes,
  portal: Bytes,
): Promise<Grant> {
  if (kind.kind === "send") return { capability: "read", secret };
  const { publicKey } = await offerKeys(secret, portal);
  return { capability: "write", offerKey: publicKey, title: kind.title };
}

async function deliveryOf(request: OpenedRequest, link: PortalLink): Promise<CreatePortal["delivery"]> {
  const place = { request: request.portal, delivery: link.portal };
  const offer = await sealOffer(request.offerKey, place, link.secret);
  return { request: base64urlnopad.encode(request.portal), offer: base64urlnopad.encode(offer) };
}

function decode(text: string): Bytes {
  try {
    return new Uint8Array(base64urlnopad.decode(text));
  } catch (cause) {
    throw new Failure("relay/foreign", { what: "base64url" }, { cause });
  }
}

function call(
  { send, signal }: RelayHost,
  method: "GET" | "POST" | "DELETE",
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: string,
): Promise<unknown> {
  return callApi(send, { method, path, headers, ...(body !== undefined && { body }), ...(signal && { signal }) });
}
