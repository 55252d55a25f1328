/**
 * Standard LZ4 blocks of at most 64 KiB, each on its own: greedy parse, one hash table of 8192 positions, longer steps
 * where nothing matches. The frame around the blocks is written in core/compress.
 *
 * @module
 */

const BLOCK_BYTES: u32 = 1 << 16;
/** Bytes between the slots of two blocks in the output: the worst case of one block and room for wide stores. */
export const LZ4_SLOT_BYTES: u32 = 66048;
/** The last match begins at least this long before the end of a block, and the last bytes are literals: LZ4's rules. */
const MATCH_MARGIN: usize = 12;
const LITERAL_MARGIN: usize = 5;

/** Position (u16) of the last word with a hash: u16[8192]. */
const TABLE: usize = memory.data(16384, 16);

function entryOf(word: u32): usize {
  return TABLE + ((<usize>((word * 2654435761) >> 19)) << 1);
}

/** Copies at least `bytes` bytes, sixteen at a time. */
function copyWide(to: usize, from: usize, bytes: u32): void {
  const end = to + bytes;
  do {
    v128.store(to, v128.load(from));
    to += 16;
    from += 16;
  } while (to < end);
}

/** Writes what is left of a length whose token nibble is 15; returns the address behind it. */
function writeLength(to: usize, rest: u32): usize {
  for (; rest >= 255; rest -= 255) store<u8>(to++, 255);
  store<u8>(to++, <u8>rest);
  return to;
}

/** The first address from `p` on whose byte differs from the one at `q`, at most `limit`. */
function matchEnd(p: usize, q: usize, limit: usize): usize {
  while (p + 8 <= limit) {
    const difference = load<u64>(p) ^ load<u64>(q);
    if (difference) return p + <usize>(ctz(difference) >> 3);
    p += 8;
    q += 8;
  }
  while (p < limit && load<u8>(p) == load<u8>(q)) {
    p++;
    q++;
  }
  return p;
}

function compressBlock(src: usize, bytes: u32, dst: usize): u32 {
  const end = src + bytes;
  let to = dst;
  let anchor = src;
  if (bytes > <u32>MATCH_MARGIN) {
    memory.fill(TABLE, 0, 16384);
    const lastStart = end - MATCH_MARGIN;
    const matchLimit = end - LITERAL_MARGIN;
    let at = src + 1;
    let entry = entryOf(load<u32>(at));
    let more = true;
    while (more) {
      // Look for a match, in steps that grow by one byte for every 64 positions without one.
      let found: usize = 0;
      let next = at;
      let step: u32 = 1;
      let patience: u32 = 64;
      do {
        at = next;
        next += step;
        step = patience++ >> 6;
        if (next > lastStart) {
          more = false;
          break;
        }
        const here = entry;
        found = src + load<u16>(here);
        entry = entryOf(load<u32>(next));
        store<u16>(here, <u16>(at - src));
      } while (load<u32>(found) != load<u32>(at));
      if (!more) break;

      while (at > anchor && found > src && load<u8>(at - 1) == load<u8>(found - 1)) {
        at--;
        found--;
      }
      const literals = <u32>(at - anchor);
      let token = to++;
      if (literals >= 15) {
        store<u8>(token, 0xf0);
        to = writeLength(to, literals - 15);
      } else {
        store<u8>(token, <u8>(literals << 4));
      }
      copyWide(to, anchor, literals);
      to += literals;

      while (true) {
        store<u16>(to, <u16>(at - found));
        to += 2;
        const matchedTo = matchEnd(at + 4, found + 4, matchLimit);
        const length = <u32>(matchedTo - at) - 4;
        at = matchedTo;
        anchor = at;
        if (length >= 15) {
          store<u8>(token, load<u8>(token) | 15);
          to = writeLength(to, length - 15);
        } else {
          store<u8>(token, load<u8>(token) | <u8>length);
        }
        if (at > lastStart) {
          more = false;
          break;
        }
        // The next match may begin right here, with no literal between.
        store<u16>(entryOf(load<u32>(at - 2)), <u16>(at - 2 - src));
        const here = entryOf(load<u32>(at));
        found = src + load<u16>(here);
        store<u16>(here, <u16>(at - src));
        if (load<u32>(found) != load<u32>(at)) break;
        token = to++;
        store<u8>(token, 0);
      }
      if (!more) break;
      at++;
      entry = entryOf(load<u32>(at));
    }
  }
  const literals = <u32>(end - anchor);
  if (literals >= 15) {
    store<u8>(to++, 0xf0);
    to = writeLength(to, literals - 15);
  } else {
    store<u8>(to++, <u8>(literals << 4));
  }
  memory.copy(to, anchor, literals);
  return <u32>(to + literals - dst);
}

/**
 * Compresses `bytes` bytes at `src` in blocks of 64 KiB. Block i goes to `dst + i * LZ4_SLOT_BYTES`.
 *
 * @param sizes u32[blocks]: compressed bytes of each block, or 0 when it did not become smaller
 * @returns the number of blocks
 */
export function compressLz4(src: usize, bytes: u32, dst: usize, sizes: usize): u32 {
  let block: u32 = 0;
  for (let from: u32 = 0; from < bytes; from += BLOCK_BYTES) {
    const blockBytes = min(BLOCK_BYTES, bytes - from);
    const size = compressBlock(src + from, blockBytes, dst + block * LZ4_SLOT_BYTES);
    store<u32>(sizes + (block << 2), size < blockBytes ? size : 0);
    block++;
  }
  return block;
}
