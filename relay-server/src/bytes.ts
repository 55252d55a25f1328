/**
 * Byte strings as text, strictly: base64url of an exact length, and hexadecimal keys. What a client sent becomes a
 * path or a key only after it went through here.
 *
 * @module
 */
import { Failure } from "../../core/failure.ts";

/** Decodes canonical base64url without padding to exactly `length` bytes. @throws Failure `wire/malformed` */
export function fromBase64url(text: string, length: number, what: string): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from(Buffer.from(text, "base64url"));
  if (bytes.length !== length || toBase64url(bytes) !== text) throw new Failure("wire/malformed", { what });
  return bytes;
}

export function toBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}

/** A portal inside the relay: its id in hexadecimal, 32 characters. */
export type PortalKey = string & { readonly __key: "portal" };

/** @param portal u8[16] */
export function portalKey(portal: Uint8Array): PortalKey {
  if (portal.length !== 16) throw new Error("a portal id has 16 bytes");
  return toHex(portal) as PortalKey;
}

/** A link inside the relay: its public name in hexadecimal, 32 characters. */
export type LinkKey = string & { readonly __key: "link" };

/** @param link u8[16] */
export function linkKey(link: Uint8Array): LinkKey {
  if (link.length !== 16) throw new Error("a link's name has 16 bytes");
  return toHex(link) as LinkKey;
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}

/** Equality of public values; secrets are compared in portal/authorise.ts. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
