/**
 * Gear-32 in plain TypeScript: the reference that every engine's cut candidates must equal. h(i) is the sum over
 * k = 0..31 of G(byte[i - k]) << k, modulo 2^32; a position is a candidate when the top bits of h are zero.
 *
 * @module
 */
import type { FindCandidate } from "./select-cuts.ts";

/** Bytes before a position that its state depends on. */
const HISTORY = 31;

/** G: one value for each byte. u32[256] */
export const GEAR: Uint32Array<ArrayBuffer> = Uint32Array.from({ length: 256 }, (_, byte) => {
  let x = Math.imul(byte + 1, 0x9e3779b1);
  x ^= x >>> 15;
  x = Math.imul(x, 0x85ebca77);
  return x ^ (x >>> 13);
});

/** Finds candidates in `bytes` (borrowed for as long as the finder is used). */
export function gearFinder(bytes: Uint8Array): FindCandidate {
  return (from, to, bits) => {
    let state = 0;
    for (let i = Math.max(0, from - HISTORY); i < to; i++) {
      state = ((state << 1) + (GEAR[bytes[i] ?? 0] ?? 0)) | 0;
      if (i >= from && state >>> (32 - bits) === 0) return i;
    }
    return -1;
  };
}
