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
  const packed = codec === "none" ? [] : await engine.compress(batch.bytes, batch.runs, codec);
  const runs = batch.runs.map(({ start, end, chunks, spans }, i): CompressedRun => {
    const plainBytes = end - start;
    const bytes = packed[i];
    return bytes === undefined
      ? { codec: "none", bytes: batch.bytes.subarray(start, end), plainBytes, chunks, spans }
      : { codec, bytes, plainBytes, chunks, spans };
  });
  const { bytes: _taken, runs: _scanned, ...rest } = batch;
  return { ...rest, runs, codec, compressMs: clock.now() - before };
}
