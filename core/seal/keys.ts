/**
 * The key hierarchy of a portal, by HKDF-SHA-256 from the link's secret S and, where there is a password, its
 * Argon2id key: IKM = S ‖ Kpw. Packs, pages, commitment and download authorisation have separate keys. The owner's
 * secret is random and not derived from S, because every receiver holds S.
 *
 * @module
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { ascii, concat } from "../bytes.ts";
import { equalBytes } from "../wire/codec.ts";
import type { PortalLink } from "./link.ts";

/** What the link and the password give; none of the keys is extractable. */
export interface PortalKeys {
  /** AES-256-GCM, not extractable. */
  readonly pack: CryptoKey;
  readonly page: CryptoKey;
  /** Published when the portal is created; equal only for the same secret and password. u8[32] */
  readonly keyCommitment: Uint8Array<ArrayBuffer>;
  /** HMAC-SHA-256 key behind read tokens, not extractable; never leaves the client. */
  readonly downloadAuth: CryptoKey;
}

/** Argon2id output of the password; empty when the portal has none. */
export const NO_PASSWORD: Uint8Array<ArrayBuffer> = new Uint8Array(0);

/** @param passwordKey u8[32] from Argon2id, or NO_PASSWORD; borrowed */
export async function deriveKeys(link: PortalLink, passwordKey: Uint8Array): Promise<PortalKeys> {
  const ikm = concat([link.secret, passwordKey]);
  const salt = concat([ascii("warp/1\0"), link.portal, Uint8Array.of(passwordKey.length)]);
  const base = await crypto.subtle.importKey("raw", ikm, "HKDF", false, ["deriveBits", "deriveKey"]);
  ikm.fill(0);
  const hkdf = (info: string) => ({ name: "HKDF" as const, hash: "SHA-256", salt, info: ascii(info) });
  const aes = (info: string) =>
    crypto.subtle.deriveKey(hkdf(info), base, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const [pack, page, commitment, downloadAuth] = await Promise.all([
    aes("pack"),
    aes("page"),
    crypto.subtle.deriveBits(hkdf("commitment"), base, 256),
    crypto.subtle.deriveKey(hkdf("download-auth"), base, { name: "HMAC", hash: "SHA-256", length: 256 }, false, [
      "sign",
    ]),
  ]);
  return { pack, page, keyCommitment: new Uint8Array(commitment), downloadAuth };
}

/** Salt for the password's Argon2id, bound to this portal. u8[16] */
export async function passwordSalt(link: PortalLink): Promise<Uint8Array<ArrayBuffer>> {
  const base = await crypto.subtle.importKey("raw", link.secret, "HKDF", false, ["deriveBits"]);
  const salt = concat([ascii("warp/1\0"), link.portal]);
  const bits = await crypto.subtle.deriveBits(
    { name: "HKDF", hash: "SHA-256", salt, info: ascii("password-salt") },
    base,
    128,
  );
  return new Uint8Array(bits);
}

/** True when the relay's published commitment is the one of these keys: same secret, same password. */
export function commitmentMatches(keys: PortalKeys, published: Uint8Array): boolean {
  return equalBytes(keys.keyCommitment, published);
}

/** A random owner secret as an HMAC key. `extractable` only so that a journal may keep it later; here never. */
export async function createOwnerKey(): Promise<CryptoKey> {
  const secret = crypto.getRandomValues(new Uint8Array(32));
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  secret.fill(0);
  return key;
}

/** What a token allows: reading, or everything. */
export type Role = "read" | "own";

/**
 * The bearer token of one role at one relay. Bound to the relay's origin, so that a relay cannot use it at another.
 * @returns u8[32]; the relay stores only its SHA-256
 */
export async function relayToken(
  key: CryptoKey,
  role: Role,
  relayOrigin: string,
  portal: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const message = concat([ascii(`warp/1 token\0${role}\0${relayOrigin}\0`), portal]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, message));
}

/** What the relay keeps of a token. */
export function tokenHash(token: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(sha256(token));
}
