// The cheapest edges among those that hold each row's packs. One workgroup per row: each lane ranks every 64th word of the
// row's holders, then the lanes' lists are merged in pairs.

/// What each edge costs for packs of each size, row by size.
@group(0) @binding(0) var<storage, read> costs: array<u32>;
/// The size of each row's packs, as a number of a row of costs.
@group(0) @binding(1) var<storage, read> size_of: array<u32>;
/// One bit per edge, the lowest bit first; each row begins with a word of its own.
@group(0) @binding(2) var<storage, read> holders: array<u32>;
/// BEST edges per row, the cheapest first; NO_EDGE where there are no more.
@group(0) @binding(3) var<storage, read_write> best: array<u32>;
/// Rows, edges.
@group(0) @binding(4) var<uniform> params: vec4<u32>;

/// Edges kept per row, at most 8.
override BEST: u32 = 4u;

const LANES = 64u;
const MOST_BEST = 8u;
const NEVER = 0x7fffffffu;
const NO_EDGE = 0xffffu;

var<workgroup> shared_costs: array<u32, LANES * MOST_BEST>;
var<workgroup> shared_edges: array<u32, LANES * MOST_BEST>;

/// Keeps a lane's list ascending by cost, then by number; what is not among the best falls out.
fn insert(start: u32, cost: u32, edge: u32) {
  let last = start + BEST - 1u;
  if (cost >= NEVER || !before(cost, edge, last)) { return; }
  var place = last;
  while (place > start && before(cost, edge, place - 1u)) {
    shared_costs[place] = shared_costs[place - 1u];
    shared_edges[place] = shared_edges[place - 1u];
    place -= 1u;
  }
  shared_costs[place] = cost;
  shared_edges[place] = edge;
}

fn before(cost: u32, edge: u32, place: u32) -> bool {
  return cost < shared_costs[place] || (cost == shared_costs[place] && edge < shared_edges[place]);
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group.x + group.y * groups.x;
  let is_row = row < params.x;
  let start = lane * MOST_BEST;
  for (var place = start; place < start + BEST; place += 1u) {
    shared_costs[place] = NEVER;
    shared_edges[place] = NO_EDGE;
  }
  if (is_row) {
    let edges = params.y;
    let words = (edges + 31u) / 32u;
    let row_costs = size_of[row] * edges;
    for (var word = lane; word < words; word += LANES) {
      var bits = holders[row * words + word];
      while (bits != 0u) {
        let edge = word * 32u + firstTrailingBit(bits);
        bits &= bits - 1u;
        if (edge < edges) { insert(start, costs[row_costs + edge], edge); }
      }
    }
  }
  for (var step = LANES / 2u; step > 0u; step /= 2u) {
    workgroupBarrier();
    if (lane < step) {
      let other = (lane + step) * MOST_BEST;
      for (var place = other; place < other + BEST; place += 1u) {
        insert(start, shared_costs[place], shared_edges[place]);
      }
    }
  }
  workgroupBarrier();
  if (is_row && lane < BEST) { best[row * BEST + lane] = shared_edges[lane]; }
}
