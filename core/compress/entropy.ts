/**
 * What the probe of a run says about it: whether trying to compress it is worth the time.
 *
 * @module
 */

/** A sample of a run, as the engines' probe-entropy kernels count it. */
export interface Probe {
  /** How often each byte value occurs in the sample. u32[256] */
  readonly histogram: Uint32Array;
  /** Four-byte words of the sample that occurred in it before. */
  readonly repeats: number;
  /** Bytes in the sample. */
  readonly sampledBytes: number;
}

/** From this on an entropy coder alone gains less than the minimum gain. */
const INCOMPRESSIBLE_BITS = 7.75;
/** Share of repeated words below which matches gain nothing either. */
const REPEATS_SHARE = 0.01;
/** In a smaller sample even random bytes do not look random; such runs are simply tried. */
const MIN_SAMPLE_BYTES = 2048;

/** A result counts when it is smaller than what went in by at least this share. */
export const MIN_GAIN = 0.03;

/** Shannon entropy of a histogram, in bits per byte, 0 to 8. */
export function entropyBits(histogram: Uint32Array): number {
  let total = 0;
  let weighted = 0;
  for (const count of histogram) {
    if (count === 0) continue;
    total += count;
    weighted += count * Math.log2(count);
  }
  return total === 0 ? 0 : Math.log2(total) - weighted / total;
}

/** True when neither an entropy coder nor matches are likely to reach the minimum gain. */
export function looksIncompressible({ histogram, repeats, sampledBytes }: Probe): boolean {
  return (
    sampledBytes >= MIN_SAMPLE_BYTES &&
    repeats < sampledBytes * REPEATS_SHARE &&
    entropyBits(histogram) >= INCOMPRESSIBLE_BITS
  );
}

/** Whether a compressed result is worth keeping. */
export function isWorthwhile(plainBytes: number, compressedBytes: number): boolean {
  return compressedBytes <= plainBytes * (1 - MIN_GAIN);
}
