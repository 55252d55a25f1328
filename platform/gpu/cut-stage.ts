/**
 * Cutting on the device: the candidates of a whole batch in one dispatch; the choice among them, which is sequential and
 * cheap, is core's; the chunks' hashes in a second round.
 *
 * @module
 */
import { cutRule } from "../../core/chunk/cut-sizes.ts";
import { STRICT_CANDIDATE, selectCuts } from "../../core/chunk/select-cuts.ts";
import type { CutResult, CutSizes, Piece } from "../../core/ports/engine.ts";
import { cutCandidatesWorkgroups } from "../../shaders/cut-candidates.ts";
import { HASH_BYTES, hashSlices } from "./hash-stage.ts";
import type { Slot } from "./slot.ts";

/** Candidates that the list has room for; 24 MiB of random bytes at the smallest average give a fortieth. */
const CANDIDATE_CAPACITY = 2 ** 16;
/** Candidates that are read back before their number is known: so many that the first round trip is normally the only one. */
const FIRST_CANDIDATES = 4095;
const WORD_BYTES = 4;
const NONE = new Uint32Array(0);

/** Cuts the pieces of `bytes` (see Engine.cut), or gives undefined when there are more candidates than the list can hold. */
export async function cutBatch(
  slot: Slot,
  bytes: Uint8Array,
  pieces: readonly Piece[],
  sizes: CutSizes,
): Promise<readonly CutResult[] | undefined> {
  const data = await slot.hold(bytes);
  const start = pieces[0]?.start ?? 0;
  const candidates = await findCandidates(slot, data, start, (pieces.at(-1)?.end ?? start) - start, sizes);
  if (candidates === undefined) return undefined;
  const ends = selectAll(candidates, start, pieces, sizes);
  const chunkCount = ends.reduce((sum, { length }) => sum + length, 0);
  const chunkStarts = new Uint32Array(chunkCount);
  const chunkEnds = new Uint32Array(chunkCount);
  let chunk = 0;
  for (const [i, piece] of pieces.entries()) {
    let from = piece.start;
    for (const end of ends[i] ?? NONE) {
      chunkStarts[chunk] = from;
      from = piece.start + end;
      chunkEnds[chunk++] = from;
    }
  }
  const hashes = await hashSlices(slot, data, chunkStarts, chunkEnds);
  let at = 0;
  return ends.map((own) => {
    const from = at;
    at += own.length * HASH_BYTES;
    return { ends: own, hashes: hashes.slice(from, at) };
  });
}

/** All loose candidates of data[base .. base + length), ascending, marked as `selectCuts` wants them. */
async function findCandidates(
  slot: Slot,
  data: GPUBuffer,
  base: number,
  length: number,
  sizes: CutSizes,
): Promise<Uint32Array | undefined> {
  const { looseBits, strictBits } = cutRule(sizes);
  if (length === 0) return NONE;
  const found = await slot.buffer("found", (1 + CANDIDATE_CAPACITY) * WORD_BYTES);
  const params = await slot.params("cut", [[base, length, CANDIDATE_CAPACITY, 0, looseBits, strictBits, 0, 0]]);
  const first = await slot.read(
    [{ buffer: found, offset: 0, bytes: WORD_BYTES }],
    (add) => add(slot.kernels.cutCandidates, [data, found, ...params], cutCandidatesWorkgroups(length)),
    [{ buffer: found, offset: 0, bytes: (1 + FIRST_CANDIDATES) * WORD_BYTES }],
    copyWords,
  );
  const count = first[0] ?? 0;
  if (count > CANDIDATE_CAPACITY) return undefined;
  if (count <= FIRST_CANDIDATES) return sorted(first.subarray(1, 1 + count));
  const all = { buffer: found, offset: WORD_BYTES, bytes: count * WORD_BYTES };
  return sorted(await slot.read([], () => {}, [all], copyWords));
}

function copyWords([view]: readonly Uint8Array<ArrayBuffer>[]): Uint32Array {
  return view === undefined ? NONE : new Uint32Array(view.slice().buffer);
}

/** By position; a batch is far below 2^31 bytes, so the mark fits under the position while they are sorted as numbers. */
function sorted(candidates: Uint32Array): Uint32Array {
  return candidates
    .map((word) => (word << 1) | (word >>> 31))
    .sort()
    .map((word) => (word >>> 1) | (word << 31));
}

/** The chosen ends of each piece. Positions behind a border are judged with bytes before it, but none of them can be a cut. */
function selectAll(
  candidates: Uint32Array,
  base: number,
  pieces: readonly Piece[],
  sizes: CutSizes,
): readonly Uint32Array<ArrayBuffer>[] {
  let next = 0;
  const positionAt = (i: number): number => base + ((candidates[i] ?? 0) & ~STRICT_CANDIDATE);
  return pieces.map(({ start, end, final }) => {
    while (next < candidates.length && positionAt(next) < start) next += 1;
    const first = next;
    while (next < candidates.length && positionAt(next) < end) next += 1;
    // The mark is above every position, so that subtracting leaves it alone.
    const own = candidates.subarray(first, next).map((word) => word - (start - base));
    return selectCuts(own, end - start, sizes, final);
  });
}
