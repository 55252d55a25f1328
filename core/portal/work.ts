/**
 * Proof of work for relays that ask for it before a portal is created: a number for which a hash that binds the portal's name
 * and the relay begins with so many zero bits. A portal is created once, so a stamp is good once.
 *
 * @module
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { ascii, concat } from "../bytes.ts";

/** More than this no relay may ask for: some minutes of one core. */
export const MAX_WORK_BITS = 28;
/** Stamps are numbers below this. */
const MAX_STAMP = 2 ** 32;
/** Hashes between two looks at the signal. */
const HASHES_PER_TURN = 20_000;

/** True when the stamp has been worked for. @param portal u8[16] */
export function isWorked(portal: Uint8Array, relayOrigin: string, stamp: number, bits: number): boolean {
  if (!Number.isSafeInteger(stamp) || stamp < 0 || stamp >= MAX_STAMP) return false;
  return zeroBits(sha256(message(portal, relayOrigin, stamp))) >= bits;
}

/**
 * Looks for a stamp; takes about 2^bits hashes.
 * @throws RangeError for more than MAX_WORK_BITS, and what the signal was aborted with
 */
export async function findStamp(
  portal: Uint8Array,
  relayOrigin: string,
  bits: number,
  signal?: AbortSignal,
): Promise<number> {
  if (!(bits <= MAX_WORK_BITS)) throw new RangeError(`a relay may ask for ${MAX_WORK_BITS} bits, not ${bits}`);
  const bytes = message(portal, relayOrigin, 0);
  const view = new DataView(bytes.buffer, bytes.length - 4);
  for (let stamp = 0; stamp < MAX_STAMP; stamp++) {
    view.setUint32(0, stamp);
    if (zeroBits(sha256(bytes)) >= bits) return stamp;
    if (stamp % HASHES_PER_TURN !== 0) continue;
    if (signal?.aborted) throw signal.reason;
    await Promise.resolve();
  }
  throw new RangeError("no stamp was found");
}

function message(portal: Uint8Array, relayOrigin: string, stamp: number): Uint8Array<ArrayBuffer> {
  const number = new Uint8Array(4);
  new DataView(number.buffer).setUint32(0, stamp);
  return concat([ascii(`warp/1 work\0${relayOrigin}\0`), portal, number]);
}

function zeroBits(hash: Uint8Array): number {
  let bits = 0;
  for (const byte of hash) {
    bits += Math.clz32(byte) - 24;
    if (byte !== 0) break;
  }
  return bits;
}
