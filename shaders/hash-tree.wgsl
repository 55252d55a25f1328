// BLAKE3 parents: the chaining values of a slice's leaves, reduced level by level in place, neighbours in pairs, an odd
// last one carried up. That is BLAKE3's left-full tree. One workgroup per slice.

// include "blake3.wgsl"

// As in hash-leaves; only the lengths, the first leaves and SUBTREE matter here.
@group(0) @binding(0) var<storage, read> slices: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> cvs: array<vec4<u32>>;
// Two for each slice.
@group(0) @binding(2) var<storage, read_write> digests: array<vec4<u32>>;
// Slices.
@group(0) @binding(3) var<uniform> params: vec4<u32>;

const LANES = 64u;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group.x + group.y * groups.x;
  if (index >= params.x) { return; }
  let slice = slices[index];
  let base = slice.z * 2u;
  let last_flags = select(PARENT | ROOT, PARENT, (slice.w & SUBTREE) != 0u);
  var count = leaves_of(slice.y);
  while (count > 1u) {
    let pairs = count / 2u;
    let flags = select(PARENT, last_flags, count == 2u);
    for (var first = 0u; first < pairs; first += LANES) {
      let pair = first + lane;
      var parent: ChainingValue;
      if (pair < pairs) {
        let first_child = base + pair * 4u;
        let children = message(cvs[first_child], cvs[first_child + 1u], cvs[first_child + 2u], cvs[first_child + 3u]);
        parent = compress(ChainingValue(IV_LOW, IV_HIGH), children, 0u, BLOCK_BYTES, flags);
      }
      // Parents take the places of children: all must have been read before any is written.
      storageBarrier();
      if (pair < pairs) {
        cvs[base + pair * 2u] = parent.low;
        cvs[base + pair * 2u + 1u] = parent.high;
      }
      storageBarrier();
    }
    if ((count & 1u) != 0u) {
      if (lane == 0u) {
        cvs[base + pairs * 2u] = cvs[base + count * 2u - 2u];
        cvs[base + pairs * 2u + 1u] = cvs[base + count * 2u - 1u];
      }
      storageBarrier();
    }
    count -= pairs;
  }
  if (lane < 2u) { digests[index * 2u + lane] = cvs[base + lane]; }
}
