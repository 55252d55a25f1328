/**
 * BLAKE3 leaves: the chaining value of each KiB of a slice.
 *
 * @module
 */
import {
  CHUNK_END,
  CHUNK_START,
  compress4,
  loadInitialState,
  loadMessage,
  ROOT,
  STATE,
  storeState,
} from "./blake3-compress";

const LEAF_BYTES: u32 = 1024;

/** The last leaf of a slice when it is not full, padded with zeros. */
const PADDED: usize = memory.data(1024, 16);
/** Chaining value of that leaf, kept while its neighbours finish. */
const PADDED_CV: usize = memory.data(32, 16);

function counters(first: u64, shift: u64): v128 {
  let lanes = i32x4.splat(<u32>(first >> shift));
  lanes = i32x4.replace_lane(lanes, 1, <u32>((first + 1) >> shift));
  lanes = i32x4.replace_lane(lanes, 2, <u32>((first + 2) >> shift));
  return i32x4.replace_lane(lanes, 3, <u32>((first + 3) >> shift));
}

/** Four full leaves that lie one after the other. */
function fourLeaves(at: usize, counter: u64, out: usize): void {
  const low = counters(counter, 0);
  const high = counters(counter, 32);
  const blockBytes = i32x4.splat(64);
  loadInitialState();
  for (let block: u32 = 0; block < 16; block++) {
    const from = at + (block << 6);
    loadMessage(from, from + 1024, from + 2048, from + 3072);
    const flags = block == 0 ? CHUNK_START : block == 15 ? CHUNK_END : 0;
    compress4(low, high, blockBytes, i32x4.splat(flags));
  }
  storeState(out);
}

/**
 * The last one to four leaves of a slice, the last of which may be short or empty. Lanes without a leaf repeat lane 0;
 * their chaining values are written too and mean nothing.
 */
function lastLeaves(at: usize, bytes: u32, counter: u64, rootFlag: u32, out: usize): void {
  const last: u32 = bytes == 0 ? 0 : (bytes - 1) / LEAF_BYTES;
  const shortBytes = bytes - last * LEAF_BYTES;
  const shortBlocks: u32 = shortBytes == 0 ? 1 : (shortBytes + 63) >> 6;
  memory.copy(PADDED, at + last * LEAF_BYTES, shortBytes);
  memory.fill(PADDED + shortBytes, 0, (shortBlocks << 6) - shortBytes);

  const a = last == 0 ? PADDED : at;
  const b = last == 1 ? PADDED : last < 1 ? a : at + 1024;
  const c = last == 2 ? PADDED : last < 2 ? a : at + 2048;
  const d = last == 3 ? PADDED : a;
  const low = counters(counter, 0);
  const high = counters(counter, 32);
  const blocks: u32 = last == 0 ? shortBlocks : 16;
  const lane = last << 2;
  loadInitialState();
  for (let block: u32 = 0; block < blocks; block++) {
    const from = block << 6;
    loadMessage(a + from, b + from, c + from, d + from);
    const isShortEnd = block + 1 == shortBlocks;
    const flags = (block == 0 ? CHUNK_START : 0) | (block == 15 ? CHUNK_END : 0);
    const shortFlags = (block == 0 ? CHUNK_START : 0) | (isShortEnd ? CHUNK_END | rootFlag : 0);
    v128.store(MASKED_BYTES, i32x4.splat(64));
    v128.store(MASKED_FLAGS, i32x4.splat(flags));
    store<u32>(MASKED_BYTES + lane, isShortEnd ? shortBytes - from : 64);
    store<u32>(MASKED_FLAGS + lane, shortFlags);
    compress4(low, high, v128.load(MASKED_BYTES), v128.load(MASKED_FLAGS));
    if (isShortEnd) {
      for (let word: usize = 0; word < 8; word++) {
        store<u32>(PADDED_CV + (word << 2), load<u32>(STATE + (word << 4) + lane));
      }
    }
  }
  storeState(out);
  memory.copy(out + (last << 5), PADDED_CV, 32);
}

const MASKED_BYTES: usize = memory.data(16, 16);
const MASKED_FLAGS: usize = memory.data(16, 16);

/**
 * Writes the chaining value of every leaf of `bytes` bytes at `at` to `out` (u8[leaves, 32]; 96 bytes more may be
 * touched). `counter` is the number of the first leaf in its tree. `isRoot` marks a slice that is a whole tree.
 *
 * @returns the number of leaves, at least one
 */
export function hashLeaves(at: usize, bytes: u32, counter: u64, isRoot: bool, out: usize): u32 {
  const leaves: u32 = bytes == 0 ? 1 : (bytes - 1) / LEAF_BYTES + 1;
  const full = bytes / LEAF_BYTES;
  let leaf: u32 = 0;
  for (; leaf + 4 <= full; leaf += 4) {
    fourLeaves(at + leaf * LEAF_BYTES, counter + leaf, out + (leaf << 5));
  }
  if (leaf < leaves) {
    const rootFlag: u32 = isRoot && leaves == 1 ? ROOT : 0;
    lastLeaves(at + leaf * LEAF_BYTES, bytes - leaf * LEAF_BYTES, counter + leaf, rootFlag, out + (leaf << 5));
  }
  return leaves;
}
