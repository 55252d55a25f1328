// Standard LZ4 blocks of at most 64 KiB, one workgroup each. A step looks at LANES positions at once: every lane looks for
// a match at its own, lane 0 chooses which of them to take. The sequences that follow from that are kept until there are
// many; then all lanes write them, each lane whole words of the output. The result depends on the input alone.

/// Entries of the hash table, at most 65536; the variants differ in it.
override TABLE_ENTRIES: u32 = 4096u;

// include "byte-string.wgsl"

/// Byte offset, byte length (1 to 65536).
@group(0) @binding(1) var<storage, read> blocks: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read_write> packed: array<u32>;
/// Compressed bytes of each block; the block is to be stored when that is not less than its length.
@group(0) @binding(3) var<storage, read_write> sizes: array<u32>;
/// Number of blocks, words between the results of two blocks.
@group(0) @binding(4) var<uniform> params: vec4<u32>;

/// Also the longest match that a lane measures alone.
const LANES = 64u;
/// LZ4's rules: no match begins in the last 12 bytes of a block or reaches into its last 5.
const MATCH_MARGIN = 12u;
const LITERAL_MARGIN = 5u;
const MIN_MATCH = 4u;
/// Sequences that are kept before they are written, and the most that one step adds.
const KEPT = 64u;
const ADDED = LANES / MIN_MATCH;
/// Of the table for matches within one step.
const NEAR_ENTRIES = 256u;
/// More steps than the largest block takes.
const MAX_STEPS = 65536u / LANES + 1u;

/// Positions by the hash of their word: position << 16 | tag, so that the maximum is the latest.
var<workgroup> table: array<atomic<u32>, TABLE_ENTRIES>;
/// The first lane of the current step by the hash of its word: (step + 1) << 6 | (LANES - 1 - lane), for the maximum again.
var<workgroup> nearTable: array<atomic<u32>, NEAR_ENTRIES>;
/// The word at each lane's position.
var<workgroup> words: array<u32, LANES>;
/// The match at each lane's position: distance << 16 | length; 0 is none. And a bit for each that is not 0.
var<workgroup> matches: array<u32, LANES>;
var<workgroup> matched: array<atomic<u32>, LANES / 32u>;
/// First literal, literals, distance << 16 | length of the match, position in the output. The block's last has no match.
var<workgroup> sequences: array<vec4<u32>, KEPT + ADDED + 1u>;
/// Where a match that is longer than LANES ends.
var<workgroup> reach: atomic<u32>;

struct Progress {
  /// The first position that no step has looked at.
  position: u32,
  /// The first that is in no sequence.
  literals: u32,
  /// Kept sequences, and bytes of output up to their end.
  count: u32,
  size: u32,
  /// Distance of the last match when it may go on behind what was measured, otherwise 0.
  open: u32,
}
var<workgroup> progress: Progress;

/// Bytes that a length takes behind its token.
fn extraBytes(length: u32) -> u32 {
  return select(0u, (length + 240u) / 255u, length >= 15u);
}

/// The `index`th of these bytes.
fn extraByte(length: u32, index: u32) -> u32 {
  return min(length - 15u - 255u * index, 255u);
}

fn scramble(word: u32) -> u32 { return word * 0x9e3779b1u; }
fn entryOf(scrambled: u32) -> u32 { return ((scrambled >> 16u) * TABLE_ENTRIES) >> 16u; }
fn nearEntryOf(scrambled: u32) -> u32 { return scrambled >> 24u; }
fn tagOf(scrambled: u32) -> u32 { return (scrambled >> 4u) & 0xffffu; }

fn remember(position: u32, word: u32) {
  let scrambled = scramble(word);
  atomicMax(&table[entryOf(scrambled)], (position << 16u) | tagOf(scrambled));
}

