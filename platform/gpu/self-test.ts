/**
 * Known answers: before an engine is trusted it must cut, hash, compress and decompress a fixed mixture as the CPU does.
 *
 * @module
 */
import { toFailure } from "../../core/failure.ts";
import type { CutSizes, Engine, Piece } from "../../core/ports/engine.ts";
import { KIB } from "../../core/units.ts";
import { assertEqualBytes } from "./compare.ts";
import { mixture } from "./mixture.ts";

const TEST_BYTES = 200 * KIB;
/** What is decompressed and hashed holds the mixture as often as it takes for the engine not to leave it to the CPU. */
const REPEATED = 3;
const SEED = 0x77617270;
/** Small chunks, so that there are many. */
const SIZES: CutSizes = { minBytes: 1 * KIB, averageBytes: 4 * KIB, maxBytes: 16 * KIB };
/** Ends of pieces: at odd places, one of them empty, one of a byte; the last is not final. */
const PIECE_ENDS = [70_001, 70_001, 70_002, 136_000, TEST_BYTES];

/** Compares `engine` with `cpu`. @throws Failure `engine/failed`, `wrong-bytes` when an answer differs */
export async function selfTest(engine: Engine, cpu: Engine): Promise<void> {
  const bytes = mixture(TEST_BYTES, SEED);
  const pieces = PIECE_ENDS.map((end, i): Piece => {
    return { start: PIECE_ENDS[i - 1] ?? 0, end, final: end < TEST_BYTES };
  });
  try {
    const [ours, theirs] = [await engine.cut(bytes, pieces, SIZES), await cpu.cut(bytes, pieces, SIZES)];
    for (const [i, { ends, hashes }] of theirs.entries()) {
      assertEqualBytes(
        new Uint8Array((ours[i]?.ends ?? new Uint32Array(0)).slice().buffer),
        new Uint8Array(ends.slice().buffer),
        "cut",
      );
      assertEqualBytes(ours[i]?.hashes, hashes, "hash");
    }
    const half = TEST_BYTES / 2 + 1;
    const runs = [
      { start: 0, end: half },
      { start: half, end: TEST_BYTES },
    ];
    const packed = await engine.compress(bytes, runs, "lz4");
    for (const [i, { start, end }] of runs.entries()) {
      const frame = packed[i];
      const plain = frame && (await cpu.decompress(frame, "lz4", end - start));
      assertEqualBytes(plain, bytes.subarray(start, end), "compress");
    }
    const repeated = new Uint8Array(REPEATED * TEST_BYTES);
    for (let i = 0; i < REPEATED; i++) repeated.set(bytes, i * TEST_BYTES);
    const [frame] = await cpu.compress(repeated, [{ start: 0, end: repeated.length }], "lz4");
    const plain = frame && (await engine.decompress(frame, "lz4", repeated.length));
    assertEqualBytes(plain, repeated, "decompress");
    const ends = Uint32Array.from(PIECE_ENDS, (end) => REPEATED * end);
    assertEqualBytes(await engine.hash(repeated, ends), await cpu.hash(repeated, ends), "hash");
  } catch (error) {
    throw toFailure(error, "engine/failed");
  }
}
