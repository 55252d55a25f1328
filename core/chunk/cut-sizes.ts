/**
 * How large chunks are, by how much is sent: larger inputs get larger chunks, so that the list of chunks stays small.
 * The sizes and what follows from them (bits, normal point) decide the cuts, so they are part of the protocol.
 *
 * @module
 */
import { assert } from "../failure.ts";
import type { CutSizes } from "../ports/engine.ts";
import { GIB, KIB, MAX_CHUNK_BYTES, MIB } from "../units.ts";

/** Bytes handed to an engine at once at the most: its own measure, what is left of one chunk, and one read. */
export const MAX_BATCH_BYTES = 24 * MIB;

const SMALL: CutSizes = { minBytes: 16 * KIB, averageBytes: 64 * KIB, maxBytes: 256 * KIB };
const MEDIUM: CutSizes = { minBytes: 64 * KIB, averageBytes: 256 * KIB, maxBytes: 1 * MIB };
const LARGE: CutSizes = { minBytes: 256 * KIB, averageBytes: 1 * MIB, maxBytes: MAX_CHUNK_BYTES };

/** The size class for a transfer of `totalBytes` in all its files: 64 KiB up to 10 GiB, 256 KiB up to 100 GiB, 1 MiB above. */
export function cutSizesFor(totalBytes: number): CutSizes {
  if (totalBytes <= 10 * GIB) return SMALL;
  return totalBytes <= 100 * GIB ? MEDIUM : LARGE;
}

/** What the choice of cuts derives from the sizes. */
export interface CutRule {
  /** Zero bits at the top of the Gear state that make a candidate before the normal point. */
  readonly strictBits: number;
  /** The same, from the normal point on. */
  readonly looseBits: number;
  /** Chunk size from which loose candidates count. */
  readonly normalBytes: number;
}

/** Smallest chunk: no position that may become a cut depends on bytes of the chunk before. */
export const MIN_CHUNK_BYTES = 64;

/**
 * Before the normal point a candidate is four times rarer than the average asks for, behind it four times more common,
 * which keeps sizes near the average. The normal point lies at 13/16 of the average because the chunk then still runs
 * on for a while: with it, random data gives the average that was asked for.
 */
export function cutRule({ minBytes, averageBytes, maxBytes }: CutSizes): CutRule {
  const bits = Math.log2(averageBytes);
  assert(Number.isInteger(bits) && bits >= 8 && bits <= 24, "the average is a power of two from 256 bytes to 16 MiB");
  const normalBytes = (averageBytes / 16) * 13;
  assert(minBytes >= MIN_CHUNK_BYTES && minBytes <= normalBytes && maxBytes >= averageBytes, "sizes are in order");
  return { strictBits: bits + 2, looseBits: bits - 2, normalBytes };
}
