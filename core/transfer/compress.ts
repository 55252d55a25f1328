/**
 * Second stage of a send: compresses the runs of a scanned batch, or stores them where that does not pay.
 *
 * @module
 */
import type { Clock } from "../ports/clock.ts";
import type { Codec, Engine } from "../ports/engine.ts";
import type { CompressedBatch, CompressedRun, ScannedBatch } from "./batch.ts";

/** Takes the batch: stored runs are views of its bytes. */
export async function compressBatch(
  batch: ScannedBatch,
  codec: Codec,
  engine: Engine,
  clock: Clock,
): Promise<CompressedBatch> {
  const before = clock.now();
  const runs: CompressedRun[] = [];
  for (const { start, end, chunks } of batch.runs) {
    const plain = batch.bytes.subarray(start, end);
    const packed = codec === "none" ? undefined : await engine.compress(plain, codec);
    const plainBytes = end - start;
    runs.push(
      packed === undefined || codec === "none"
        ? { codec: "none", bytes: plain, plainBytes, chunks }
        : { codec, bytes: packed, plainBytes, chunks },
    );
  }
  const { bytes: _taken, runs: _scanned, ...rest } = batch;
  return { ...rest, runs, codec, compressMs: clock.now() - before };
}
