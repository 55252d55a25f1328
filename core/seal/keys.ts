/**
 * The key hierarchy. A portal has a random secret R; its packs and pages are sealed with keys from it. A link has a secret S
 * of its own; from S and, where there is a password, its Argon2id key come the key that seals what the link gives (its grant:
 * R, for a read link), the commitment, and the key behind its token. So links open with different passwords, and one can be
 * revoked without the others. The owner's secret is random too: no link gives it.
 *
 * @module
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { ascii, concat } from "../bytes.ts";
import { equalBytes } from "../wire/codec.ts";
import type { PortalLink } from "./link.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes of a portal's secret, and of an owner's. */
export const PORTAL_SECRET_BYTES = 32;
/** Bytes of a link's public name. */
export const LINK_ID_BYTES = 16;

/** What opens a portal's objects. AES-256-GCM, not extractable. */
export interface ContentKeys {
  readonly pack: CryptoKey;
  readonly page: CryptoKey;
  /** Of what members of the portal say to each other (seal/signal.ts); a journal of an earlier version has none. */
  readonly signal?: CryptoKey;
}

/** What a link's secret and its password give; neither key is extractable. */
export interface LinkKeys {
  /** AES-256-GCM, for the link's grant alone. */
  readonly grant: CryptoKey;
  /** HMAC-SHA-256 key behind the link's token; never leaves the client. */
  readonly auth: CryptoKey;
  /** Told to whoever shows the token; equal only for the same secret and password. u8[32] */
  readonly keyCommitment: Bytes;
}

/** Argon2id output of the password; empty when the link has none. */
export const NO_PASSWORD: Bytes = new Uint8Array(0);

const SALT = ascii("warp/1\0");

/** Fresh random bytes for a portal's or an owner's secret. */
export function createSecret(): Bytes {
  return crypto.getRandomValues(new Uint8Array(PORTAL_SECRET_BYTES));
}

/** @param secret R, u8[32]; borrowed */
export async function deriveContentKeys(portal: Uint8Array, secret: Bytes): Promise<Required<ContentKeys>> {
  const base = await hkdfKey(secret);
  const salt = concat([SALT, portal]);
  const aes = (info: string) => aesKey(base, salt, info);
  const [pack, page, signal] = await Promise.all([aes("pack"), aes("page"), aes("signal")]);
  return { pack, page, signal };
}

/** @param passwordKey u8[32] from Argon2id, or NO_PASSWORD; borrowed */
export async function deriveLinkKeys(link: PortalLink, passwordKey: Uint8Array): Promise<LinkKeys> {
  const ikm = concat([link.secret, passwordKey]);
  const salt = concat([SALT, link.portal, Uint8Array.of(passwordKey.length)]);
  const base = await hkdfKey(ikm);
  ikm.fill(0);
  const [grant, auth, commitment] = await Promise.all([
    aesKey(base, salt, "grant"),
    crypto.subtle.deriveKey(hkdf(salt, "link-auth"), base, { name: "HMAC", hash: "SHA-256", length: 256 }, false, [
      "sign",
    ]),
    crypto.subtle.deriveBits(hkdf(salt, "commitment"), base, 256),
  ]);
  return { grant, auth, keyCommitment: new Uint8Array(commitment) };
}

/** The link's public name, under which the relay knows it. u8[16] */
export function linkId(link: PortalLink): Promise<Bytes> {
  return fromSecret(link, "link-id", LINK_ID_BYTES);
}

/** Salt for the password's Argon2id, bound to this link. u8[16] */
export function passwordSalt(link: PortalLink): Promise<Bytes> {
  return fromSecret(link, "password-salt", 16);
}

/** True when the relay's commitment is the one of these keys: same secret, same password. */
export function commitmentMatches(keys: LinkKeys, told: Uint8Array): boolean {
  return equalBytes(keys.keyCommitment, told);
}

/** An owner's secret as the HMAC key behind its tokens, not extractable. @param secret u8[32]; borrowed */
export function ownerKey(secret: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

/** What a token is for: what its link is for, or everything about a portal; `root` and `device` open a vault. */
export type TokenRole = "link" | "own" | "root" | "device";

/**
 * The bearer token of one role at one relay. Bound to the relay's origin, so that a relay cannot use it at another.
 * @param name the portal or the vault, u8[16]
 * @returns u8[32]; the relay stores only its SHA-256
 */
export async function relayToken(
  key: CryptoKey,
  role: TokenRole,
  relayOrigin: string,
  name: Uint8Array,
): Promise<Bytes> {
  const message = concat([ascii(`warp/1 token\0${role}\0${relayOrigin}\0`), name]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, message));
}

/** What the relay keeps of a token. */
export function tokenHash(token: Uint8Array): Bytes {
  return new Uint8Array(sha256(token));
}

async function fromSecret(link: PortalLink, info: string, bytes: number): Promise<Bytes> {
  const base = await hkdfKey(link.secret);
  const bits = await crypto.subtle.deriveBits(hkdf(concat([SALT, link.portal]), info), base, bytes * 8);
  return new Uint8Array(bits);
}

function hkdfKey(ikm: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", ikm, "HKDF", false, ["deriveBits", "deriveKey"]);
}

function hkdf(salt: Bytes, info: string) {
  return { name: "HKDF" as const, hash: "SHA-256", salt, info: ascii(info) };
}

function aesKey(base: CryptoKey, salt: Bytes, info: string): Promise<CryptoKey> {
  return crypto.subtle.deriveKey(hkdf(salt, info), base, { name: "AES-GCM", length: 256 }, false, [
    "encrypt",
    "decrypt",
  ]);
}