/// A match for the word at `position`: with an earlier word of this step, or else with one that the table knows.
fn findMatch(start: u32, position: u32, step: u32, lane: u32, limit: u32) -> u32 {
  let word = words[lane];
  let scrambled = scramble(word);
  let near = atomicLoad(&nearTable[nearEntryOf(scrambled)]);
  let nearLane = LANES - 1u - (near & (LANES - 1u));
  var candidate = position - lane + nearLane;
  if (near / LANES != step + 1u || nearLane >= lane || words[nearLane] != word) {
    let entry = atomicLoad(&table[entryOf(scrambled)]);
    candidate = entry >> 16u;
    if ((entry & 0xffffu) != tagOf(scrambled) || candidate >= position) { return 0u; }
    if (load32(start + candidate) != word) { return 0u; }
  }
  var length = MIN_MATCH;
  while (length < LANES) {
    let difference = load32(start + position + length) ^ load32(start + candidate + length);
    if (difference != 0u) {
      length += countTrailingZeros(difference) >> 3u;
      break;
    }
    length += 4u;
  }
  return ((position - candidate) << 16u) | min(length, limit - position);
}

/// One lane: takes the matches of this step, first come first served, but rather a longer one that begins a byte later.
fn chooseMatches() {
  var next = progress;
  let base = next.position;
  var covered = 0u; // lanes that the matches taken so far reach over
  var last = 0u;
  for (var half = 0u; half < LANES / 32u; half++) {
    let first = 32u * half;
    var bits = atomicExchange(&matched[half], 0u);
    while (covered < first + 32u) {
      if (covered > first) { bits &= 0xffffffffu << (covered - first); }
      if (bits == 0u) { break; }
      var lane = first + firstTrailingBit(bits);
      while (lane + 1u < LANES && (matches[lane + 1u] & 0xffffu) > (matches[lane] & 0xffffu)) { lane++; }
      last = matches[lane];
      let length = last & 0xffffu;
      let literals = base + lane - next.literals;
      sequences[next.count] = vec4<u32>(next.literals, literals, last, next.size);
      next.count++;
      next.size += 3u + extraBytes(literals) + literals + extraBytes(length - MIN_MATCH);
      covered = lane + length;
      next.literals = base + covered;
    }
  }
  next.position = base + max(covered, LANES);
  next.open = select(0u, last >> 16u, (last & 0xffffu) >= LANES);
  progress = next;
}

/// All lanes: where the match of this distance that has come to `position` ends.
fn measure(start: u32, position: u32, distance: u32, limit: u32, lane: u32) -> u32 {
  var end = position;
  var reached = position;
  for (var round = 0u; round < 65536u / (4u * LANES) + 1u; round++) {
    let here = end + 4u * lane;
    if (here < limit) {
      let difference = load32(start + here) ^ load32(start + here - distance);
      if (difference != 0u) { atomicMin(&reach, min(limit, here + (countTrailingZeros(difference) >> 3u))); }
    }
    workgroupBarrier();
    if (lane == 0u) { progress.position = atomicLoad(&reach); }
    reached = workgroupUniformLoad(&progress.position);
    end += 4u * LANES;
    if (reached < end) { break; }
  }
  return reached;
}

/// One byte of a sequence.
fn byteOf(sequence: vec4<u32>, index: u32, start: u32) -> u32 {
  let literals = sequence.y;
  let distance = sequence.z >> 16u;
  let length = max(sequence.z & 0xffffu, MIN_MATCH) - MIN_MATCH;
  if (index == 0u) { return (min(literals, 15u) << 4u) | min(length, 15u); }
  let literalAt = 1u + extraBytes(literals);
  if (index < literalAt) { return extraByte(literals, index - 1u); }
  if (index < literalAt + literals) { return load32(start + sequence.x + index - literalAt) & 255u; }
  let distanceAt = literalAt + literals;
  if (index < distanceAt + 2u) { return (distance >> (8u * (index - distanceAt))) & 255u; }
  return extraByte(length, index - distanceAt - 2u);
}

