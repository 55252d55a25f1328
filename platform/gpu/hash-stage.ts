/**
 * Hashing on the device: the leaves of all slices at once, then each slice's tree, digests back.
 *
 * @module
 */
import { hashLeavesWorkgroups, leavesOf } from "../../shaders/hash-leaves.ts";
import { hashTreeWorkgroups } from "../../shaders/hash-tree.ts";
import type { Slot } from "./slot.ts";

const SLICE_WORDS = 4;
const CV_BYTES = 32;
/** Bytes of a digest. */
export const HASH_BYTES = 32;

/**
 * BLAKE3-256 of slices of `data`: slice i begins where slice i-1 ended unless `starts` says otherwise.
 *
 * @param starts byte offset of each slice in data. u32[n]
 * @param ends   byte offset behind each slice. u32[n]
 * @returns u8[n, 32], fresh
 */
export async function hashSlices(
  slot: Slot,
  data: GPUBuffer,
  starts: Uint32Array,
  ends: Uint32Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const count = ends.length;
  if (count === 0) return new Uint8Array(0);
  const slices = new Uint32Array(count * SLICE_WORDS);
  let leaves = 0;
  for (let i = 0; i < count; i++) {
    const start = starts[i] ?? 0;
    const bytes = (ends[i] ?? 0) - start;
    slices.set([start, bytes, leaves, 0], i * SLICE_WORDS);
    leaves += leavesOf(bytes);
  }
  const table = await slot.upload("slices", slices);
  const cvs = await slot.buffer("cvs", leaves * CV_BYTES);
  const digests = await slot.buffer("digests", count * HASH_BYTES);
  const leafParams = await slot.params("leaf", [[count, leaves, 0, 0]]);
  const treeParams = await slot.params("tree", [[count, 0, 0, 0]]);
  return slot.read(
    [],
    (add) => {
      add(slot.kernels.hashLeaves, [data, table, cvs, ...leafParams], hashLeavesWorkgroups(leaves));
      add(slot.kernels.hashTree, [table, cvs, digests, ...treeParams], hashTreeWorkgroups(count));
    },
    [{ buffer: digests, offset: 0, bytes: count * HASH_BYTES }],
    ([view]) => (view ?? new Uint8Array(0)).slice(),
  );
}
