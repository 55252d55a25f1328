/**
 * BLAKE3 parents: a row of chaining values reduced level by level, neighbours in pairs, an odd last one carried up. That
 * is BLAKE3's left-full tree, and so also the whole tree of one slice: `hashSlice`.
 *
 * @module
 */
import { compress4, loadInitialState, loadMessage, PARENT, ROOT, storeState } from "./blake3-compress";
import { hashLeaves } from "./hash-leaves";
import { CVS } from "./memory";

const ODD: usize = memory.data(32, 16);

/** Reduces `count` chaining values at `cvs` in place; the last one stays at `cvs`. 256 bytes behind them may be touched. */
export function hashTree(cvs: usize, count: u32, isRoot: bool): void {
  const zero = i32x4.splat(0);
  const blockBytes = i32x4.splat(64);
  while (count > 1) {
    const pairs = count >> 1;
    const isOdd = (count & 1) == 1;
    if (isOdd) memory.copy(ODD, cvs + ((count - 1) << 5), 32);
    const flags = i32x4.splat(isRoot && count == 2 ? PARENT | ROOT : PARENT);
    for (let pair: u32 = 0; pair < pairs; pair += 4) {
      const from = cvs + (pair << 6);
      loadInitialState();
      loadMessage(from, from + 64, from + 128, from + 192);
      compress4(zero, zero, blockBytes, flags);
      storeState(cvs + (pair << 5));
    }
    if (isOdd) memory.copy(cvs + (pairs << 5), ODD, 32);
    count = pairs + (isOdd ? 1 : 0);
  }
}

/**
 * The chaining value (or, when `isRoot`, the hash) of `bytes` bytes at `at`, written to `out` (32 bytes).
 * `counter` is the number of the first leaf in its tree: 0 for a whole tree.
 */
export function hashSlice(at: usize, bytes: u32, counter: u64, isRoot: bool, out: usize): void {
  hashTree(CVS, hashLeaves(at, bytes, counter, isRoot, CVS), isRoot);
  memory.copy(out, CVS, 32);
}
