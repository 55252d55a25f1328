/**
 * Cut candidates of one piece of a byte string: one invocation per strip of 256 bytes.
 *
 * Bindings: data (byte string), found u32[1 + capacity] (written; its first word must be zero before), params u32[8]
 * (base, length, capacity, 0, looseBits, strictBits, 0, 0). The piece is `length` bytes, fewer than 2^31, from byte
 * `base` on, at any offset. found[0] becomes the number of candidates, also of those that found no room; behind it stand
 * their positions in the piece, in any order, with STRICT_CANDIDATE of core/chunk/select-cuts.ts added to the strict ones.
 * Positions below 31 are left out: no cut can be there. The others are those of core/chunk/gear.ts.
 *
 * @module
 */
import type { ShaderDescriptor } from "./descriptor.ts";
import { SOURCES } from "./dist/sources.ts";

const STRIP_BYTES = 256;
/** Strips begin at a multiple of it, up to so many bytes before the piece. */
const STEP_BYTES = 64;

/** What to run. */
export const cutCandidates: ShaderDescriptor = {
  name: "cut-candidates",
  source: SOURCES["cut-candidates"],
  bindings: ["read", "write", "uniform"],
  overrides: {},
  workgroupInvocations: 64,
  workgroupBytes: 0,
};

/** Workgroups for a piece of `length` bytes, wherever it begins. */
export function cutCandidatesWorkgroups(length: number): number {
  return Math.ceil((length + STEP_BYTES - 1) / (STRIP_BYTES * cutCandidates.workgroupInvocations));
}
