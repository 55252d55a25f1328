// Gear-32 at every position of a piece, as in core/chunk/gear.ts: h(i) is the sum over k = 0..31 of G(byte[i - k]) << k,
// and a position is a candidate when the top bits of h are zero. Each invocation judges one strip, which it reads in
// steps of whole memory transactions; G is calculated, which is quicker than a table that everyone reads at random.

// The byte string, 16 bytes at a time.
@group(0) @binding(0) var<storage, read> data: array<vec4<u32>>;
// The number of candidates, then, unsorted, their positions, with the top bit set where they are strict.
@group(0) @binding(1) var<storage, read_write> found: array<atomic<u32>>;

struct Params {
  // First byte of the piece, its length, and how many candidates there is room for.
  base: u32,
  length: u32,
  capacity: u32,
  unused: u32,
  // Zero bits that make a candidate, and a strict one; 1 to 31.
  loose_bits: u32,
  strict_bits: u32,
}
@group(0) @binding(2) var<uniform> params: Params;

const LANES = 64u;
const STRIP_BYTES = 256u;
const STEP_BYTES = 64u;
// Bytes before a position that its state depends on. A position that has fewer is never a cut, and is left out.
const HISTORY = 31u;
const STRICT = 0x80000000u;

// The states after each byte of a word.
fn roll(before: u32, word: u32) -> vec4<u32> {
  let bytes = vec4<u32>(word, word >> 8u, word >> 16u, word >> 24u) & vec4<u32>(255u);
  var g = bytes * 0x9e3779b1u + 0x9e3779b1u;
  g = (g ^ (g >> vec4<u32>(15u))) * 0x85ebca77u;
  g = g ^ (g >> vec4<u32>(13u));
  let a = (before << 1u) + g.x;
  let b = (a << 1u) + g.y;
  let c = (b << 1u) + g.z;
  return vec4<u32>(a, b, c, (c << 1u) + g.w);
}

// What becomes of 16 bytes: the state behind them, and the least state within.
struct Rolled {
  state: u32,
  least: u32,
}

fn roll_four(before: u32, words: vec4<u32>) -> Rolled {
  let a = roll(before, words.x);
  let b = roll(a.w, words.y);
  let c = roll(b.w, words.z);
  let d = roll(c.w, words.w);
  let least = min(min(a, b), min(c, d));
  return Rolled(d.w, min(min(least.x, least.y), min(least.z, least.w)));
}

// Lists the candidates among the 16 positions from `first` on.
fn report(before: u32, words: vec4<u32>, first: u32) {
  var state = before;
  for (var i = 0u; i < 16u; i++) {
    let states = roll(state, words[i / 4u] >> (8u * (i % 4u)));
    state = states.x;
    let position = first + i;
    // Before the piece's first byte a position wraps around and is beyond its length as well.
    let counts = position >= HISTORY && position < params.length;
    if (!counts || state >> (32u - params.loose_bits) != 0u) { continue; }
    let slot = atomicAdd(&found[0], 1u);
    if (slot >= params.capacity) { continue; }
    let is_strict = state >> (32u - params.strict_bits) == 0u;
    atomicStore(&found[slot + 1u], position | select(0u, STRICT, is_strict));
  }
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  // Strips begin at whole steps of the byte string, so the first one may begin before the piece.
  let strip = (group.x + group.y * groups.x) * LANES + lane;
  let first = (params.base & ~(STEP_BYTES - 1u)) + strip * STRIP_BYTES;
  let end = params.base + params.length;
  let limit = 1u << (32u - params.loose_bits);
  var state = 0u;
  if (strip > 0u && first < end) {
    state = roll_four(roll_four(0u, data[first / 16u - 2u]).state, data[first / 16u - 1u]).state;
  }
  let stop = min(first + STRIP_BYTES, end);
  for (var at = first; at < stop; at += STEP_BYTES) {
    let words0 = data[at / 16u];
    let words1 = data[at / 16u + 1u];
    let words2 = data[at / 16u + 2u];
    let words3 = data[at / 16u + 3u];
    let r0 = roll_four(state, words0);
    let r1 = roll_four(r0.state, words1);
    let r2 = roll_four(r1.state, words2);
    let r3 = roll_four(r2.state, words3);
    // Few steps hold a candidate: those are gone through again, slowly.
    let least = vec4<u32>(r0.least, r1.least, r2.least, r3.least);
    if (any(least < vec4<u32>(limit))) {
      let before = vec4<u32>(state, r0.state, r1.state, r2.state);
      for (var i = 0u; i < 4u; i++) {
        if (least[i] < limit) { report(before[i], data[at / 16u + i], at + 16u * i - params.base); }
      }
    }
    state = r3.state;
  }
}
