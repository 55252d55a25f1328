// What a pack of each size costs at each edge, in whole microseconds: core/schedule/cost.ts, bit for bit. One invocation
// per pair.

/// Bytes per second, round trip and backlog in microseconds (below 2^31), weight in 1/256, nothing.
@group(0) @binding(0) var<storage, read> edges: array<vec4<u32>>;
/// Bytes of a pack.
@group(0) @binding(1) var<storage, read> sizes: array<u32>;
/// Row by size, column by edge.
@group(0) @binding(2) var<storage, read_write> costs: array<u32>;
/// Edges, sizes.
@group(0) @binding(3) var<uniform> params: vec4<u32>;

const LANES = 64u;
const NEVER = 0x7fffffffu;
const MOST = NEVER - 1u;
// 10^6 in two halves of 16 bits.
const MILLION_HIGH = 15u;
const MILLION_LOW = 16960u;

/// bytes × 10^6 ÷ rate, rounded down; MOST where that is more. The rate is not 0.
fn carry_us(bytes: u32, rate: u32) -> u32 {
  let low = bytes & 0xffffu;
  let high = bytes >> 16u;
  let middle = low * MILLION_HIGH + high * MILLION_LOW;
  let bottom = low * MILLION_LOW + (middle << 16u);
  let carried = select(0u, 1u, bottom < (middle << 16u));
  var rest = high * MILLION_HIGH + (middle >> 16u) + carried;
  if (rest >= rate) { return MOST; }
  // Long division of 64 bits by 32: the quotient fits 32, because the upper word is less than the divisor.
  var quotient = 0u;
  for (var bit = 32u; bit > 0u; bit -= 1u) {
    let overflows = (rest >> 31u) == 1u;
    rest = (rest << 1u) | ((bottom >> (bit - 1u)) & 1u);
    if (overflows || rest >= rate) {
      rest -= rate;
      quotient |= 1u << (bit - 1u);
    }
  }
  return min(quotient, MOST);
}

fn weighted(edge: vec4<u32>, bytes: u32) -> u32 {
  if (edge.x == 0u || edge.z == 0u) { return NEVER; }
  let us = min(edge.y + carry_us(bytes, edge.x), MOST);
  let high = (us >> 16u) * edge.z;
  if (high >= 1u << 23u) { return MOST; }
  return min((high << 8u) + (((us & 0xffffu) * edge.z) >> 8u), MOST);
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let pair = (group.x + group.y * groups.x) * LANES + lane;
  if (pair >= params.x * params.y) { return; }
  costs[pair] = weighted(edges[pair % params.x], sizes[pair / params.x]);
}
