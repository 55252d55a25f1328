/**
 * Sealing of packs and manifest pages: AES-256-GCM with a random 96-bit IV; the associated data binds version, portal,
 * kind, index, final flag and sealed length. Sealed bytes are `iv ‖ ciphertext ‖ tag`, the plaintext inside is
 * `u32 length ‖ payload ‖ zeros`.
 *
 * The IV is random and not a counter because after a crash the same index may be sealed again with other bytes.
 *
 * @module
 */

import { ascii, concat } from "../bytes.ts";
import { Failure } from "../failure.ts";
import {
  MAX_SEALED_PAGE_BYTES,
  PACK_PAYLOAD_BYTES,
  PAYLOAD_PREFIX_BYTES,
  SEAL_OVERHEAD_BYTES,
  SEALED_PACK_BYTES,
} from "../units.ts";
import { equalBytes } from "../wire/codec.ts";
import type { ObjectHeader, ObjectKind, SealedObject } from "../wire/object.ts";
import { paddedBytes } from "./padding.ts";

const IV_BYTES = 12;
/** Smallest sealed page, so that the number of chunks in a page does not show. */
const MIN_SEALED_PAGE_BYTES = 16 * 1024;

/** Room for one payload: `room` is where the payload goes, before `seal` is called with its length. */
export interface SealBuffer {
  /** u32 length ‖ payload ‖ zeros */
  readonly plain: Uint8Array<ArrayBuffer>;
  /** View of `plain` behind the prefix. */
  readonly room: Uint8Array<ArrayBuffer>;
}

/** A buffer for payloads of up to `sealedBytes` less the overhead. */
export function createSealBuffer(sealedBytes: number): SealBuffer {
  const plain = new Uint8Array(sealedBytes - SEAL_OVERHEAD_BYTES);
  return { plain, room: plain.subarray(PAYLOAD_PREFIX_BYTES) };
}

/**
 * The sealed length that a payload must have: full packs are all alike, the last pack and pages follow Padmé.
 * @throws Failure `object/size` when the payload does not fit
 */
export function sealedLength(kind: ObjectKind, final: boolean, payloadBytes: number): number {
  const bytes = payloadBytes + PAYLOAD_PREFIX_BYTES + SEAL_OVERHEAD_BYTES;
  const max = kind === "pack" ? SEALED_PACK_BYTES : MAX_SEALED_PAGE_BYTES;
  if (bytes > max) throw new Failure("object/size", { bytes });
  if (kind === "pack" && !final) return SEALED_PACK_BYTES;
  return Math.min(max, Math.max(kind === "page" ? MIN_SEALED_PAGE_BYTES : 0, paddedBytes(bytes)));
}

/**
 * Seals the first `payloadBytes` of `buffer.room`. The buffer is borrowed and may be reused when the promise settles.
 * @param into where the sealed bytes go, at least as long as they; fresh memory when absent
 * @returns the sealed object with its SHA-256
 */
export async function seal(
  key: CryptoKey,
  portal: Uint8Array,
  kind: ObjectKind,
  index: number,
  final: boolean,
  buffer: SealBuffer,
  payloadBytes: number,
  into?: Uint8Array<ArrayBuffer>,
): Promise<SealedObject> {
  const length = sealedLength(kind, final, payloadBytes);
  new DataView(buffer.plain.buffer, buffer.plain.byteOffset).setUint32(0, payloadBytes, true);
  const plain = buffer.plain.subarray(0, length - SEAL_OVERHEAD_BYTES);
  plain.fill(0, PAYLOAD_PREFIX_BYTES + payloadBytes);
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const additionalData = associatedData(portal, kind, index, final, length);
  const ciphertext = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, key, plain);
  const bytes = into?.subarray(0, length) ?? new Uint8Array(length);
  bytes.set(iv);
  bytes.set(new Uint8Array(ciphertext), IV_BYTES);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return { header: { kind, final, index, length, hash }, bytes };
}

/**
 * Opens a sealed object and gives its payload (a fresh buffer).
 *
 * @param expectedHash SHA-256 that the manifest states for a pack; checked beside the seal, so that a failure tells a
 *                     relay that changed bytes (`object/corrupt`, another try may help) from a forged object
 * @throws Failure `object/corrupt` | `pack/forged` | `manifest/malformed`
 */
export async function open(
  key: CryptoKey,
  portal: Uint8Array,
  object: SealedObject,
  expectedHash?: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const { header, bytes } = object;
  const forged = header.kind === "pack" ? "pack/forged" : "manifest/malformed";
  if (bytes.length !== header.length || bytes.length < SEAL_OVERHEAD_BYTES + PAYLOAD_PREFIX_BYTES)
    throw new Failure(forged, { what: "length" });
  const [hash, plain] = await Promise.all([
    crypto.subtle.digest("SHA-256", bytes),
    crypto.subtle
      .decrypt(
        {
          name: "AES-GCM",
          iv: bytes.subarray(0, IV_BYTES),
          additionalData: associatedData(portal, header.kind, header.index, header.final, header.length),
        },
        key,
        bytes.subarray(IV_BYTES),
      )
      .catch(() => undefined),
  ]);
  if (!equalBytes(new Uint8Array(hash), expectedHash ?? header.hash))
    throw new Failure("object/corrupt", { index: header.index });
  if (plain === undefined) throw new Failure(forged, { what: "seal", index: header.index });
  return payloadOf(header, new Uint8Array(plain), forged);
}

function payloadOf(
  header: ObjectHeader,
  plain: Uint8Array<ArrayBuffer>,
  forged: "pack/forged" | "manifest/malformed",
): Uint8Array<ArrayBuffer> {
  const payloadBytes = new DataView(plain.buffer).getUint32(0, true);
  const isFull = header.kind === "page" || header.final || payloadBytes === PACK_PAYLOAD_BYTES;
  if (!isFull || payloadBytes > plain.length - PAYLOAD_PREFIX_BYTES)
    throw new Failure(forged, { what: "payload length" });
  if (sealedLength(header.kind, header.final, payloadBytes) !== header.length)
    throw new Failure(forged, { what: "padding length" });
  const end = PAYLOAD_PREFIX_BYTES + payloadBytes;
  for (let i = end; i < plain.length; i++) if (plain[i] !== 0) throw new Failure(forged, { what: "padding" });
  return plain.subarray(PAYLOAD_PREFIX_BYTES, end);
}

function associatedData(
  portal: Uint8Array,
  kind: ObjectKind,
  index: number,
  final: boolean,
  length: number,
): Uint8Array<ArrayBuffer> {
  const tail = new Uint8Array(13);
  const view = new DataView(tail.buffer);
  view.setUint32(0, 0);
  view.setUint32(4, index);
  view.setUint8(8, final ? 1 : 0);
  view.setUint32(9, length);
  return concat([ascii(`warp/1 ${kind}\0`), portal, tail]);
}
