/**
 * The share link: `/p/<portal>#1.<secret>.<check>`. The secret stands in the fragment only, which browsers never send.
 * The check detects a cut or mistyped link before any request.
 *
 * @module
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { base64urlnopad } from "@scure/base";
import { ascii, concat } from "../bytes.ts";
import { Failure } from "../failure.ts";

/** Bytes of a portal's public name. */
export const PORTAL_ID_BYTES = 16;
/** Bytes of the link's secret. */
export const SECRET_BYTES = 32;
const CHECK_BYTES = 3;
const LINK_VERSION = "1";
/** Longer text is no link; it is not searched for one. */
const MAX_LINK_CHARACTERS = 2048;

/** A parsed share link. */
export interface PortalLink {
  /** Public name of the portal, u8[16]. */
  readonly portal: Uint8Array<ArrayBuffer>;
  /** The secret S, u8[32]; whoever has it (and the password) can read everything. */
  readonly secret: Uint8Array<ArrayBuffer>;
}

/** A fresh random link. */
export function createLink(): PortalLink {
  return {
    portal: crypto.getRandomValues(new Uint8Array(PORTAL_ID_BYTES)),
    secret: crypto.getRandomValues(new Uint8Array(SECRET_BYTES)),
  };
}

/** Path and fragment, without origin. */
export function formatLink(link: PortalLink): string {
  const check = base64urlnopad.encode(checkOf(link));
  return `/p/${base64urlnopad.encode(link.portal)}#${LINK_VERSION}.${base64urlnopad.encode(link.secret)}.${check}`;
}

/**
 * Parses a whole URL or its path and fragment.
 * @throws Failure `link/cut` when anything is missing or does not match its check, `link/version` for a newer link
 */
export function parseLink(text: string): PortalLink {
  if (text.length > MAX_LINK_CHARACTERS) throw new Failure("link/cut");
  const match = /\/p\/([A-Za-z0-9_-]*)\/?(?:\?[^#]*)?#([0-9]{1,3})\.(.*)$/.exec(text);
  if (match === null) throw new Failure("link/cut");
  const [, portalText = "", version = "", rest = ""] = match;
  if (version !== LINK_VERSION) throw new Failure("link/version");
  const [secretText = "", checkText = "", ...more] = rest.split(".");
  const link = { portal: decode(portalText, PORTAL_ID_BYTES), secret: decode(secretText, SECRET_BYTES) };
  if (more.length > 0 || base64urlnopad.encode(checkOf(link)) !== checkText) throw new Failure("link/cut");
  return link;
}

function checkOf(link: PortalLink): Uint8Array {
  return sha256(concat([ascii("warp/1 link\0"), link.portal, link.secret])).subarray(0, CHECK_BYTES);
}

function decode(text: string, length: number): Uint8Array<ArrayBuffer> {
  try {
    const bytes = base64urlnopad.decode(text);
    if (bytes.length === length) return new Uint8Array(bytes);
  } catch {
    // falls through: every malformed part is a cut link
  }
  throw new Failure("link/cut");
}
