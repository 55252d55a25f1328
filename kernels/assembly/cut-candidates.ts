/**
 * Gear-32 at every position: h(i) = sum over k = 0..31 of G(byte[i - k]) << k, modulo 2^32. A position is a candidate
 * when the top bits of h are zero. The state depends on the last 32 bytes only, so positions can be judged in any order:
 * here six strips of a block side by side. Four are the lanes of a vector, for which G is calculated; two are plain
 * words, for which a table has it. So the vector half and the plain half of a processor work at the same time, which is
 * faster than either alone. Which candidate becomes a cut is decided in core/chunk.
 *
 * @module
 */

/** G, one u32 for each byte value. The same arithmetic stands in core/chunk/gear.ts. */
const GEAR: usize = memory.data(1024, 64);
const FIRST_FACTOR: u32 = 0x9e3779b1;
const SECOND_FACTOR: u32 = 0x85ebca77;
/** What the vectors' arithmetic needs; in memory, as a literal in the loop would be put together anew at each use. */
const CONSTANTS: usize = memory.data(80, 16);
/** Bytes before a position that its state depends on. */
const HISTORY: usize = 31;
/** Bytes before a block from which the lanes' first states are calculated: HISTORY in whole words. */
const WARM_UP: usize = 32;
/** A multiple of STEP, and such that whole blocks fill 9/16 of an average chunk: what a search for strict ones covers. */
const STRIP: usize = 768;
const BLOCK: usize = 6 * STRIP;
/** Bytes of each strip that one turn of the loop goes through. */
const STEP: usize = 8;
/** So few bytes are judged one by one; more of them, but less than a block, in a block that begins before them. */
const FEW: usize = BLOCK / 2;
/** Marks a candidate that also has the strict number of zero bits. */
const STRICT: u32 = 0x80000000;

/** Fills the tables; once, before anything else. */
export function prepareGear(): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let x: u32 = (byte + 1) * FIRST_FACTOR;
    x ^= x >> 15;
    x *= SECOND_FACTOR;
    x ^= x >> 13;
    store<u32>(GEAR + (byte << 2), x);
  }
  v128.store(CONSTANTS, i32x4.splat(FIRST_FACTOR), 0);
  v128.store(CONSTANTS, i32x4.splat(SECOND_FACTOR), 16);
  v128.store(CONSTANTS, i16x8.splat(0x00ff), 32);
  v128.store(CONSTANTS, i16x8.splat(1), 48);
  v128.store(CONSTANTS, i32x4.splat(0xffff), 64);
}

function roll(state: u32, byte: u32): u32 {
  return (state << 1) + load<u32>((<usize>byte) << 2, GEAR);
}

/** `roll` in four lanes. @param next the lanes' bytes, plus one each */
function rollLanes(states: v128, next: v128, first: v128, second: v128): v128 {
  const x = i32x4.mul(next, first);
  const y = i32x4.mul(v128.xor(x, i32x4.shr_u(x, 15)), second);
  return i32x4.add(i32x4.add(states, states), v128.xor(y, i32x4.shr_u(y, 13)));
}

/** The state before position `at`: over the bytes from `at` - 31, none of them before `base`. */
function warmUp(base: usize, at: usize): u32 {
  let state: u32 = 0;
  for (let p = at - base < HISTORY ? base : at - HISTORY; p < at; p++) state = roll(state, load<u8>(p));
  return state;
}

/** The states before the first positions of the four strips from `at` on. */
function warmUpLanes(at: usize): v128 {
  const first = v128.load(CONSTANTS, 0);
  const second = v128.load(CONSTANTS, 16);
  const byteMask = v128.load(CONSTANTS, 32);
  const ones = v128.load(CONSTANTS, 48);
  const lowMask = v128.load(CONSTANTS, 64);
  let states = i32x4.splat(0);
  for (let p = at - WARM_UP; p < at; p += 4) {
    const words = i32x4(load<u32>(p), load<u32>(p, STRIP), load<u32>(p, 2 * STRIP), load<u32>(p, 3 * STRIP));
    const even = i16x8.add(v128.and(words, byteMask), ones);
    const odd = i16x8.add(i16x8.shr_u(words, 8), ones);
    states = rollLanes(states, v128.and(even, lowMask), first, second);
    states = rollLanes(states, v128.and(odd, lowMask), first, second);
    states = rollLanes(states, i32x4.shr_u(even, 16), first, second);
    states = rollLanes(states, i32x4.shr_u(odd, 16), first, second);
  }
  return states;
}

