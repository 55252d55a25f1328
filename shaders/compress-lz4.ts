/**
 * LZ4 blocks of at most 64 KiB, each on its own, as the CPU kernel makes them, though not byte for byte; equal on all
 * devices for one variant.
 *
 * Bindings: data u8[] as u32[], blocks u32[count, 2] (byte offset, byte length 1 to 65536), packed u32[count, stride],
 * sizes u32[count], params u32[4] (count, stride in words, 0, 0). One workgroup per block. A block whose size is not less
 * than its length is to be stored: then what lies in its place means nothing. A stride of a quarter of the longest
 * block, rounded up, is enough; nothing is written behind it.
 *
 * @module
 */
import type { ShaderDescriptor } from "./descriptor.ts";
import { SOURCES } from "./dist/sources.ts";

/** Workgroup memory besides the table. */
const STATE_BYTES = 3072;
/** Both leave room for the state: in the 16 KiB that every device has, and in the 32 KiB of most. */
const SMALL_TABLE_ENTRIES = 3328;
const TABLE_ENTRIES = 4096;

/** The variant with the larger hash table for which `workgroupStorageLimit` (bytes) has room. */
export function compressLz4(workgroupStorageLimit: number): ShaderDescriptor {
  const large = variant(TABLE_ENTRIES);
  return large.workgroupBytes <= workgroupStorageLimit ? large : variant(SMALL_TABLE_ENTRIES);
}

function variant(tableEntries: number): ShaderDescriptor {
  return {
    name: "compress-lz4",
    source: SOURCES["compress-lz4"],
    bindings: ["read", "read", "write", "write", "uniform"],
    overrides: { TABLE_ENTRIES: tableEntries },
    workgroupInvocations: 64,
    workgroupBytes: 4 * tableEntries + STATE_BYTES,
  };
}
