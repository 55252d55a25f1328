/**
 * Opening a link in the transfer worker: with or without its password, or again with what an interrupted receive kept.
 *
 * @module
 */
import { Failure } from "../../core/failure.ts";
import { contentKeysOf, type OpenedPortal, openLink, type RelayHost, reopenLink } from "../../core/portal/client.ts";
import type { ContentKeys } from "../../core/seal/keys.ts";
import type { PortalLink } from "../../core/seal/link.ts";
import type { LinkPurpose } from "./api.ts";

/** What receiving by a link takes. */
export interface Readable {
  readonly keys: ContentKeys;
  /** HMAC-SHA-256 key behind the link's token, not extractable. */
  readonly auth: CryptoKey;
  /** u8[32] */
  readonly token: Uint8Array<ArrayBuffer>;
  readonly isLimited: boolean;
  readonly expiresAtMs: number;
}

/** What a link turned out to be; `readable` is null where it is not for reading. */
export interface Opening {
  readonly purpose: LinkPurpose;
  readonly readable: Readable | null;
}

/** Gives null when a password is needed and none is given. @throws Failure `password/wrong` | `link/…` | `portal/unknown` | `relay/…` */
export async function openFresh(host: RelayHost, link: PortalLink, password: string | null): Promise<Opening | null> {
  const opened = await openLink(host, link, password);
  return opened && toOpening(opened);
}

/** Opens with the keys that a journal kept, for which no password is needed. @throws Failure `portal/unknown` | `relay/…` */
export async function openKept(
  host: RelayHost,
  link: PortalLink,
  { keys, auth }: Pick<Readable, "keys" | "auth">,
): Promise<Opening> {
  const { token, isLimited, expiresAtMs } = await reopenLink(host, link, auth);
  return { purpose: { capability: "read" }, readable: { keys, auth, token, isLimited, expiresAtMs } };
}

async function toOpening(opened: OpenedPortal): Promise<Opening> {
  const { grant, auth, token, isLimited, expiresAtMs } = opened;
  switch (grant.capability) {
    case "write":
      return { purpose: { capability: "write", title: grant.title }, readable: null };
    case "admin":
      return { purpose: { capability: "admin" }, readable: null };
    default: {
      const keys = await contentKeysOf(opened);
      return { purpose: { capability: "read" }, readable: { keys, auth, token, isLimited, expiresAtMs } };
    }
  }
}

/** What can be received by. @throws Failure `password/needed` before a link is open, `link/purpose` for one that is not for reading */
export function readableOf(opening: Opening | undefined): Readable {
  if (opening === undefined) throw new Failure("password/needed");
  if (opening.readable === null) throw new Failure("link/purpose", { capability: opening.purpose.capability });
  return opening.readable;
}
