/**
 * Samples ranges as the CPU kernel of the same name does and counts exactly the same; core/compress decides what that
 * means.
 *
 * Bindings: data u8[] as u32[], ranges u32[count, 2] (byte offset, byte length), probes u32[count, PROBE_WORDS] (256
 * counts of byte values, then the repeats), params u32[4] (count, 0, 0, 0). One workgroup per range.
 *
 * @module
 */
import type { ShaderDescriptor } from "./descriptor.ts";
import { SOURCES } from "./dist/sources.ts";

/** Words of one range's result: the histogram, then the number of repeated words. */
export const PROBE_WORDS = 257;

/** Bytes that are sampled of a range of `bytes` bytes; the histogram's counts add up to it. */
export function sampledBytes(bytes: number): number {
  return Math.min(bytes, SLICE_BYTES * Math.min(16, Math.max(4, Math.floor(bytes / SLICE_DISTANCE_BYTES))));
}

const SLICE_BYTES = 1024;
const SLICE_DISTANCE_BYTES = 16_384;

/** The only variant. */
export const probeEntropy: ShaderDescriptor = {
  name: "probe-entropy",
  source: SOURCES["probe-entropy"],
  bindings: ["read", "read", "write", "uniform"],
  overrides: {},
  workgroupInvocations: 64,
  workgroupBytes: 4 * (256 + 2048 + 64 + 4),
};