/// One word of the output, which ends at byte `size`, made of `count` sequences.
fn wordOf(word: u32, count: u32, size: u32, start: u32) -> u32 {
  var low = 0u;
  var high = count;
  while (high - low > 1u) {
    let middle = (low + high) / 2u;
    if (sequences[middle].w <= 4u * word) { low = middle; } else { high = middle; }
  }
  let first = sequences[low];
  let literalAt = first.w + 1u + extraBytes(first.y);
  if (4u * word >= literalAt && 4u * word + 4u <= literalAt + first.y) {
    return load32(start + first.x + 4u * word - literalAt);
  }
  var value = 0u;
  for (var i = 0u; i < 4u; i++) {
    let at = 4u * word + i;
    if (at >= size) { break; }
    // A sequence has at least three bytes, the last at least one.
    if (low + 1u < count && sequences[low + 1u].w <= at) { low++; }
    value |= byteOf(sequences[low], at - sequences[low].w, start) << (8u * i);
  }
  return value;
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = group.x + group.y * groups.x;
  if (block >= params.x) { return; }
  let start = blocks[block].x;
  let length = blocks[block].y;
  let limit = max(length, LITERAL_MARGIN) - LITERAL_MARGIN;
  // What does not get smaller is not wanted: no word behind the block's own length is written.
  let roomWords = min(params.y, (length + 3u) / 4u);
  var writtenWords = 0u;
  var now = Progress();

  for (var step = 0u; step < MAX_STEPS; step++) {
    let base = now.position;
    let isLast = base + MATCH_MARGIN > length;
    if (!isLast) {
      let position = base + lane;
      let mayMatch = position + MATCH_MARGIN <= length;
      if (mayMatch) {
        let word = load32(start + position);
        words[lane] = word;
        atomicMax(&nearTable[nearEntryOf(scramble(word))], (step + 1u) * LANES + LANES - 1u - lane);
      }
      workgroupBarrier();
      var found = 0u;
      if (mayMatch) { found = findMatch(start, position, step, lane, limit); }
      matches[lane] = found;
      if (found != 0u) { atomicOr(&matched[lane / 32u], 1u << (lane & 31u)); }
      workgroupBarrier();
      if (mayMatch) { remember(position, words[lane]); }
      if (lane == 0u) {
        chooseMatches();
        atomicStore(&reach, limit);
      }
      now = workgroupUniformLoad(&progress);

      if (now.open != 0u) {
        let end = measure(start, now.position, now.open, limit, lane);
        if (lane == 0u) {
          let last = sequences[progress.count - 1u].z;
          let more = end - now.position;
          sequences[progress.count - 1u].z = last + more;
          let measured = (last & 0xffffu) - MIN_MATCH;
          progress.size += extraBytes(measured + more) - extraBytes(measured);
          progress.literals = end;
        }
        now = workgroupUniformLoad(&progress);
      }
      // Words that only the end of a match has brought, so far unseen.
      let tail = now.position - 4u + lane;
      if (lane < 4u && tail >= base + LANES && tail + MATCH_MARGIN <= length) { remember(tail, load32(start + tail)); }
    }

    if (isLast || now.count > KEPT) {
      var size = now.size;
      var endWord = size / 4u;
      if (isLast) {
        let literals = length - now.literals;
        if (lane == 0u) { sequences[now.count] = vec4<u32>(now.literals, literals, 0u, size); }
        now.count++;
        size += 1u + extraBytes(literals) + literals;
        endWord = (size + 3u) / 4u;
        workgroupBarrier();
      }
      for (var word = writtenWords + lane; word < min(endWord, roomWords); word += LANES) {
        packed[block * params.y + word] = wordOf(word, now.count, size, start);
      }
      writtenWords = endWord;
      if (isLast) {
        if (lane == 0u) { sizes[block] = select(size, max(size, length), size > 4u * params.y); }
        break;
      }
      // The bytes of the word begun belong to the last sequence: it stays.
      workgroupBarrier();
      if (lane == 0u) {
        sequences[0] = sequences[now.count - 1u];
        progress.count = 1u;
      }
      now.count = 1u;
    }
  }
}
