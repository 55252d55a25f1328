/**
 * What the host may call. Addresses are those of memory.ts; the host copies bytes in and out.
 *
 * @module
 */
import { prepareGear } from "./cut-candidates";
import { END, INPUT, INPUT_BYTES, OUTPUT, OUTPUT_BYTES, TABLE, TABLE_BYTES } from "./memory";
import { LZ4_SLOT_BYTES } from "./compress-lz4";

export { compressLz4 } from "./compress-lz4";
export { cutCandidates } from "./cut-candidates";
export { decompressLz4 } from "./decompress-lz4";
export { hashSlice, hashTree } from "./hash-tree";
export { probeEntropy } from "./probe-entropy";
export { END, INPUT, INPUT_BYTES, LZ4_SLOT_BYTES, OUTPUT, OUTPUT_BYTES, TABLE, TABLE_BYTES };

prepareGear();
