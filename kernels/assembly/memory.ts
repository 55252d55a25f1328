/**
 * Where everything lies in the kernels' memory. Regions do not overlap, begin at multiples of 64 and are followed by
 * SLACK bytes that wide loads and stores may touch. The memory never grows: its size is this layout.
 *
 * @module
 */

/** Bytes that a kernel may read or write past the end of a region. */
export const SLACK: usize = 256;
/** Room for one piece, one run, or one compressed run. */
export const INPUT_BYTES: usize = 8 << 20;
/** Room for the LZ4 slots of one run, or one decompressed run. */
export const OUTPUT_BYTES: usize = 5 << 20;
/** Chaining values of the leaves of the largest slice that is hashed: 32 bytes for each KiB of INPUT. */
export const CVS_BYTES: usize = 256 << 10;
/** Small tables that the host reads: candidates, block sizes, the histogram. */
export const TABLE_BYTES: usize = 64 << 10;

export const INPUT: usize = (__heap_base + 63) & ~63;
export const OUTPUT: usize = INPUT + INPUT_BYTES + SLACK;
export const CVS: usize = OUTPUT + OUTPUT_BYTES + SLACK;
export const TABLE: usize = CVS + CVS_BYTES + SLACK;

/** First byte behind the layout; the build fails to instantiate when it is not inside the memory. */
export const END: usize = TABLE + TABLE_BYTES + SLACK;
