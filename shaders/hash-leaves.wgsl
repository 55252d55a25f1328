// BLAKE3 leaves: the chaining value of each KiB of many slices. One invocation per leaf.

// include "blake3.wgsl"

// The byte string, 16 bytes at a time: neighbouring invocations read 1 KiB apart, so each load should bring much.
@group(0) @binding(0) var<storage, read> data: array<vec4<u32>>;
// Byte offset, byte length, leaves of all slices before it, number of its first leaf in its file (and SUBTREE).
@group(0) @binding(1) var<storage, read> slices: array<vec4<u32>>;
// Two for each leaf.
@group(0) @binding(2) var<storage, read_write> cvs: array<vec4<u32>>;
// Slices, leaves of all slices.
@group(0) @binding(3) var<uniform> params: vec4<u32>;

const LANES = 64u;

// The slice that holds a leaf: the last one that begins at or before it.
fn slice_of(leaf: u32) -> u32 {
  var low = 0u;
  var high = params.x;
  while (high - low > 1u) {
    let middle = (low + high) / 2u;
    if (slices[middle].z <= leaf) { low = middle; } else { high = middle; }
  }
  return low;
}

// The 16 words of a block, and the four behind them.
struct Block {
  w0: vec4<u32>,
  w4: vec4<u32>,
  w8: vec4<u32>,
  w12: vec4<u32>,
  next: vec4<u32>,
}

// The block that begins `bytes` bytes (0 to 15) further on. Its `next` means nothing.
fn drop_bytes(block: Block, bytes: u32) -> Block {
  var b = block;
  if ((bytes & 8u) != 0u) {
    b = Block(
      vec4<u32>(b.w0.zw, b.w4.xy),
      vec4<u32>(b.w4.zw, b.w8.xy),
      vec4<u32>(b.w8.zw, b.w12.xy),
      vec4<u32>(b.w12.zw, b.next.xy),
      b.next.zwzw,
    );
  }
  if ((bytes & 4u) != 0u) {
    b = Block(
      vec4<u32>(b.w0.yzw, b.w4.x),
      vec4<u32>(b.w4.yzw, b.w8.x),
      vec4<u32>(b.w8.yzw, b.w12.x),
      vec4<u32>(b.w12.yzw, b.next.x),
      b.next.yyyy,
    );
  }
  // Two shifts, since one by 32 would be none.
  let right = vec4<u32>((bytes & 3u) * 8u);
  let left = vec4<u32>(31u) - right;
  let one = vec4<u32>(1u);
  return Block(
    (b.w0 >> right) | ((vec4<u32>(b.w0.yzw, b.w4.x) << left) << one),
    (b.w4 >> right) | ((vec4<u32>(b.w4.yzw, b.w8.x) << left) << one),
    (b.w8 >> right) | ((vec4<u32>(b.w8.yzw, b.w12.x) << left) << one),
    (b.w12 >> right) | ((vec4<u32>(b.w12.yzw, b.next.x) << left) << one),
    b.next,
  );
}

// Words of which only the first `bytes` bytes stay, the others becoming zero. `first` is the number of the first byte.
fn keep_bytes(words: vec4<u32>, first: u32, bytes: u32) -> vec4<u32> {
  let starts = vec4<u32>(first, first + 4u, first + 8u, first + 12u);
  let kept = min(max(vec4<u32>(bytes), starts) - starts, vec4<u32>(4u));
  let mask = (vec4<u32>(1u) << ((kept & vec4<u32>(3u)) * 8u)) - 1u;
  return words & select(mask, vec4<u32>(0xffffffffu), kept == vec4<u32>(4u));
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let leaf = (group.x + group.y * groups.x) * LANES + lane;
  if (leaf >= params.y) { return; }
  let slice = slices[slice_of(leaf)];
  let index = leaf - slice.z;
  let bytes = min(LEAF_BYTES, slice.y - index * LEAF_BYTES);
  let blocks = max(1u, (bytes + BLOCK_BYTES - 1u) / BLOCK_BYTES);
  let is_root = leaves_of(slice.y) == 1u && (slice.w & SUBTREE) == 0u;
  let counter = (slice.w & ~SUBTREE) + index;

  let start = slice.x + index * LEAF_BYTES;
  let skew = start & 15u;
  var at = start / 16u;
  var value = ChainingValue(IV_LOW, IV_HIGH);
  var words = data[at];
  for (var block = 0u; block < blocks; block++) {
    // Behind the end of the byte string a load gives anything; what it gives is dropped or masked.
    var b = Block(words, data[at + 1u], data[at + 2u], data[at + 3u], data[at + 4u]);
    words = b.next;
    at += 4u;
    if (skew != 0u) { b = drop_bytes(b, skew); }
    let here = min(BLOCK_BYTES, bytes - block * BLOCK_BYTES);
    if (here < BLOCK_BYTES) {
      b.w0 = keep_bytes(b.w0, 0u, here);
      b.w4 = keep_bytes(b.w4, 16u, here);
      b.w8 = keep_bytes(b.w8, 32u, here);
      b.w12 = keep_bytes(b.w12, 48u, here);
    }
    var flags = select(0u, CHUNK_START, block == 0u);
    if (block + 1u == blocks) { flags |= select(CHUNK_END, CHUNK_END | ROOT, is_root); }
    value = compress(value, message(b.w0, b.w4, b.w8, b.w12), counter, here, flags);
  }
  cvs[leaf * 2u] = value.low;
  cvs[leaf * 2u + 1u] = value.high;
}
