/**
 * Sealing of packs and manifest pages: AES-256-GCM in segments of SEGMENT_BYTES, each with a random 96-bit IV; the
 * associated data binds version, portal, kind, index, final flag, sealed length and the segment's number. A sealed segment
 * is `iv ‖ ciphertext ‖ tag`; the plaintext of all segments together is `u32 length ‖ payload ‖ zeros`.
 *
 * The IVs are random and not counters because after a crash the same index may be sealed again with other bytes. A sender
 * that lost a sealed object makes it again with the IVs that its journal kept, and sends it only when the hash is the same.
 *
 * @module
 */

import { ascii, concat } from "../bytes.ts";
import { Failure } from "../failure.ts";
import { hashOfSegments } from "../hash/object-hash.ts";
import {
  MAX_SEALED_PAGE_BYTES,
  PACK_PAYLOAD_BYTES,
  PAYLOAD_PREFIX_BYTES,
  SEAL_OVERHEAD_BYTES,
  SEALED_PACK_BYTES,
  SEGMENT_BYTES,
} from "../units.ts";
import { equalBytes } from "../wire/codec.ts";
import type { ObjectHeader, ObjectKind, SealedObject } from "../wire/object.ts";
import { paddedBytes } from "./padding.ts";
import { Payload } from "./payload.ts";

const IV_BYTES = 12;
/** Plaintext bytes of a full segment. */
const SEGMENT_PLAIN_BYTES = SEGMENT_BYTES - SEAL_OVERHEAD_BYTES;
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
  const plain = new Uint8Array(plainBytesOf(sealedBytes));
  return { plain, room: plain.subarray(PAYLOAD_PREFIX_BYTES) };
}

/** Plaintext bytes, prefix and padding included, in an object of `sealedBytes`. */
function plainBytesOf(sealedBytes: number): number {
  return sealedBytes - Math.ceil(sealedBytes / SEGMENT_BYTES) * SEAL_OVERHEAD_BYTES;
}

/**
 * The sealed length that a payload must have: full packs are all alike, the last pack and pages follow Padmé.
 * @throws Failure `object/size` when the payload does not fit
 */
export function sealedLength(kind: ObjectKind, final: boolean, payloadBytes: number): number {
  const plainBytes = payloadBytes + PAYLOAD_PREFIX_BYTES;
  const bytes = plainBytes + Math.ceil(plainBytes / SEGMENT_PLAIN_BYTES) * SEAL_OVERHEAD_BYTES;
  const max = kind === "pack" ? SEALED_PACK_BYTES : MAX_SEALED_PAGE_BYTES;
  if (bytes > max) throw new Failure("object/size", { bytes });
  if (kind === "pack" && !final) return SEALED_PACK_BYTES;
  return Math.min(max, Math.max(kind === "page" ? MIN_SEALED_PAGE_BYTES : 0, paddedBytes(bytes)));
}

/** What a seal may be given. */
export interface SealOptions {
  /** Where the sealed bytes go, at least as long as they; fresh memory when absent. */
  readonly into?: Uint8Array<ArrayBuffer> | undefined;
  /** The IVs of the same object when it was sealed before, one after the other; random when absent. */
  readonly ivs?: Uint8Array | undefined;
}

/** The IVs that a sealed object has in it, one after the other; fresh memory. */
export function ivsOf({ bytes }: SealedObject): Uint8Array<ArrayBuffer> {
  const ivs: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += SEGMENT_BYTES) ivs.push(bytes.subarray(at, at + IV_BYTES));
  return concat(ivs);
}

/**
 * Seals the first `payloadBytes` of `buffer.room`. The buffer is borrowed and may be reused when the promise settles.
 * @returns the sealed object with its hash
 */
export async function seal(
  key: CryptoKey,
  portal: Uint8Array,
  kind: ObjectKind,
  index: number,
  final: boolean,
  buffer: SealBuffer,
  payloadBytes: number,
  { into, ivs }: SealOptions = {},
): Promise<SealedObject> {
  const length = sealedLength(kind, final, payloadBytes);
  new DataView(buffer.plain.buffer, buffer.plain.byteOffset).setUint32(0, payloadBytes, true);
  const plain = buffer.plain.subarray(0, plainBytesOf(length));
  plain.fill(0, PAYLOAD_PREFIX_BYTES + payloadBytes);
  const bytes = into?.subarray(0, length) ?? new Uint8Array(length);
  const digests: Uint8Array[] = [];
  for (let segment = 0; segment * SEGMENT_BYTES < length; segment++) {
    const iv = ivs?.slice(segment * IV_BYTES, (segment + 1) * IV_BYTES) ?? randomIv();
    const additionalData = associatedData(portal, { kind, index, final, length }, segment);
    const piece = plain.subarray(segment * SEGMENT_PLAIN_BYTES, (segment + 1) * SEGMENT_PLAIN_BYTES);
    const ciphertext = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, key, piece));
    bytes.set(iv, segment * SEGMENT_BYTES);
    bytes.set(ciphertext, segment * SEGMENT_BYTES + IV_BYTES);
    digests.push(await digest(bytes.subarray(segment * SEGMENT_BYTES, (segment + 1) * SEGMENT_BYTES)));
  }
  const hash = hashOfSegments(digests);
  return { header: { kind, final, index, length, hash }, bytes };
}

