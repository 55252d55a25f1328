/**
 * Gear-32 at every position: h(i) = sum over k = 0..31 of G(byte[i - k]) << k, modulo 2^32. A position is a candidate
 * when the top bits of h are zero. The state depends on the last 32 bytes only, so positions can be judged in any order:
 * here two strips of a block side by side, which hides the latency of the add chain. Which candidate becomes a cut is
 * decided in core/chunk.
 *
 * @module
 */

/** G, one u32 for each byte value. The same arithmetic stands in core/chunk/gear.ts. */
const GEAR: usize = memory.data(1024, 64);
/** Bytes before a position that its state depends on. */
const HISTORY: usize = 31;
const STRIP: usize = 1024;
const BLOCK: usize = 2 * STRIP;
/** Marks a candidate that also has the strict number of zero bits. */
const STRICT: u32 = 0x80000000;

/** Fills the table; once, before anything else. */
export function prepareGear(): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let x: u32 = (byte + 1) * 0x9e3779b1;
    x ^= x >> 15;
    x *= 0x85ebca77;
    x ^= x >> 13;
    store<u32>(GEAR + (byte << 2), x);
  }
}

function roll(state: u32, byte: u32): u32 {
  return (state << 1) + load<u32>(GEAR + ((<usize>byte) << 2));
}

/** The state before position `at`: over the bytes from `at` - 31, none of them before `base`. */
function warmUp(base: usize, at: usize): u32 {
  let state: u32 = 0;
  for (let p = at - base < HISTORY ? base : at - HISTORY; p < at; p++) state = roll(state, load<u8>(p));
  return state;
}

/** Whether a block holds a candidate at all: true for one block in many, so the caller may look again, slowly. */
function blockHasCandidate(base: usize, at: usize, limit: u32): bool {
  let a = warmUp(base, at);
  let b = warmUp(base, at + STRIP);
  const end = at + STRIP;
  for (; at < end; at += 8) {
    a = roll(a, load<u8>(at, 0));
    b = roll(b, load<u8>(at, STRIP));
    if (a < limit || b < limit) return true;
    a = roll(a, load<u8>(at, 1));
    b = roll(b, load<u8>(at, STRIP + 1));
    if (a < limit || b < limit) return true;
    a = roll(a, load<u8>(at, 2));
    b = roll(b, load<u8>(at, STRIP + 2));
    if (a < limit || b < limit) return true;
    a = roll(a, load<u8>(at, 3));
    b = roll(b, load<u8>(at, STRIP + 3));
    if (a < limit || b < limit) return true;
    a = roll(a, load<u8>(at, 4));
    b = roll(b, load<u8>(at, STRIP + 4));
    if (a < limit || b < limit) return true;
    a = roll(a, load<u8>(at, 5));
    b = roll(b, load<u8>(at, STRIP + 5));
    if (a < limit || b < limit) return true;
    a = roll(a, load<u8>(at, 6));
    b = roll(b, load<u8>(at, STRIP + 6));
    if (a < limit || b < limit) return true;
    a = roll(a, load<u8>(at, 7));
    b = roll(b, load<u8>(at, STRIP + 7));
    if (a < limit || b < limit) return true;
  }
  return false;
}

/**
 * Lists the candidates among the positions `from` to `to` (addresses; `to` excluded) in ascending order.
 *
 * @param base address of position 0; bytes before it do not count
 * @param looseBits zero bits that make a candidate, 1 to 31
 * @param strictBits zero bits that mark it as strict, not fewer than `looseBits`
 * @param out u32[capacity]: position, with the top bit set when strict. The scan ends when it is full
 * @returns the number of candidates written
 */
export function cutCandidates(
  base: usize,
  from: usize,
  to: usize,
  looseBits: u32,
  strictBits: u32,
  out: usize,
  capacity: u32,
): u32 {
  const looseLimit = (<u32>1) << (32 - looseBits);
  const strictLimit = (<u32>1) << (32 - strictBits);
  let count: u32 = 0;
  let at = from;
  while (at < to && count < capacity) {
    if (at + BLOCK <= to && !blockHasCandidate(base, at, looseLimit)) {
      at += BLOCK;
      continue;
    }
    const end = min(at + BLOCK, to);
    let state = warmUp(base, at);
    for (; at < end && count < capacity; at++) {
      state = roll(state, load<u8>(at));
      if (state < looseLimit) {
        store<u32>(out + (count << 2), <u32>(at - base) | (state < strictLimit ? STRICT : 0));
        count++;
      }
    }
  }
  return count;
}
