/**
 * Portals and links as the API writes them, from and to what the relay keeps.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { Failure } from "../../../core/failure.ts";
import {
  type CreatePortal,
  type LinkDetails,
  MAX_GRANT_BYTES,
  MAX_OFFER_BYTES,
  type NewLink,
  type OpenedLink,
  type PortalKind,
  type PortalStateJson,
} from "../../../core/portal/portal.ts";
import { fromBase64url, fromHex, linkKey, portalKey, toBase64url } from "../bytes.ts";
import { isLimited } from "../portal/link-rules.ts";
import type { LivePortal } from "../portal/live-portal.ts";
import type { LinkEntry, StoredLink } from "../store/access.ts";
import type { NewPortal } from "../store/store.ts";

/** A creation, without what the relay decides. @throws Failure `wire/malformed` */
export function toNewPortal(given: CreatePortal): Omit<NewPortal, "createdAtMs" | "expiresAtMs" | "delivery"> {
  const { kind, maxDownloads, expirySeconds, idleSeconds, partial } = given;
  const links = given.links.map((link) => toLinkEntry(link, kind));
  if (new Set(links.map(({ link }) => link)).size < links.length)
    throw new Failure("wire/malformed", { what: "links" });
  const isWhole = kind === "request" || given.delivery !== null || maxDownloads !== null;
  if (partial && (isWhole || links.some(({ maxUses }) => maxUses !== null))) throw notPartial();
  return {
    key: portalKey(fromBase64url(given.portal, 16, "portal")),
    kind,
    requestHash: requestHash(given),
    ownerTokenHash: fromBase64url(given.ownerTokenHash, 32, "ownerTokenHash"),
    maxDownloads,
    expirySeconds,
    idleSeconds,
    links,
    isPartial: partial,
  };
}

/** What a portal that other relays complete cannot be, or have. */
export function notPartial(): Failure {
  return new Failure("wire/malformed", { what: "partial" });
}

/** Everything that the maker chose, in one order. */
function requestHash({ links, delivery, ...rest }: CreatePortal): Uint8Array<ArrayBuffer> {
  const { portal, kind, ownerTokenHash, expirySeconds, idleSeconds, maxDownloads, partial } = rest;
  const chosen = [
    // What was created before there were others has the hash that it had.
    [portal, kind, ownerTokenHash, expirySeconds, idleSeconds, maxDownloads, ...(partial ? ["partial"] : [])],
    links.map(({ link, capability, tokenHash, keyCommitment, grant, password, maxUses, notBeforeMs, expiresAtMs }) => [
      [link, capability, tokenHash, keyCommitment, grant, maxUses, notBeforeMs, expiresAtMs],
      password && [password.algorithm, password.memory, password.iterations, password.parallelism],
    ]),
    delivery && [delivery.request, delivery.offer],
  ];
  return Uint8Array.from(createHash("sha256").update(JSON.stringify(chosen)).digest());
}

/** @throws Failure `wire/malformed` also for what a portal of this kind has no links for */
export function toLinkEntry(given: NewLink, kind: PortalKind): LinkEntry {
  const { capability, password, maxUses, notBeforeMs, expiresAtMs } = given;
  if (capability === (kind === "send" ? "write" : "read")) throw new Failure("wire/malformed", { what: "capability" });
  if (capability === "admin" && maxUses !== null) throw new Failure("wire/malformed", { what: "maxUses" });
  if (notBeforeMs !== null && expiresAtMs !== null && notBeforeMs >= expiresAtMs)
    throw new Failure("wire/malformed", { what: "expiresAtMs" });
  return {
    link: linkKey(fromBase64url(given.link, 16, "link")),
    capability,
    tokenHash: fromBase64url(given.tokenHash, 32, "tokenHash"),
    keyCommitment: fromBase64url(given.keyCommitment, 32, "keyCommitment"),
    grant: boundedBytes(given.grant, MAX_GRANT_BYTES, "grant"),
    password,
    maxUses,
    notBeforeMs,
    expiresAtMs,
  };
}

/** @throws Failure `wire/malformed` */
export function offerBytes(text: string): Uint8Array<ArrayBuffer> {
  return boundedBytes(text, MAX_OFFER_BYTES, "offer");
}

function boundedBytes(text: string, max: number, what: string): Uint8Array<ArrayBuffer> {
  const length = Math.floor((text.length * 6) / 8);
  if (length > max) throw new Failure("wire/malformed", { what });
  return fromBase64url(text, length, what);
}

/** What whoever opens a link is told. */
export function toOpenedLink({ stored }: LivePortal, link: StoredLink): OpenedLink {
  return {
    capability: link.capability,
    kind: stored.kind,
    keyCommitment: toBase64url(link.keyCommitment),
    grant: toBase64url(link.grant),
    isLimited: isLimited(link, stored),
    expiresAtMs: Math.min(stored.expiresAtMs, link.expiresAtMs ?? Number.POSITIVE_INFINITY),
  };
}

/** One link, as its owner sees it. */
export function toLinkDetails(link: StoredLink): LinkDetails {
  const { capability, password, uses, maxUses, notBeforeMs, expiresAtMs, createdAtMs } = link;
  const limits = { uses, maxUses, notBeforeMs, expiresAtMs, createdAtMs };
  return { link: toBase64url(fromHex(link.link)), capability, hasPassword: password !== null, ...limits };
}

/** The state with all of its ranges. */
export function toStateJson(portal: LivePortal): PortalStateJson {
  const { commitment, ...state } = portal.state();
  const heldPacks = portal.held.pack.ranges();
  const heldPages = portal.held.page.ranges();
  const told = commitment && { ...commitment, root: toBase64url(commitment.root) };
  return { ...state, heldPacks, heldPages, commitment: told, version: portal.version };
}
