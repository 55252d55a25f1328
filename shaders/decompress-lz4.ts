/**
 * Decodes LZ4 blocks of known size and accepts exactly what the CPU kernel of the same name accepts.
 *
 * Bindings: data u8[] as u32[], blocks u32[count, 4] (byte offset, byte length, byte offset of the output, which is a
 * multiple of 4, plain length 1 to 65536), plain u8[] as u32[], status u32[count] (1 good, 0 malformed or of another
 * length), params u32[4] (count, 0, 0, 0). One workgroup per block. Whatever a block holds, nothing but its own range is
 * written; of the last word the bytes behind its plain length become 0. What a malformed one leaves there means nothing.
 *
 * @module
 */
import type { ShaderDescriptor } from "./descriptor.ts";
import { SOURCES } from "./dist/sources.ts";

/** The only variant. */
export const decompressLz4: ShaderDescriptor = {
  name: "decompress-lz4",
  source: SOURCES["decompress-lz4"],
  bindings: ["read", "read", "write", "write", "uniform"],
  overrides: {},
  workgroupInvocations: 64,
  workgroupBytes: 16 * 64 + 64,
};
