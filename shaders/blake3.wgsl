// BLAKE3's compression function, to be included. A state of 16 words is four vectors, so a round is four mixings side by
// side: down the columns, then, with the rows turned, down the diagonals.

const IV_LOW = vec4<u32>(0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au);
const IV_HIGH = vec4<u32>(0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u);
const LEAF_BYTES = 1024u;
const BLOCK_BYTES = 64u;
const CHUNK_START = 1u;
const CHUNK_END = 2u;
const PARENT = 4u;
const ROOT = 8u;
// In a slice's counter: a subtree of a larger file, which has no root.
const SUBTREE = 0x80000000u;

// Eight words between two compressions.
struct ChainingValue {
  low: vec4<u32>,
  high: vec4<u32>,
}

struct State {
  a: vec4<u32>,
  b: vec4<u32>,
  c: vec4<u32>,
  d: vec4<u32>,
}

// A block's 16 words in the order of their use: first and second operand of the columns, then of the diagonals.
struct Message {
  column0: vec4<u32>,
  column1: vec4<u32>,
  diagonal0: vec4<u32>,
  diagonal1: vec4<u32>,
}

fn rotate(x: vec4<u32>, bits: u32) -> vec4<u32> {
  return (x >> vec4<u32>(bits)) | (x << vec4<u32>(32u - bits));
}

fn mix_four(s: State, x: vec4<u32>, y: vec4<u32>) -> State {
  let a = s.a + s.b + x;
  let d = rotate(s.d ^ a, 16u);
  let c = s.c + d;
  let b = rotate(s.b ^ c, 12u);
  let a2 = a + b + y;
  let d2 = rotate(d ^ a2, 8u);
  let c2 = c + d2;
  return State(a2, rotate(b ^ c2, 7u), c2, d2);
}

fn mix_round(s: State, m: Message) -> State {
  let columns = mix_four(s, m.column0, m.column1);
  let turned = State(columns.a, columns.b.yzwx, columns.c.zwxy, columns.d.wxyz);
  let diagonals = mix_four(turned, m.diagonal0, m.diagonal1);
  return State(diagonals.a, diagonals.b.wxyz, diagonals.c.zwxy, diagonals.d.yzwx);
}

// The next round's order of the words.
fn permute(m: Message) -> Message {
  return Message(
    vec4<u32>(m.column0.y, m.column1.yw, m.column0.z),
    vec4<u32>(m.column0.w, m.diagonal0.y, m.column0.x, m.diagonal1.z),
    vec4<u32>(m.column1.x, m.diagonal0.z, m.diagonal1.xw),
    vec4<u32>(m.diagonal1.y, m.column1.z, m.diagonal0.wx),
  );
}

fn compress(value: ChainingValue, m: Message, counter: u32, bytes: u32, flags: u32) -> ChainingValue {
  let m1 = permute(m);
  let m2 = permute(m1);
  let m3 = permute(m2);
  let m4 = permute(m3);
  let m5 = permute(m4);
  let m6 = permute(m5);
  var s = State(value.low, value.high, IV_LOW, vec4<u32>(counter, 0u, bytes, flags));
  s = mix_round(s, m);
  s = mix_round(s, m1);
  s = mix_round(s, m2);
  s = mix_round(s, m3);
  s = mix_round(s, m4);
  s = mix_round(s, m5);
  s = mix_round(s, m6);
  return ChainingValue(s.a ^ s.c, s.b ^ s.d);
}

// The message of a block given as 16 words in order.
fn message(w0: vec4<u32>, w4: vec4<u32>, w8: vec4<u32>, w12: vec4<u32>) -> Message {
  return Message(
    vec4<u32>(w0.xz, w4.xz),
    vec4<u32>(w0.yw, w4.yw),
    vec4<u32>(w8.xz, w12.xz),
    vec4<u32>(w8.yw, w12.yw),
  );
}

// Leaves of a slice of `bytes` bytes; an empty one has one.
fn leaves_of(bytes: u32) -> u32 {
  return max(1u, (bytes + LEAF_BYTES - 1u) / LEAF_BYTES);
}
