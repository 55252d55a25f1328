/**
 * What a link gives, sealed with the link's own key, so that the relay that keeps it learns nothing: R for a `read` and an
 * `admin` link; for a `write` link the key to which files are offered, and the title of the request.
 *
 * @module
 */
import { ascii, concat } from "../bytes.ts";
import { Failure } from "../failure.ts";
import { LINK_ID_BYTES, PORTAL_SECRET_BYTES } from "../seal/keys.ts";
import { asBytes, asFields, asString } from "../wire/check.ts";
import { decodeCanonical, encodeCanonical } from "../wire/codec.ts";
import { type Capability, MAX_GRANT_BYTES } from "./portal.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What a link gives. */
export type Grant =
  | { readonly capability: "read" | "admin"; readonly secret: Bytes }
  | { readonly capability: "write"; readonly offerKey: Bytes; readonly title: string };

/** UTF-16 units of a request's title. */
export const MAX_TITLE_LENGTH = 120;
/** An X25519 public key. */
const OFFER_KEY_BYTES = 32;
const IV_BYTES = 12;
const LIMITS = { maxBytes: MAX_GRANT_BYTES, malformed: "link/wrong-secret", tooLarge: "link/wrong-secret" } as const;

/** What a grant is sealed for; it opens as nothing else. */
export interface GrantPlace {
  /** u8[16] each */
  readonly portal: Uint8Array;
  readonly link: Uint8Array;
  readonly capability: Capability;
}

/** Gives `iv ‖ ciphertext ‖ tag`. @param key the link's, AES-256-GCM */
export async function sealGrant(key: CryptoKey, place: GrantPlace, grant: Grant): Promise<Bytes> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const fields = grant.capability === "write" ? { k: grant.offerKey, n: grant.title } : { k: grant.secret };
  const algorithm = { name: "AES-GCM" as const, iv, additionalData: associated(place) };
  return concat([iv, new Uint8Array(await crypto.subtle.encrypt(algorithm, key, encodeCanonical(fields)))]);
}

/** @throws Failure `link/wrong-secret` when it was not sealed with this key for this place */
export async function openGrant(key: CryptoKey, place: GrantPlace, sealed: Bytes): Promise<Grant> {
  if (sealed.length > MAX_GRANT_BYTES) throw new Failure("link/wrong-secret", { what: "grant" });
  const iv = sealed.slice(0, IV_BYTES);
  const algorithm = { name: "AES-GCM" as const, iv, additionalData: associated(place) };
  try {
    const plain = new Uint8Array(await crypto.subtle.decrypt(algorithm, key, sealed.slice(IV_BYTES)));
    return decode(place.capability, decodeCanonical(plain, LIMITS));
  } catch (cause) {
    throw new Failure("link/wrong-secret", { what: "grant" }, { cause });
  }
}

function decode(capability: Capability, value: unknown): Grant {
  const fields = asFields(value, "grant");
  if (Object.keys(fields).length !== (capability === "write" ? 2 : 1)) throw new Failure("link/wrong-secret");
  if (capability !== "write") return { capability, secret: asBytes(fields["k"], "k", PORTAL_SECRET_BYTES).slice() };
  const title = asString(fields["n"], "n", MAX_TITLE_LENGTH);
  return { capability, offerKey: asBytes(fields["k"], "k", OFFER_KEY_BYTES).slice(), title };
}

function associated({ portal, link, capability }: GrantPlace): Bytes {
  if (link.length !== LINK_ID_BYTES) throw new Error("a link's name has 16 bytes");
  return concat([ascii(`warp/1 grant\0${capability}\0`), portal, link]);
}
