/**
 * The hash of a sealed object: SHA-256 over the SHA-256 of each of its segments. WebCrypto copies what it digests, and a
 * copy of 4 MiB is fresh memory each time, which costs as much as the hash itself; one of a segment is not.
 *
 * @module
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { ascii, concat } from "../bytes.ts";
import type { Hash32 } from "./merkle.ts";

/** Before the digests, so that no object's bytes can stand for the digests of another. */
const TAG = ascii("warp/1/object\0\0\0");

/** @param digests SHA-256 of bytes `[0, SEGMENT_BYTES)`, `[SEGMENT_BYTES, 2 * SEGMENT_BYTES)`, …, u8[32] each, borrowed */
export function hashOfSegments(digests: readonly Uint8Array[]): Hash32 {
  return new Uint8Array(sha256(concat([TAG, ...digests])));
}
