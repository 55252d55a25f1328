/**
 * What creating takes: not too often from one address, an invitation and work where the operator asks for them.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { Failure } from "../../../core/failure.ts";
import { INVITE_HEADER, WORK_HEADER } from "../../../core/portal/portal.ts";
import { isWorked } from "../../../core/portal/work.ts";
import type { HttpServices, RelayContext } from "./context.ts";

/** Random bytes of an invitation. */
export const INVITE_BYTES = 24;
const INVITE = /^[A-Za-z0-9_-]{32}$/;

/** What the relay keeps of an invitation, u8[32]. */
export function inviteHash(invite: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(createHash("sha256").update(invite).digest());
}

/**
 * Counts a creation of a portal or a vault.
 * @returns the hash of the invitation that the creation is to use up, or null where none is needed
 * @throws Failure `relay/busy` | `relay/invite`
 */
export async function admitCreation(
  c: RelayContext,
  { guard, config }: HttpServices,
): Promise<Uint8Array<ArrayBuffer> | null> {
  await guard.creation(c.get("address"));
  if (!config.inviteOnly) return null;
  const invite = c.req.header(INVITE_HEADER) ?? "";
  if (!INVITE.test(invite)) throw new Failure("relay/invite");
  return inviteHash(invite);
}

/** @param portal u8[16]. @throws Failure `relay/work` when the stamp of the request is none for this portal */
export function checkWork(c: RelayContext, { config }: HttpServices, portal: Uint8Array): void {
  if (config.workBits === 0) return;
  const { scheme, host } = c.get("origin");
  const text = c.req.header(WORK_HEADER) ?? "";
  const stamp = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  // As browsers write it, without a scheme's own port.
  if (!isWorked(portal, new URL(`${scheme}//${host}`).origin, stamp, config.workBits))
    throw new Failure("relay/work", { bits: config.workBits });
}
