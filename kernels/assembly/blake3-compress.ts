/**
 * The BLAKE3 compression function on four independent lanes. Chaining values and message live in memory as
 * "word-major" vectors: vector i holds word i of all four lanes. Leaves and parents are built on it in hash-leaves and
 * hash-tree.
 *
 * @module
 */

export const CHUNK_START: u32 = 1;
export const CHUNK_END: u32 = 2;
export const PARENT: u32 = 4;
export const ROOT: u32 = 8;

/** Chaining value, in and out: v128[8]. */
export const STATE: usize = memory.data(128, 16);
/** Message block: v128[16]. */
export const MESSAGE: usize = memory.data(256, 16);

/** Byte offsets into MESSAGE in the order each of the seven rounds uses them: u8[7][16]. */
const SCHEDULE: usize = memory.data<u8>([
  0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80, 0x90, 0xa0, 0xb0, 0xc0, 0xd0, 0xe0, 0xf0, 0x20, 0x60, 0x30,
  0xa0, 0x70, 0x00, 0x40, 0xd0, 0x10, 0xb0, 0xc0, 0x50, 0x90, 0xe0, 0xf0, 0x80, 0x30, 0x40, 0xa0, 0xc0, 0xd0, 0x20,
  0x70, 0xe0, 0x60, 0x50, 0x90, 0x00, 0xb0, 0xf0, 0x80, 0x10, 0xa0, 0x70, 0xc0, 0x90, 0xe0, 0x30, 0xd0, 0xf0, 0x40,
  0x00, 0xb0, 0x20, 0x50, 0x80, 0x10, 0x60, 0xc0, 0xd0, 0x90, 0xb0, 0xf0, 0xa0, 0xe0, 0x80, 0x70, 0x20, 0x50, 0x30,
  0x00, 0x10, 0x60, 0x40, 0x90, 0xe0, 0xb0, 0x50, 0x80, 0xc0, 0xf0, 0x10, 0xd0, 0x30, 0x00, 0xa0, 0x20, 0x60, 0x40,
  0x70, 0xb0, 0xf0, 0x50, 0x00, 0x10, 0x90, 0x80, 0x60, 0xe0, 0xa0, 0x20, 0xc0, 0x30, 0x40, 0x70, 0xd0,
]);

function mix(a: v128, b: v128, order: usize, index: usize): v128 {
  return i32x4.add(i32x4.add(a, b), v128.load(MESSAGE + <usize>load<u8>(order + index)));
}

