// Decodes LZ4 blocks of known size, one workgroup each; accepts exactly what kernels/assembly/decompress-lz4.ts accepts.
// Lane 0 reads some sequences and checks every length and distance; then all lanes write what these give, each lane whole
// words of the output. A byte that a match repeats is followed back, through earlier sequences of the same lot if need be,
// to a literal or to a word that an earlier lot has written.

// include "byte-string.wgsl"

/// Byte offset, byte length; byte offset of the output, a multiple of 4; its length (1 to 65536).
@group(0) @binding(1) var<storage, read> blocks: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> plain: array<u32>;
/// 1 for a block that is well formed and gives exactly its length, else 0.
@group(0) @binding(3) var<storage, read_write> status: array<u32>;
/// Number of blocks.
@group(0) @binding(4) var<uniform> params: vec4<u32>;

const LANES = 64u;
/// Sequences in one lot.
const LOT = 64u;

const MORE = 0u;
const GOOD = 1u;
const MALFORMED = 2u;

/// Positions in the output where the literals and the match begin, byte offset of the literals in `data`, distance.
var<workgroup> sequences: array<vec4<u32>, LOT>;
/// The bytes of the last word of the output that no lot has completed yet, and what the current lot makes of it.
var<workgroup> tail: u32;
var<workgroup> nextTail: u32;

struct Progress {
  /// Bytes read and bytes given so far.
  consumed: u32,
  given: u32,
  /// Sequences in the current lot.
  count: u32,
  verdict: u32,
}
var<workgroup> progress: Progress;

fn byteAt(offset: u32) -> u32 {
  return (data[offset >> 2u] >> ((offset & 3u) * 8u)) & 255u;
}

/// One lane: the rest of a length whose nibble is 15, from `consumed` on; more than `most` stands for malformed.
fn readLength(now: ptr<function, Progress>, block: vec4<u32>, most: u32) -> u32 {
  var length = 15u;
  while ((*now).consumed < block.y && length <= most) {
    let more = byteAt(block.x + (*now).consumed);
    (*now).consumed++;
    length += more;
    if (more != 255u) { return length; }
  }
  return most + 1u;
}

/// One lane: reads one sequence. @returns MORE, or the verdict
fn readSequence(now: ptr<function, Progress>, block: vec4<u32>) -> u32 {
  if ((*now).consumed >= block.y) { return MALFORMED; }
  let token = byteAt(block.x + (*now).consumed);
  (*now).consumed++;
  var literals = token >> 4u;
  if (literals == 15u) { literals = readLength(now, block, block.w); }
  if (literals > block.y - (*now).consumed || literals > block.w - (*now).given) { return MALFORMED; }
  let literalsAt = (*now).given;
  let literalBytes = block.x + (*now).consumed;
  let matchAt = literalsAt + literals;
  (*now).consumed += literals;
  (*now).given = matchAt;
  if ((*now).consumed == block.y) {
    sequences[(*now).count] = vec4<u32>(literalsAt, matchAt, literalBytes, 0u);
    (*now).count++;
    return select(MALFORMED, GOOD, matchAt == block.w);
  }

  if (block.y - (*now).consumed < 2u) { return MALFORMED; }
  let distanceAt = block.x + (*now).consumed;
  let distance = byteAt(distanceAt) | (byteAt(distanceAt + 1u) << 8u);
  (*now).consumed += 2u;
  if (distance == 0u || distance > matchAt) { return MALFORMED; }
  var length = token & 15u;
  if (length == 15u) { length = readLength(now, block, block.w); }
  if (length + 4u > block.w - matchAt) { return MALFORMED; }
  (*now).given = matchAt + length + 4u;
  sequences[(*now).count] = vec4<u32>(literalsAt, matchAt, literalBytes, distance);
  (*now).count++;
  return MORE;
}

/// The last sequence of the lot that does not begin behind `position`.
fn sequenceAt(position: u32, count: u32) -> u32 {
  var low = 0u;
  var high = count;
  while (high - low > 1u) {
    let middle = (low + high) / 2u;
    if (sequences[middle].x <= position) { low = middle; } else { high = middle; }
  }
  return low;
}

/// The byte at `position` of the output, in sequence `number` of a lot that begins at `lotAt`.
fn plainByte(position: u32, number: u32, lotAt: u32, outputWord: u32) -> u32 {
  var at = position;
  var sequence = sequences[number];
  var last = number;
  // Each hop ends in an earlier sequence, in literals, or before the lot.
  for (var hop = 0u; hop <= LOT; hop++) {
    if (at < (lotAt & ~3u)) { return (plain[outputWord + at / 4u] >> ((at & 3u) * 8u)) & 255u; }
    if (at < lotAt) { return (tail >> ((at & 3u) * 8u)) & 255u; }
    if (hop > 0u) {
      last = sequenceAt(at, last + 1u);
      sequence = sequences[last];
    }
    if (at < sequence.y) { return byteAt(sequence.z + at - sequence.x); }
    at = sequence.y - sequence.w + (at - sequence.y) % sequence.w;
  }
  return 0u;
}

/// A word of the output, in the lot that begins at `lotAt`; what lies behind the lot's end is 0.
fn plainWord(word: u32, lotAt: u32, now: Progress, outputWord: u32) -> u32 {
  let first = 4u * word;
  var number = sequenceAt(max(first, lotAt), now.count);
  let sequence = sequences[number];
  if (first >= sequence.x && first + 4u <= sequence.y) { return load32(sequence.z + first - sequence.x); }
  var end = now.given;
  if (number + 1u < now.count) { end = sequences[number + 1u].x; }
  if (first >= sequence.y && first + 4u <= end) {
    // Written by earlier lots, and so before the match: these four bytes follow each other.
    let earlier = sequence.y - sequence.w + (first - sequence.y) % sequence.w;
    if (earlier + 4u <= (lotAt & ~3u)) {
      let at = outputWord + earlier / 4u;
      let shift = (earlier & 3u) * 8u;
      if (shift == 0u) { return plain[at]; }
      return (plain[at] >> shift) | (plain[at + 1u] << (32u - shift));
    }
  }
  var value = 0u;
  for (var i = 0u; i < 4u && first + i < now.given; i++) {
    // A sequence with a match gives at least four bytes.
    if (number + 1u < now.count && sequences[number + 1u].x <= first + i) { number++; }
    value |= plainByte(first + i, number, lotAt, outputWord) << (8u * i);
  }
  return value;
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group.x + group.y * groups.x;
  if (index >= params.x) { return; }
  let block = blocks[index];
  let outputWord = block.z / 4u;
  var lotAt = 0u;
  var verdict = MORE;

  // A sequence but the last takes at least three bytes.
  for (var lot = 0u; lot <= block.y / (3u * LOT); lot++) {
    if (lane == 0u) {
      var next = progress;
      next.count = 0u;
      while (next.verdict == MORE && next.count < LOT) { next.verdict = readSequence(&next, block); }
      progress = next;
    }
    let now = workgroupUniformLoad(&progress);
    verdict = now.verdict;
    if (verdict == MALFORMED) { break; }

    for (var word = lotAt / 4u + lane; 4u * word < now.given; word += LANES) {
      let value = plainWord(word, lotAt, now, outputWord);
      if (4u * word + 4u <= now.given || verdict == GOOD) {
        plain[outputWord + word] = value;
      } else {
        nextTail = value;
      }
    }
    storageBarrier();
    workgroupBarrier();
    if (lane == 0u) { tail = nextTail; }
    lotAt = now.given;
    if (verdict == GOOD) { break; }
  }
  if (lane == 0u) { status[index] = select(0u, 1u, verdict == GOOD); }
}
