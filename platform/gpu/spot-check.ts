/**
 * One random part of an engine's answer, done again on the CPU and compared.
 *
 * @module
 */
import { LZ4_BLOCK_BYTES, readLz4Frame, writeLz4Frame } from "../../core/compress/lz4-frame.ts";
import type { CutResult, CutSizes, Engine, Piece, RunRange } from "../../core/ports/engine.ts";
import { assertEqualBytes, wrongBytes } from "./compare.ts";

const HASH_BYTES = 32;

/** Gives a number from 0 to below 1. */
export type Draw = () => number;

/** Looks at the form of all pieces, then cuts and hashes one chunk again. @throws Failure `engine/failed` */
export async function checkCut(
  cpu: Engine,
  bytes: Uint8Array<ArrayBuffer>,
  pieces: readonly Piece[],
  sizes: CutSizes,
  results: readonly CutResult[],
  draw: Draw,
): Promise<void> {
  if (results.length !== pieces.length) throw wrongBytes("cut");
  let chunks = 0;
  for (const [i, piece] of pieces.entries()) {
    const { ends, hashes } = results[i] ?? { ends: [], hashes: [] };
    const length = piece.end - piece.start;
    const last = ends[ends.length - 1] ?? 0;
    const isWhole = piece.final ? last === length : last <= length && length - last < sizes.maxBytes;
    if (!isWhole || hashes.length !== ends.length * HASH_BYTES) throw wrongBytes("cut");
    chunks += ends.length;
  }
  let chosen = Math.floor(draw() * chunks);
  for (const [i, { start, end, final }] of pieces.entries()) {
    const { ends, hashes } = results[i] ?? { ends: new Uint32Array(0), hashes: new Uint8Array(0) };
    if (chosen >= ends.length) {
      chosen -= ends.length;
      continue;
    }
    // A chunk alone is cut at its end just as it was in its piece, and nowhere before.
    const chunk = { start: start + (ends[chosen - 1] ?? 0), end: start + (ends[chosen] ?? 0) };
    if (chunk.end <= chunk.start || chunk.end > end) throw wrongBytes("cut");
    const [right] = await cpu.cut(bytes, [{ ...chunk, final: final && chunk.end === end }], sizes);
    if (right?.ends.length !== 1 || right.ends[0] !== chunk.end - chunk.start) throw wrongBytes("cut");
    assertEqualBytes(hashes.subarray(chosen * HASH_BYTES, (chosen + 1) * HASH_BYTES), right.hashes, "hash");
    return;
  }
}

/** Hashes one slice again. @throws Failure `engine/failed` */
export async function checkHashed(
  cpu: Engine,
  bytes: Uint8Array,
  ends: Uint32Array,
  hashes: Uint8Array,
  draw: Draw,
): Promise<void> {
  if (hashes.length !== ends.length * HASH_BYTES) throw wrongBytes("hash");
  if (ends.length === 0) return;
  const chosen = Math.floor(draw() * ends.length);
  const slice = bytes.subarray(ends[chosen - 1] ?? 0, ends[chosen]);
  const right = await cpu.hash(slice, Uint32Array.of(slice.length));
  assertEqualBytes(hashes.subarray(chosen * HASH_BYTES, (chosen + 1) * HASH_BYTES), right, "hash");
}

/** Decodes one block of one frame. @throws Failure `engine/failed`, or whatever the CPU finds wrong with the block */
export async function checkCompressed(
  cpu: Engine,
  bytes: Uint8Array,
  runs: readonly RunRange[],
  frames: readonly (Uint8Array | undefined)[],
  draw: Draw,
): Promise<void> {
  if (frames.length !== runs.length) throw wrongBytes("compress");
  const made = runs.flatMap(({ start, end }, i) => {
    const frame = frames[i];
    return frame === undefined ? [] : [{ plain: bytes.subarray(start, end), frame }];
  });
  const chosen = made[Math.floor(draw() * made.length)];
  if (chosen === undefined) return;
  try {
    await checkBlock(cpu, chosen.frame, chosen.plain, draw);
  } catch {
    // Also a frame that cannot be read is the engine's fault here, never the input's.
    throw wrongBytes("compress");
  }
}

/** Decodes one block of the frame again. @throws Failure `engine/failed` */
export async function checkDecompressed(
  cpu: Engine,
  frame: Uint8Array,
  plainBytes: number,
  plain: Uint8Array,
  draw: Draw,
): Promise<void> {
  if (plain.length !== plainBytes) throw wrongBytes("decompress");
  try {
    await checkBlock(cpu, frame, plain, draw);
  } catch {
    throw wrongBytes("decompress");
  }
}

/** Compares one block of a frame, decoded by the CPU, with its part of `plain`. */
async function checkBlock(cpu: Engine, frame: Uint8Array, plain: Uint8Array, draw: Draw): Promise<void> {
  const blocks = readLz4Frame(frame, plain.length);
  const chosen = Math.floor(draw() * blocks.length);
  const block = blocks[chosen];
  if (block === undefined) return;
  const right = plain.subarray(chosen * LZ4_BLOCK_BYTES, (chosen + 1) * LZ4_BLOCK_BYTES);
  assertEqualBytes(await cpu.decompress(writeLz4Frame([block]), "lz4", right.length), right, "block");
}
