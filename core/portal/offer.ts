/**
 * How files reach whoever asked for them and nobody else: the secret of the delivery's link, sealed for the public key of the
 * request by HPKE (RFC 9180: X25519, HKDF-SHA-256, AES-256-GCM) and bound to both portals.
 *
 * @module
 */
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core";
import { ascii, concat } from "../bytes.ts";
import { Failure } from "../failure.ts";
import { SECRET_BYTES } from "../seal/link.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const SUITE = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
const INFO = ascii("warp/1 offer");
/** The encapsulated key, before the ciphertext. */
const ENCAPSULATED_BYTES = 32;

/** Both portals of an offer, u8[16] each. */
export interface OfferPlace {
  readonly request: Uint8Array;
  readonly delivery: Uint8Array;
}

/** The keys of a request, from its secret R: the same on every device that has it. */
export async function offerKeys(
  secret: Bytes,
  request: Uint8Array,
): Promise<{ publicKey: Bytes; privateKey: CryptoKey }> {
  const base = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const salt = concat([ascii("warp/1\0"), request]);
  const hkdf = { name: "HKDF" as const, hash: "SHA-256", salt, info: ascii("offer") };
  const seed = await crypto.subtle.deriveBits(hkdf, base, 256);
  const { publicKey, privateKey } = await SUITE.kem.deriveKeyPair(seed);
  return { publicKey: new Uint8Array(await SUITE.kem.serializePublicKey(publicKey)), privateKey };
}

/** Seals a delivery's link secret. @param offerKey u8[32], from a write link's grant */
export async function sealOffer(offerKey: Bytes, place: OfferPlace, secret: Bytes): Promise<Bytes> {
  const recipientPublicKey = await SUITE.kem.deserializePublicKey(offerKey);
  const { ct, enc } = await SUITE.seal({ recipientPublicKey, info: INFO }, secret, associated(place));
  return concat([new Uint8Array(enc), new Uint8Array(ct)]);
}

/** Gives the delivery's link secret. @throws Failure `pack/forged` when it was not sealed for this request and delivery */
export async function openOffer(privateKey: CryptoKey, place: OfferPlace, offer: Bytes): Promise<Bytes> {
  const [enc, ct] = [offer.slice(0, ENCAPSULATED_BYTES), offer.slice(ENCAPSULATED_BYTES)];
  try {
    const secret = new Uint8Array(
      await SUITE.open({ recipientKey: privateKey, enc, info: INFO }, ct, associated(place)),
    );
    if (secret.length === SECRET_BYTES) return secret;
  } catch (cause) {
    throw new Failure("pack/forged", { what: "offer" }, { cause });
  }
  throw new Failure("pack/forged", { what: "offer" });
}

function associated({ request, delivery }: OfferPlace): Bytes {
  return concat([request, delivery]);
}
