/**
 * Second stage of cutting: which candidates become cuts. The first stage (which positions are candidates) may run in any
 * order on any device; this choice is sequential, cheap and the same everywhere.
 *
 * A chunk that starts at s ends behind the first strict candidate from s + min to the normal point; else behind the
 * first loose candidate from there to s + max; else at s + max.
 *
 * @module
 */
import type { CutSizes } from "../ports/engine.ts";
import { cutRule } from "./cut-sizes.ts";

/**
 * The first position in `[from, to)` whose Gear state has `bits` zero bits at the top, or -1. A cut lies behind its
 * position. Only `looseBits` and `strictBits` of the cut rule are asked for.
 */
export type FindCandidate = (from: number, to: number, bits: number) => number;

/** Marks a position of a candidate list as strict. */
export const STRICT_CANDIDATE = 0x8000_0000;

/**
 * Yields the ends of chunks in a piece of `length` bytes that starts at a chunk boundary. The last end is `length` when
 * `final`; otherwise bytes behind the last end belong to the next piece.
 *
 * @param beforeChunk told the start and the largest possible end of each chunk before it is searched
 */
export function* cutEnds(
  find: FindCandidate,
  length: number,
  sizes: CutSizes,
  final: boolean,
  beforeChunk?: (start: number, limit: number) => void,
): Generator<number, void, undefined> {
  const { strictBits, looseBits, normalBytes } = cutRule(sizes);
  for (let start = 0; start < length; ) {
    const limit = Math.min(start + sizes.maxBytes, length);
    beforeChunk?.(start, limit);
    const normal = Math.min(start + normalBytes - 1, limit);
    const strict = find(Math.min(start + sizes.minBytes - 1, limit), normal, strictBits);
    const candidate = strict >= 0 ? strict : find(normal, limit, looseBits);
    if (candidate < 0 && limit < start + sizes.maxBytes && !final) return;
    start = candidate < 0 ? limit : candidate + 1;
    yield start;
  }
}

/**
 * Chooses cuts from a list of all loose candidates of a piece.
 *
 * @param candidates ascending positions, STRICT_CANDIDATE set on strict ones. u32[n]
 * @returns ends of the chunks found. u32[chunks]
 */
export function selectCuts(
  candidates: Uint32Array,
  length: number,
  sizes: CutSizes,
  final: boolean,
): Uint32Array<ArrayBuffer> {
  const { looseBits } = cutRule(sizes);
  let next = 0;
  const at = (i: number): number => (candidates[i] ?? 0) & ~STRICT_CANDIDATE;
  const find: FindCandidate = (from, to, bits) => {
    // Chunks only move forward, so what lies before `from` is never asked for again.
    while (next < candidates.length && at(next) < from) next += 1;
    for (let i = next; i < candidates.length && at(i) < to; i++) {
      if (bits === looseBits || (candidates[i] ?? 0) >= STRICT_CANDIDATE) return at(i);
    }
    return -1;
  };
  return Uint32Array.from(cutEnds(find, length, sizes, final));
}
