/**
 * The one authorisation: who may do what with a portal, decided by the SHA-256 of a token. HTTP, WebSocket and
 * WebTransport all call it in their handlers.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { Failure } from "../../../core/failure.ts";
import { type PortalKey, portalKey } from "../bytes.ts";
import type { LivePortal } from "./live-portal.ts";
import type { Portals } from "./portals.ts";

/** What a token is good for. */
export type Grant = "owner" | "read";

export interface Authorised {
  readonly key: PortalKey;
  readonly grant: Grant;
  /** Undefined when the portal ended; only `endedToo` lets that pass. */
  readonly live: LivePortal | undefined;
}

const NOBODY = new Uint8Array(32);

/**
 * An unknown portal and a wrong token give the same failure after the same work.
 * @param portal u8[16]
 * @param token u8[32], or undefined when none came
 * @param allowed grants that are enough
 * @throws Failure `portal/unknown` | `portal/expired`
 */
export async function authorise(
  portals: Portals,
  portal: Uint8Array,
  token: Uint8Array | undefined,
  allowed: readonly Grant[],
  options: { readonly endedToo: true },
): Promise<Authorised>;
export async function authorise(
  portals: Portals,
  portal: Uint8Array,
  token: Uint8Array | undefined,
  allowed: readonly Grant[],
): Promise<Authorised & { readonly live: LivePortal }>;
export async function authorise(
  portals: Portals,
  portal: Uint8Array,
  token: Uint8Array | undefined,
  allowed: readonly Grant[],
  options: { readonly endedToo?: boolean } = {},
): Promise<Authorised> {
  const key = portalKey(portal);
  const found = await portals.find(key);
  const given = createHash("sha256")
    .update(token ?? NOBODY)
    .digest();
  const isOwner = timingSafeEqual(given, found?.stored.ownerTokenHash ?? NOBODY);
  const isReader = timingSafeEqual(given, found?.stored.readTokenHash ?? NOBODY);
  const grant = isOwner ? "owner" : isReader ? "read" : undefined;
  if (token === undefined || found === undefined || grant === undefined || !allowed.includes(grant)) {
    throw new Failure("portal/unknown");
  }
  if (found.live === undefined && options.endedToo !== true) throw new Failure("portal/expired");
  return { key, grant, live: found.live };
}
