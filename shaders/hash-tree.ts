/**
 * From the leaves' chaining values to one hash per slice: one workgroup per slice.
 *
 * Bindings: slices u32[sliceCount, 4] as in hash-leaves, cvs u32[leafCount, 8] (used up: the tree grows in place),
 * digests u32[sliceCount, 8] (written), params u32[4] (sliceCount, 0, 0, 0). The digest of a whole file is its BLAKE3-256;
 * that of a subtree is its chaining value.
 *
 * @module
 */
import type { ShaderDescriptor } from "./descriptor.ts";
import { SOURCES } from "./dist/sources.ts";

/** What to run after hash-leaves. */
export const hashTree: ShaderDescriptor = {
  name: "hash-tree",
  source: SOURCES["hash-tree"],
  bindings: ["read", "write", "write", "uniform"],
  overrides: {},
  workgroupInvocations: 64,
  workgroupBytes: 0,
};

/** Workgroups for `sliceCount` slices. */
export function hashTreeWorkgroups(sliceCount: number): number {
  return sliceCount;
}