function randomIv(): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(IV_BYTES));
}

/**
 * Opens a sealed object and gives its payload, in the pieces in which it was sealed (fresh memory).
 *
 * @param expectedHash hash that the manifest states for a pack; checked beside the seal, so that a failure tells a
 *                     relay that changed bytes (`object/corrupt`, another try may help) from a forged object
 * @throws Failure `object/corrupt` | `pack/forged` | `manifest/malformed`
 */
export async function openPayload(
  key: CryptoKey,
  portal: Uint8Array,
  object: SealedObject,
  expectedHash?: Uint8Array,
): Promise<Payload> {
  const { header, bytes } = object;
  const forged = header.kind === "pack" ? "pack/forged" : "manifest/malformed";
  const lastBytes = bytes.length % SEGMENT_BYTES;
  const isCut =
    bytes.length < SEAL_OVERHEAD_BYTES + PAYLOAD_PREFIX_BYTES || (lastBytes > 0 && lastBytes <= SEAL_OVERHEAD_BYTES);
  if (bytes.length !== header.length || isCut) throw new Failure(forged, { what: "length" });
  const { hash, pieces } = await openSegments(key, portal, object);
  if (!equalBytes(hash, expectedHash ?? header.hash)) throw new Failure("object/corrupt", { index: header.index });
  if (pieces === undefined) throw new Failure(forged, { what: "seal", index: header.index });
  return payloadOf(header, pieces, forged);
}

/** Like `openPayload`, with the payload in one piece. */
export async function open(...args: Parameters<typeof openPayload>): Promise<Uint8Array<ArrayBuffer>> {
  return (await openPayload(...args)).bytes();
}

interface OpenedSegments {
  readonly hash: Uint8Array;
  /** The plaintext of each segment, or undefined when any of them does not open. */
  readonly pieces: readonly Uint8Array<ArrayBuffer>[] | undefined;
}

async function openSegments(
  key: CryptoKey,
  portal: Uint8Array,
  { header, bytes }: SealedObject,
): Promise<OpenedSegments> {
  const digests: Uint8Array[] = [];
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let isForged = false;
  for (let at = 0; at < bytes.length; at += SEGMENT_BYTES) {
    const sealed = bytes.subarray(at, at + SEGMENT_BYTES);
    const iv = sealed.subarray(0, IV_BYTES);
    const additionalData = associatedData(portal, header, at / SEGMENT_BYTES);
    const opening = crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData }, key, sealed.subarray(IV_BYTES));
    const [digested, opened] = await Promise.allSettled([digest(sealed), opening]);
    if (digested.status === "rejected") throw digested.reason;
    digests.push(digested.value);
    if (opened.status === "rejected") isForged = true;
    else pieces.push(new Uint8Array(opened.value));
  }
  return { hash: hashOfSegments(digests), pieces: isForged ? undefined : pieces };
}

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

function payloadOf(
  header: ObjectHeader,
  pieces: readonly Uint8Array<ArrayBuffer>[],
  forged: "pack/forged" | "manifest/malformed",
): Payload {
  const [first = new Uint8Array(PAYLOAD_PREFIX_BYTES)] = pieces;
  const payloadBytes = new DataView(first.buffer, first.byteOffset).getUint32(0, true);
  const plain = new Payload(pieces, 0, plainBytesOf(header.length));
  const isFull = header.kind === "page" || header.final || payloadBytes === PACK_PAYLOAD_BYTES;
  if (!isFull || payloadBytes > plain.length - PAYLOAD_PREFIX_BYTES)
    throw new Failure(forged, { what: "payload length" });
  if (sealedLength(header.kind, header.final, payloadBytes) !== header.length)
    throw new Failure(forged, { what: "padding length" });
  const end = PAYLOAD_PREFIX_BYTES + payloadBytes;
  if (!plain.isZeroFrom(end)) throw new Failure(forged, { what: "padding" });
  return new Payload(pieces, PAYLOAD_PREFIX_BYTES, payloadBytes);
}

function associatedData(
  portal: Uint8Array,
  { kind, index, final, length }: Omit<ObjectHeader, "hash">,
  segment: number,
): Uint8Array<ArrayBuffer> {
  const tail = new Uint8Array(17);
  const view = new DataView(tail.buffer);
  view.setUint32(0, 0);
  view.setUint32(4, index);
  view.setUint8(8, final ? 1 : 0);
  view.setUint32(9, length);
  view.setUint32(13, segment);
  return concat([ascii(`warp/1 ${kind}\0`), portal, tail]);
}
