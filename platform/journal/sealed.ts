/**
 * Sealing of what a journal keeps: AES-256-GCM with a key of its own that cannot be exported, so that neither names nor the
 * link's secret lie in the browser's profile in clear. What was sealed is bound to its place.
 *
 * @module
 */
import { ascii, concat } from "../../core/bytes.ts";
import { Failure } from "../../core/failure.ts";

const IV_BYTES = 12;

/** A fresh key, not extractable; the browser's database keeps it. */
export function createSealKey(): Promise<CryptoKey> {
  return crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

/** @param place where it lies, ASCII; it opens nowhere else. Gives `iv ‖ ciphertext ‖ tag`. */
export async function sealAt(key: CryptoKey, place: string, plain: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const additionalData = ascii(place);
  return concat([iv, new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, key, plain))]);
}

/** @throws Failure `journal/damaged` */
export async function openAt(key: CryptoKey, place: string, sealed: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const iv = sealed.slice(0, IV_BYTES);
  const additionalData = ascii(place);
  try {
    return new Uint8Array(
      await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData }, key, sealed.slice(IV_BYTES)),
    );
  } catch (cause) {
    throw new Failure("journal/damaged", { what: "seal" }, { cause });
  }
}
