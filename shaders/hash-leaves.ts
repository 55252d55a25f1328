/**
 * BLAKE3 leaves of many slices in one dispatch: one invocation per leaf.
 *
 * Bindings: data (byte string), slices u32[sliceCount, 4], cvs u32[leafCount, 8] (written), params u32[4] (sliceCount,
 * leafCount, 0, 0). A slice is (byteOffset, byteLength, firstLeaf, counter): any byte offset; `firstLeaf` is the number of
 * leaves of the slices before it; `counter` is the number of its first leaf in its file, below 2^31, with SUBTREE added
 * when the slice is not a whole file, so that its hash is no root.
 *
 * @module
 */
import type { ShaderDescriptor } from "./descriptor.ts";
import { SOURCES } from "./dist/sources.ts";

const LEAF_BYTES = 1024;

/** In a slice's counter: the slice is a subtree of a larger file. */
export const SUBTREE = 0x8000_0000;

/** What to run; its chaining values are what hash-tree reads. */
export const hashLeaves: ShaderDescriptor = {
  name: "hash-leaves",
  source: SOURCES["hash-leaves"],
  bindings: ["read", "read", "write", "uniform"],
  overrides: {},
  workgroupInvocations: 64,
  workgroupBytes: 0,
};

/** Leaves of a slice of `bytes` bytes: at least one. */
export function leavesOf(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / LEAF_BYTES));
}

/** Workgroups for `leafCount` leaves. */
export function hashLeavesWorkgroups(leafCount: number): number {
  return Math.ceil(leafCount / hashLeaves.workgroupInvocations);
}
