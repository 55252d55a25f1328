/**
 * The one authorisation: who may do what with a portal, decided by the SHA-256 of a token. HTTP, WebSocket and
 * WebTransport all call it in their handlers.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { Failure } from "../../../core/failure.ts";
import { type Capability, MAX_LINKS } from "../../../core/portal/portal.ts";
import { type LinkKey, type PortalKey, portalKey } from "../bytes.ts";
import type { Guard } from "../guard/guard.ts";
import type { StoredLink } from "../store/access.ts";
import type { StoredPortal } from "../store/store.ts";
import { isLinkOpen } from "./link-rules.ts";
import type { LivePortal } from "./live-portal.ts";
import type { Portals } from "./portals.ts";

/** What a token is good for. */
export type Grant = "owner" | Capability;

/** Who may read, and who may change the rules. */
export const READERS = ["read", "admin", "owner"] as const satisfies readonly Grant[];
export const MANAGERS = ["admin", "owner"] as const satisfies readonly Grant[];

/** What authorising needs. */
export interface AuthoriseServices {
  readonly portals: Portals;
  readonly guard: Guard;
}

/** A request, as far as its rights go. */
export interface Credentials {
  /** u8[16] */
  readonly portal: Uint8Array;
  /** u8[32], or undefined when none came. */
  readonly token: Uint8Array | undefined;
  /** Whom it comes from. */
  readonly address: string;
}

export interface Authorised {
  readonly key: PortalKey;
  readonly grant: Grant;
  /** Whose token it was, null for the owner. */
  readonly link: StoredLink | null;
  readonly stored: StoredPortal;
  /** Undefined when the portal ended; only `endedToo` lets that pass. */
  readonly live: LivePortal | undefined;
}

/** A portal that has not ended, and the link that reads from it; null where reading is not counted. */
export type AuthorisedLive = Authorised & { readonly live: LivePortal; readonly readLink: LinkKey | null };

const NOBODY = new Uint8Array(32);

/**
 * Finds what a token is good for. Whatever is wrong (no such portal, no such token, a link that is revoked, used up or outside
 * of its window, a portal that ended) gives the same failure after the same work; only who owns or manages a portal is told
 * that it ended.
 * @param allowed grants that are enough
 * @throws Failure `portal/unknown` | `portal/expired`, `relay/busy` for an address that was wrong too often
 */
export async function authorise(
  services: AuthoriseServices,
  who: Credentials,
  allowed: readonly Grant[],
): Promise<AuthorisedLive> {
  const { live, ...found } = await authoriseEnded(services, who, allowed);
  if (live === undefined) throw new Failure("portal/expired");
  return { ...found, live, readLink: found.grant === "read" && found.link !== null ? found.link.link : null };
}

/** The same, also for owner and admins of a portal that has ended. @throws Failure `portal/unknown` | `relay/busy` */
export async function authoriseEnded(
  { portals, guard }: AuthoriseServices,
  { portal, token, address }: Credentials,
  allowed: readonly Grant[],
): Promise<Authorised> {
  const key = portalKey(portal);
  const found = await portals.find(key);
  const { isOwner, link } = match(found?.stored, token, portals.nowMs);
  const grant = isOwner ? "owner" : link?.capability;
  const isManager = grant === "owner" || grant === "admin";
  if (found === undefined || grant === undefined || !(found.live || isManager) || !allowed.includes(grant))
    throw await guard.wrongToken(key, address);
  if (!isOwner && link?.password) await guard.passwordToken(key, address);
  return { key, grant, link: isOwner ? null : (link ?? null), ...found };
}

/**
 * Opens one link by its public name. A token that was formed without a password is no guess at one: where a password is needed,
 * `isRight` is false instead of a failure.
 * @param isPlain the token was formed without a password
 * @throws Failure `portal/unknown`
 */
export async function openLink(
  { portals, guard }: AuthoriseServices,
  { portal, token, address }: Credentials,
  name: LinkKey,
  isPlain: boolean,
): Promise<{ readonly live: LivePortal; readonly link: StoredLink; readonly isRight: boolean }> {
  const key = portalKey(portal);
  const { stored, live } = (await portals.find(key)) ?? {};
  const link = live?.link(name);
  // What is said to be no guess at a password is none: whether it is right is not told.
  const isGuess = !isPlain || link?.password === null;
  const isRight = match(stored, token, portals.nowMs).link?.link === name && isGuess;
  const isOpen = link !== undefined && live !== undefined && isLinkOpen(link, live.stored, portals.nowMs);
  if (!isOpen || !(isRight || (isPlain && link.password !== null))) throw await guard.wrongToken(key, address);
  if (isRight && link.password !== null) await guard.passwordToken(key, address);
  return { live, link, isRight };
}

/** Compares a token with as many hashes as a portal can have, whichever portal it is, if any. */
function match(
  stored: StoredPortal | undefined,
  token: Uint8Array | undefined,
  nowMs: number,
): { readonly isOwner: boolean; readonly link: StoredLink | undefined } {
  const given = createHash("sha256")
    .update(token ?? NOBODY)
    .digest();
  const isSame = (hash: Uint8Array | undefined) => timingSafeEqual(given, hash ?? NOBODY) && token !== undefined;
  const isOwner = isSame(stored?.ownerTokenHash);
  let link: StoredLink | undefined;
  for (let at = 0; at < MAX_LINKS; at++) {
    const one = stored?.links[at];
    if (isSame(one?.tokenHash) && stored !== undefined && one !== undefined && isLinkOpen(one, stored, nowMs))
      link ??= one;
  }
  return { isOwner, link };
}
