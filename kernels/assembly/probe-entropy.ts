/**
 * A quick look at a run: the histogram of a sample of its bytes, and how many of the sample's 4-byte words were seen
 * before in it. What that means is decided in core/compress.
 *
 * @module
 */

const SLICE_BYTES: u32 = 1024;
const SEEN: usize = memory.data(16384, 16);

/**
 * Samples slices of 1 KiB spread evenly over the run: one for each 16 KiB, at least 4 and at most 16 (or the whole of a
 * run that is smaller than that).
 *
 * @param out u32[257]: the histogram, then the number of repeated words
 * @returns the number of bytes sampled
 */
export function probeEntropy(at: usize, bytes: u32, out: usize): u32 {
  memory.fill(out, 0, 257 * 4);
  memory.fill(SEEN, 0, 16384);
  const slices: u32 = min(16, max(4, bytes >> 14));
  const isWhole = bytes <= slices * SLICE_BYTES;
  const sliceBytes: u32 = isWhole ? bytes : SLICE_BYTES;
  const count: u32 = isWhole ? 1 : slices;
  const stride: u32 = isWhole ? 0 : (bytes - SLICE_BYTES) / (slices - 1);
  let repeats: u32 = 0;
  for (let slice: u32 = 0; slice < count; slice++) {
    const from = at + slice * stride;
    const end = from + sliceBytes;
    for (let p = from; p < end; p++) {
      const counter = out + ((<usize>load<u8>(p)) << 2);
      store<u32>(counter, load<u32>(counter) + 1);
    }
    for (let p = from; p + 4 <= end; p++) {
      const word = load<u32>(p);
      const entry = SEEN + ((<usize>((word * 0x9e3779b1) >> 20)) << 2);
      if (load<u32>(entry) == word) repeats++;
      else store<u32>(entry, word);
    }
  }
  store<u32>(out, repeats, 1024);
  return count * sliceBytes;
}
