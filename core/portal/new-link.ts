/**
 * A link as it is made: what its maker chooses, and what each relay is told of it. Its secret, and its password, stay here.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { deriveLinkKeys, linkId, NO_PASSWORD, passwordSalt, relayToken, tokenHash } from "../seal/keys.ts";
import type { PortalLink } from "../seal/link.ts";
import { type Grant, sealGrant } from "./grant.ts";
import { PASSWORD_PARAMETERS } from "./password.ts";
import type { NewLink, PasswordParameters } from "./portal.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What describing a link takes of a host. */
export interface LinkHost {
  /** Of the relay that is told, `https://relay.example:8443`, as browsers write it. */
  readonly origin: string;
  /** Argon2id; gives u8[32]. @throws Failure `manifest/limit` for parameters outside of the accepted range */
  readonly passwordKey: (password: string, salt: Bytes, parameters: PasswordParameters) => Promise<Bytes>;
}

/** What the maker of a link chooses. */
export interface LinkRules {
  /** Empty for none. */
  readonly password: string;
  readonly maxUses: number | null;
  /** Milliseconds since 1970, by the relay's date. */
  readonly notBeforeMs: number | null;
  readonly expiresAtMs: number | null;
}

/** A link without rules of its own. */
export const OPEN_LINK: LinkRules = { password: "", maxUses: null, notBeforeMs: null, expiresAtMs: null };

/** A link as one relay is told of it, and what makes it known to others. */
export interface DescribedLink {
  readonly body: NewLink;
  /** HMAC-SHA-256 key behind its tokens, not extractable. */
  readonly auth: CryptoKey;
}

/** What the relay is told of a link. Its secret, and its password, stay here. */
export async function describeLink(
  host: LinkHost,
  link: PortalLink,
  grant: Grant,
  { password, ...limits }: LinkRules,
): Promise<DescribedLink> {
  const salted =
    password === "" ? NO_PASSWORD : await host.passwordKey(password, await passwordSalt(link), PASSWORD_PARAMETERS);
  const [keys, id] = await Promise.all([deriveLinkKeys(link, salted), linkId(link)]);
  const { capability } = grant;
  const [hash, sealed] = await Promise.all([
    linkTokenHash(keys.auth, host.origin, link.portal),
    sealGrant(keys.grant, { portal: link.portal, link: id, capability }, grant),
  ]);
  const body: NewLink = {
    link: base64urlnopad.encode(id),
    capability,
    tokenHash: hash,
    keyCommitment: base64urlnopad.encode(keys.keyCommitment),
    grant: base64urlnopad.encode(sealed),
    password: password === "" ? null : PASSWORD_PARAMETERS,
    ...limits,
  };
  return { body, auth: keys.auth };
}

/** The same link as the relay at `origin` is told of it. Its token is another one there; the rest is the same everywhere. */
export async function linkFor(origin: string, { body, auth }: DescribedLink, portal: Uint8Array): Promise<NewLink> {
  return { ...body, tokenHash: await linkTokenHash(auth, origin, portal) };
}

async function linkTokenHash(auth: CryptoKey, origin: string, portal: Uint8Array): Promise<string> {
  return base64urlnopad.encode(tokenHash(await relayToken(auth, "link", origin, portal)));
}
