// Copies pieces of one buffer to places in another. One workgroup per piece.

@group(0) @binding(0) var<storage, read> source: array<u32>;
/// First word in the source, first word in the target, words, nothing.
@group(0) @binding(1) var<storage, read> pieces: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> gathered: array<u32>;
/// Number of pieces.
@group(0) @binding(3) var<uniform> params: vec4<u32>;

const LANES = 256u;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group.x + group.y * groups.x;
  if (index >= params.x) { return; }
  let piece = pieces[index];
  for (var word = lane; word < piece.z; word += LANES) {
    gathered[piece.y + word] = source[piece.x + word];
  }
}
