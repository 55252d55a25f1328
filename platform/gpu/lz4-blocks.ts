/**
 * LZ4 blocks on the device, in dispatches that are as large as the device can do in good time.
 *
 * @module
 */
import { LZ4_BLOCK_BYTES } from "../../core/compress/lz4-frame.ts";
import type { DispatchSize } from "./dispatch-size.ts";
import type { Slot } from "./slot.ts";

const WORD_BYTES = 4;
const BLOCK_ENTRY_WORDS = 2;

/** Words between the results of two blocks: a result that is kept is smaller than its block. */
export const LZ4_STRIDE_WORDS = LZ4_BLOCK_BYTES / WORD_BYTES;

/** A block of at most LZ4_BLOCK_BYTES bytes, by its place in the engine's bytes. */
export interface Block {
  readonly start: number;
  readonly length: number;
}

/**
 * Compresses blocks of `data`, which holds the engine's bytes from `base` on; block i goes to word i * LZ4_STRIDE_WORDS of `out`.
 * @returns the bytes that each block came to; no fewer than it has when it is to be stored. Fresh
 */
export async function compressBlocks(
  slot: Slot,
  size: DispatchSize,
  data: GPUBuffer,
  base: number,
  out: GPUBuffer,
  blocks: readonly Block[],
): Promise<Uint32Array> {
  const table = await slot.upload(
    "blocks",
    Uint32Array.from(blocks.flatMap(({ start, length }) => [base + start, length])),
  );
  const sizes = await slot.buffer("sizes", blocks.length * WORD_BYTES);
  const perDispatch = size.blocks;
  const firsts = Array.from({ length: Math.ceil(blocks.length / perDispatch) }, (_, i) => i * perDispatch);
  const countFrom = (first: number): number => Math.min(perDispatch, blocks.length - first);
  const params = await slot.params(
    "lz4",
    firsts.map((first) => [countFrom(first), LZ4_STRIDE_WORDS, 0, 0]),
  );
  const began = performance.now();
  for (const [i, first] of firsts.entries()) {
    const count = countFrom(first);
    const part = (buffer: GPUBuffer, words: number) => ({
      buffer,
      offset: first * words * WORD_BYTES,
      size: count * words * WORD_BYTES,
    });
    const bindings = [data, part(table, BLOCK_ENTRY_WORDS), part(out, LZ4_STRIDE_WORDS), part(sizes, 1)];
    const own = params.slice(i, i + 1);
    slot.submit([], (add) => add(slot.kernels.compressLz4, [...bindings, ...own], count));
  }
  const [milliseconds, result] = await Promise.all([
    slot.timeUntilDone(began),
    slot.read(
      [],
      () => {},
      [{ buffer: sizes, offset: 0, bytes: blocks.length * WORD_BYTES }],
      ([view]) => new Uint32Array(view?.slice().buffer ?? new ArrayBuffer(0)),
    ),
  ]);
  size.note(countFrom(0), milliseconds / firsts.length);
  return result;
}
