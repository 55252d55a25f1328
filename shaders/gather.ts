/**
 * Copies many pieces of a buffer in one dispatch, so that only what is wanted travels back to the host.
 *
 * Bindings: source u32[], pieces u32[count, 4] (first word in the source, first word in the target, words, 0), target
 * u32[], params u32[4] (count, 0, 0, 0). One workgroup per piece. Pieces lie inside both buffers and do not overlap in
 * the target: the host's promise.
 *
 * @module
 */
import type { ShaderDescriptor } from "./descriptor.ts";
import { SOURCES } from "./dist/sources.ts";

/** The only variant. */
export const gather: ShaderDescriptor = {
  name: "gather",
  source: SOURCES["gather"],
  bindings: ["read", "read", "write", "uniform"],
  overrides: {},
  workgroupInvocations: 256,
  workgroupBytes: 0,
};
