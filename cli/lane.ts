/**
 * The engine's work on this thread: scanning and compressing for a send, one batch ahead of the network; expanding for
 * a receive.
 *
 * @module
 */
import { cutSizesFor } from "../core/chunk/cut-sizes.ts";
import type { Codec, Engine } from "../core/ports/engine.ts";
import type { BatchSource, CompressedBatch, Expander } from "../core/transfer/batch.ts";
import { BatchPool } from "../core/transfer/batch-pool.ts";
import { compressBatch } from "../core/transfer/compress.ts";
import { expandRun } from "../core/transfer/expand.ts";
import { scan } from "../core/transfer/scan.ts";
import { systemClock } from "./clock.ts";
import type { Walk } from "./walk.ts";

/** Batches of everything that was found, in order. */
export function createBatchSource({ sources, totalBytes }: Walk, engine: Engine): BatchSource {
  const pool = new BatchPool(engine.batchBytes);
  const scanned = scan(sources, engine, cutSizesFor(totalBytes), systemClock, pool);
  const advance = async (codec: Codec): Promise<CompressedBatch | undefined> => {
    const { done, value } = await scanned.next();
    return done === true ? undefined : compressBatch(value, codec, engine, systemClock);
  };
  let ahead: Promise<CompressedBatch | undefined> | undefined;
  return {
    next: async (codec) => {
      const batch = await (ahead ?? advance(codec));
      ahead = batch === undefined ? undefined : advance(codec);
      ahead?.catch(() => {}); // met by the next call
      return batch;
    },
    recycle: (batch) => {
      for (const { bytes } of batch.runs) pool.give(bytes.buffer);
    },
  };
}

export function createExpander(engine: Engine): Expander {
  return { expand: (stored, codec, ends, hashes) => expandRun(engine, stored, codec, ends, hashes) };
}
