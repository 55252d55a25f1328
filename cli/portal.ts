/**
 * Making, opening and ending a portal from a terminal.
 *
 * @module
 */
import { Failure } from "../core/failure.ts";
import {
  type Admission,
  contentKeysOf,
  createPortal,
  endPortal,
  type OpenedPortal,
  type OpenedRequest,
  openLink,
  type RelayHost,
} from "../core/portal/client.ts";
import { OPEN_LINK } from "../core/portal/new-link.ts";
import { type ContentKeys, deriveContentKeys } from "../core/seal/keys.ts";
import { type PortalLink, parseLink } from "../core/seal/link.ts";
import { fetchFrom } from "./http.ts";
import { passwordKey } from "./password.ts";

/** A relay that does not answer must not keep the program open. */
const LAST_WORD_MS = 5_000;

/** What the sender chose. */
export interface NewPortal {
  /** Of the portal's own link; null for none. */
  readonly password: string | null;
  readonly expirySeconds: number;
  readonly maxDownloads: number | null;
  readonly admission: Admission;
  /** Where it is handed in to somebody. */
  readonly request?: OpenedRequest;
}

/** A portal that was made here. */
export interface OwnedPortal {
  readonly link: PortalLink;
  readonly keys: ContentKeys;
  readonly ownerToken: Uint8Array<ArrayBuffer>;
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
}

/** A link that was opened, and where. */
export interface SharedPortal extends OpenedPortal {
  readonly host: RelayHost;
}

/** @throws Failure when the relay refuses, or is not there */
export async function makePortal(origin: string, options: NewPortal, signal: AbortSignal): Promise<OwnedPortal> {
  const { password, expirySeconds, maxDownloads, admission, request } = options;
  const rules = { expirySeconds, idleSeconds: null, maxDownloads };
  const linkRules = { ...OPEN_LINK, password: password ?? "" };
  const host = relayHost(origin, signal);
  const made = await createPortal(host, { kind: "send" }, rules, linkRules, admission, request);
  const { link, ownerToken, expiresAtMs } = made;
  return { link, keys: await deriveContentKeys(link.portal, made.secret), ownerToken, expiresAtMs };
}

/** Ends a portal that will not be finished; where the relay does not answer, it ends when its time is over. */
export async function deletePortal(origin: string, { link, ownerToken }: OwnedPortal): Promise<void> {
  const host = relayHost(origin, AbortSignal.timeout(LAST_WORD_MS));
  await endPortal(host, link.portal, ownerToken).catch(() => {});
}

/**
 * Opens a link.
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
  const host = relayHost(originOf(text) ?? relay, signal);
  const opened = await openLink(host, link, password);
  if (opened === null) throw new Failure("password/needed");
  return { ...opened, host };
}

/**
 * The keys of what a portal holds. By an admin link one may look at it, which is no download.
 * @throws Failure `link/purpose` when the link is for something else
 */
export async function readingKeys(opened: OpenedPortal, purpose: "get" | "info"): Promise<ContentKeys> {
  const { kind, grant } = opened;
  if (kind !== "send" || (purpose === "get" && grant.capability !== "read"))
    throw new Failure("link/purpose", { capability: grant.capability });
  return contentKeysOf(opened);
}

/** A request to hand files in to. @throws Failure `link/purpose` when the link is for something else */
export function requestOf({ link, token, grant }: OpenedPortal): OpenedRequest {
  if (grant.capability !== "write") throw new Failure("link/purpose", { capability: grant.capability });
  return { portal: link.portal, token, offerKey: grant.offerKey, title: grant.title };
}

function relayHost(origin: string, signal: AbortSignal): RelayHost {
  return { origin, send: fetchFrom(origin), passwordKey, signal };
}

/** The relay's origin in a whole link, or null. @throws Failure `link/cut` for an address that is not a relay's */
function originOf(text: string): string | null {
  if (text.startsWith("/")) return null;
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) throw new Failure("link/cut");
  return url.origin;
}