function rotate16(x: v128): v128 {
  return i8x16.shuffle(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
}

function rotate12(x: v128): v128 {
  return v128.or(i32x4.shr_u(x, 12), i32x4.shl(x, 20));
}

function rotate8(x: v128): v128 {
  return i8x16.shuffle(x, x, 1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12);
}

function rotate7(x: v128): v128 {
  return v128.or(i32x4.shr_u(x, 7), i32x4.shl(x, 25));
}

/** STATE := compress(STATE, MESSAGE, ...), each argument holding one value per lane. */
export function compress4(counterLow: v128, counterHigh: v128, blockBytes: v128, flags: v128): void {
  let v0 = v128.load(STATE, 0);
  let v1 = v128.load(STATE, 16);
  let v2 = v128.load(STATE, 32);
  let v3 = v128.load(STATE, 48);
  let v4 = v128.load(STATE, 64);
  let v5 = v128.load(STATE, 80);
  let v6 = v128.load(STATE, 96);
  let v7 = v128.load(STATE, 112);
  let v8 = i32x4.splat(0x6a09e667);
  let v9 = i32x4.splat(0xbb67ae85);
  let v10 = i32x4.splat(0x3c6ef372);
  let v11 = i32x4.splat(0xa54ff53a);
  let v12 = counterLow;
  let v13 = counterHigh;
  let v14 = blockBytes;
  let v15 = flags;

  for (let order = SCHEDULE; order < SCHEDULE + 112; order += 16) {
    // Columns. Four independent quarter-rounds run side by side to hide the latency of each.
    v0 = mix(v0, v4, order, 0);
    v1 = mix(v1, v5, order, 2);
    v2 = mix(v2, v6, order, 4);
    v3 = mix(v3, v7, order, 6);
    v12 = rotate16(v128.xor(v12, v0));
    v13 = rotate16(v128.xor(v13, v1));
    v14 = rotate16(v128.xor(v14, v2));
    v15 = rotate16(v128.xor(v15, v3));
    v8 = i32x4.add(v8, v12);
    v9 = i32x4.add(v9, v13);
    v10 = i32x4.add(v10, v14);
    v11 = i32x4.add(v11, v15);
    v4 = rotate12(v128.xor(v4, v8));
    v5 = rotate12(v128.xor(v5, v9));
    v6 = rotate12(v128.xor(v6, v10));
    v7 = rotate12(v128.xor(v7, v11));
    v0 = mix(v0, v4, order, 1);
    v1 = mix(v1, v5, order, 3);
    v2 = mix(v2, v6, order, 5);
    v3 = mix(v3, v7, order, 7);
    v12 = rotate8(v128.xor(v12, v0));
    v13 = rotate8(v128.xor(v13, v1));
    v14 = rotate8(v128.xor(v14, v2));
    v15 = rotate8(v128.xor(v15, v3));
    v8 = i32x4.add(v8, v12);
    v9 = i32x4.add(v9, v13);
    v10 = i32x4.add(v10, v14);
    v11 = i32x4.add(v11, v15);
    v4 = rotate7(v128.xor(v4, v8));
    v5 = rotate7(v128.xor(v5, v9));
    v6 = rotate7(v128.xor(v6, v10));
    v7 = rotate7(v128.xor(v7, v11));

    // Diagonals.
    v0 = mix(v0, v5, order, 8);
    v1 = mix(v1, v6, order, 10);
    v2 = mix(v2, v7, order, 12);
    v3 = mix(v3, v4, order, 14);
    v15 = rotate16(v128.xor(v15, v0));
    v12 = rotate16(v128.xor(v12, v1));
    v13 = rotate16(v128.xor(v13, v2));
    v14 = rotate16(v128.xor(v14, v3));
    v10 = i32x4.add(v10, v15);
    v11 = i32x4.add(v11, v12);
    v8 = i32x4.add(v8, v13);
    v9 = i32x4.add(v9, v14);
    v5 = rotate12(v128.xor(v5, v10));
    v6 = rotate12(v128.xor(v6, v11));
    v7 = rotate12(v128.xor(v7, v8));
    v4 = rotate12(v128.xor(v4, v9));
    v0 = mix(v0, v5, order, 9);
    v1 = mix(v1, v6, order, 11);
    v2 = mix(v2, v7, order, 13);
    v3 = mix(v3, v4, order, 15);
    v15 = rotate8(v128.xor(v15, v0));
    v12 = rotate8(v128.xor(v12, v1));
    v13 = rotate8(v128.xor(v13, v2));
    v14 = rotate8(v128.xor(v14, v3));
    v10 = i32x4.add(v10, v15);
    v11 = i32x4.add(v11, v12);
    v8 = i32x4.add(v8, v13);
    v9 = i32x4.add(v9, v14);
    v5 = rotate7(v128.xor(v5, v10));
    v6 = rotate7(v128.xor(v6, v11));
    v7 = rotate7(v128.xor(v7, v8));
    v4 = rotate7(v128.xor(v4, v9));
  }

  v128.store(STATE, v128.xor(v0, v8), 0);
  v128.store(STATE, v128.xor(v1, v9), 16);
  v128.store(STATE, v128.xor(v2, v10), 32);
  v128.store(STATE, v128.xor(v3, v11), 48);
  v128.store(STATE, v128.xor(v4, v12), 64);
  v128.store(STATE, v128.xor(v5, v13), 80);
  v128.store(STATE, v128.xor(v6, v14), 96);
  v128.store(STATE, v128.xor(v7, v15), 112);
}

/** STATE := the initial chaining value in every lane. */
export function loadInitialState(): void {
  v128.store(STATE, i32x4.splat(0x6a09e667), 0);
  v128.store(STATE, i32x4.splat(0xbb67ae85), 16);
  v128.store(STATE, i32x4.splat(0x3c6ef372), 32);
  v128.store(STATE, i32x4.splat(0xa54ff53a), 48);
  v128.store(STATE, i32x4.splat(0x510e527f), 64);
  v128.store(STATE, i32x4.splat(0x9b05688c), 80);
  v128.store(STATE, i32x4.splat(0x1f83d9ab), 96);
  v128.store(STATE, i32x4.splat(0x5be0cd19), 112);
}

/** Transposes 16 bytes from each of four lanes into four word-major vectors at `to`. */
function transpose(a: v128, b: v128, c: v128, d: v128, to: usize): void {
  const ab01 = v128.shuffle<u32>(a, b, 0, 4, 1, 5);
  const ab23 = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
  const cd01 = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
  const cd23 = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<u64>(ab01, cd01, 0, 2), 0);
  v128.store(to, v128.shuffle<u64>(ab01, cd01, 1, 3), 16);
  v128.store(to, v128.shuffle<u64>(ab23, cd23, 0, 2), 32);
  v128.store(to, v128.shuffle<u64>(ab23, cd23, 1, 3), 48);
}

/** MESSAGE := one 64-byte block of each lane. */
export function loadMessage(a: usize, b: usize, c: usize, d: usize): void {
  transpose(v128.load(a, 0), v128.load(b, 0), v128.load(c, 0), v128.load(d, 0), MESSAGE);
  transpose(v128.load(a, 16), v128.load(b, 16), v128.load(c, 16), v128.load(d, 16), MESSAGE + 64);
  transpose(v128.load(a, 32), v128.load(b, 32), v128.load(c, 32), v128.load(d, 32), MESSAGE + 128);
  transpose(v128.load(a, 48), v128.load(b, 48), v128.load(c, 48), v128.load(d, 48), MESSAGE + 192);
}

/** Writes the four chaining values of STATE to `out`: u8[4, 32]. Uses MESSAGE as scratch. */
export function storeState(out: usize): void {
  transpose(v128.load(STATE, 0), v128.load(STATE, 16), v128.load(STATE, 32), v128.load(STATE, 48), MESSAGE);
  transpose(v128.load(STATE, 64), v128.load(STATE, 80), v128.load(STATE, 96), v128.load(STATE, 112), MESSAGE + 64);
  for (let lane: usize = 0; lane < 4; lane++) {
    v128.store(out + (lane << 5), v128.load(MESSAGE + (lane << 4), 0), 0);
    v128.store(out + (lane << 5), v128.load(MESSAGE + (lane << 4), 64), 16);
  }
}
