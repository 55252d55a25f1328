// The sample of kernels/assembly/probe-entropy.ts, counted the same: the histogram of its bytes, and how many of its
// 4-byte words equal the one that was last seen with the same hash. One workgroup per range.

// include "byte-string.wgsl"

/// Byte offset, byte length.
@group(0) @binding(1) var<storage, read> ranges: array<vec2<u32>>;
/// 257 words for each range: the histogram, then the repeats.
@group(0) @binding(2) var<storage, read_write> probes: array<u32>;
/// Number of ranges.
@group(0) @binding(3) var<uniform> params: vec4<u32>;

const LANES = 64u;
const SLICE_BYTES = 1024u;
const PROBE_WORDS = 257u;
const SCRAMBLE = 0x9e3779b1u;

var<workgroup> histogram: array<atomic<u32>, 256>;
/// For each of 4096 hashes, two in a word: 1 + place in the sample of the last word with that hash; 0 is none.
var<workgroup> lastPlaces: array<atomic<u32>, 2048>;
/// The scrambled words of the current step. Scrambling loses nothing, and its top 12 bits are the hash.
var<workgroup> scrambled: array<u32, LANES>;
var<workgroup> repeats: atomic<u32>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group.x + group.y * groups.x;
  if (index >= params.x) { return; }
  let range = ranges[index];
  let wanted = clamp(range.y >> 14u, 4u, 16u);
  let isWhole = range.y <= wanted * SLICE_BYTES;
  let slices = select(wanted, 1u, isWhole);
  let sliceBytes = select(SLICE_BYTES, range.y, isWhole);
  let stride = select((range.y - SLICE_BYTES) / (wanted - 1u), SLICE_BYTES, isWhole);
  let sliceWords = max(sliceBytes, 3u) - 3u; // overlapping words: one begins at each byte

  for (var slice = 0u; slice < slices; slice++) {
    let start = range.x + slice * stride;
    for (var step = 0u; step < sliceBytes; step += LANES) {
      let at = step + lane;
      var word = 0u;
      if (at < sliceBytes) {
        word = load32(start + at);
        atomicAdd(&histogram[word & 255u], 1u);
      }
      let mine = word * SCRAMBLE;
      let hash = mine >> 20u;
      scrambled[lane] = mine;
      workgroupBarrier();

      // The last one with the same hash before this word: in this step, or else in the table of those before.
      let isWord = at < sliceWords;
      let words = min(sliceWords - min(step, sliceWords), LANES);
      var before = LANES;
      var isLast = isWord;
      for (var other = 0u; other < words; other++) {
        if (scrambled[other] >> 20u == hash) {
          if (other < lane) { before = other; }
          if (other > lane) { isLast = false; }
        }
      }
      let shift = (hash & 1u) * 16u;
      let place = (atomicLoad(&lastPlaces[hash >> 1u]) >> shift) & 0xffffu;
      if (isWord) {
        var seen = 0u; // what an empty entry holds
        if (before < LANES) {
          seen = scrambled[before];
        } else if (place > 0u) {
          seen = load32(range.x + (place - 1u) / SLICE_BYTES * stride + (place - 1u) % SLICE_BYTES) * SCRAMBLE;
        }
        if (seen == mine) { atomicAdd(&repeats, 1u); }
      }
      workgroupBarrier();
      if (isLast) {
        // One lane alone changes this half of the word, so that the difference is all it takes.
        let now = slice * SLICE_BYTES + at + 1u;
        atomicXor(&lastPlaces[hash >> 1u], (place ^ now) << shift);
      }
    }
  }

  workgroupBarrier();
  for (var value = lane; value < 256u; value += LANES) {
    probes[index * PROBE_WORDS + value] = atomicLoad(&histogram[value]);
  }
  if (lane == 0u) { probes[index * PROBE_WORDS + 256u] = atomicLoad(&repeats); }
}