/** Four bytes of each of two strips, then the next four of each. */
function pairWords(at: usize): v128 {
  const a = v128.load64_zero(at);
  const b = v128.load64_zero(at, STRIP);
  return i8x16.shuffle(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
}

/**
 * Whether the block at `at` holds a candidate at all: true for one block in many, so the caller may look again, slowly.
 * WARM_UP bytes before it and a block behind it are read too; the latter only so that they are in the cache in time, as
 * no processor foresees six strips that jump.
 */
function blockHasCandidate(at: usize, limit: u32): bool {
  const first = v128.load(CONSTANTS, 0);
  const second = v128.load(CONSTANTS, 16);
  const byteMask = v128.load(CONSTANTS, 32);
  const ones = v128.load(CONSTANTS, 48);
  const lowMask = v128.load(CONSTANTS, 64);
  const most = i32x4.splat(limit - 1);
  let lanes = warmUpLanes(at);
  let a = warmUp(0, at + 4 * STRIP);
  let b = warmUp(0, at + 5 * STRIP);
  let ahead = at + BLOCK;
  const end = at + STRIP;
  for (; at < end; at += STEP, ahead += 6 * STEP) {
    load<u8>(ahead);
    const strips01 = pairWords(at);
    const strips23 = pairWords(at + 2 * STRIP);

    // Bytes 0 and 2 of each strip, then 1 and 3, plus one, each in 16 bits.
    let words = i8x16.shuffle(strips01, strips23, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
    let even = i16x8.add(v128.and(words, byteMask), ones);
    let odd = i16x8.add(i16x8.shr_u(words, 8), ones);
    lanes = rollLanes(lanes, v128.and(even, lowMask), first, second);
    let least = lanes;
    // One test each: two in one condition would become more instructions.
    a = roll(a, load<u8>(at, 4 * STRIP));
    if (a < limit) return true;
    b = roll(b, load<u8>(at, 5 * STRIP));
    if (b < limit) return true;
    lanes = rollLanes(lanes, v128.and(odd, lowMask), first, second);
    least = i32x4.min_u(least, lanes);
    a = roll(a, load<u8>(at, 4 * STRIP + 1));
    if (a < limit) return true;
    b = roll(b, load<u8>(at, 5 * STRIP + 1));
    if (b < limit) return true;
    lanes = rollLanes(lanes, i32x4.shr_u(even, 16), first, second);
    least = i32x4.min_u(least, lanes);
    a = roll(a, load<u8>(at, 4 * STRIP + 2));
    if (a < limit) return true;
    b = roll(b, load<u8>(at, 5 * STRIP + 2));
    if (b < limit) return true;
    lanes = rollLanes(lanes, i32x4.shr_u(odd, 16), first, second);
    least = i32x4.min_u(least, lanes);
    a = roll(a, load<u8>(at, 4 * STRIP + 3));
    if (a < limit) return true;
    b = roll(b, load<u8>(at, 5 * STRIP + 3));
    if (b < limit) return true;

    // The same with bytes 4 to 7.
    words = i8x16.shuffle(strips01, strips23, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    even = i16x8.add(v128.and(words, byteMask), ones);
    odd = i16x8.add(i16x8.shr_u(words, 8), ones);
    lanes = rollLanes(lanes, v128.and(even, lowMask), first, second);
    least = i32x4.min_u(least, lanes);
    a = roll(a, load<u8>(at, 4 * STRIP + 4));
    if (a < limit) return true;
    b = roll(b, load<u8>(at, 5 * STRIP + 4));
    if (b < limit) return true;
    lanes = rollLanes(lanes, v128.and(odd, lowMask), first, second);
    least = i32x4.min_u(least, lanes);
    a = roll(a, load<u8>(at, 4 * STRIP + 5));
    if (a < limit) return true;
    b = roll(b, load<u8>(at, 5 * STRIP + 5));
    if (b < limit) return true;
    lanes = rollLanes(lanes, i32x4.shr_u(even, 16), first, second);
    least = i32x4.min_u(least, lanes);
    a = roll(a, load<u8>(at, 4 * STRIP + 6));
    if (a < limit) return true;
    b = roll(b, load<u8>(at, 5 * STRIP + 6));
    if (b < limit) return true;
    lanes = rollLanes(lanes, i32x4.shr_u(odd, 16), first, second);
    least = i32x4.min_u(least, lanes);
    a = roll(a, load<u8>(at, 4 * STRIP + 7));
    if (a < limit) return true;
    b = roll(b, load<u8>(at, 5 * STRIP + 7));
    if (b < limit) return true;
    if (v128.any_true(i32x4.le_u(least, most))) return true;
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
    let end = min(at + BLOCK, to);
    if (at - base < WARM_UP) {
      end = min(base + WARM_UP, to);
    } else if (end - at > FEW && end - base >= WARM_UP + BLOCK && !blockHasCandidate(end - BLOCK, looseLimit)) {
      at = end;
      continue;
    }
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
