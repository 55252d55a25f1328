/**
 * Contract of a lane: one thread of the engine. A lane scans and compresses for a sender, or expands for a receiver.
 *
 * @module
 */

import type { Codec } from "../../core/ports/engine.ts";
import type { CompressedBatch, Expander } from "../../core/transfer/batch.ts";
import type { EngineStatus } from "../../core/transfer/snapshot.ts";
import type { EngineWish } from "../../platform/engine.ts";

export interface LaneItem {
  readonly path: string;
  /** null for an empty folder. */
  readonly file: File | null;
}

export interface LaneApi extends Expander {
  /** Called first. `onStatus` is told which engine works now, and whenever that changes. */
  start(wish: EngineWish, onStatus: (status: EngineStatus) => void): Promise<void>;
  /** Measures the engines of this machine anew; instead of `start`. @throws Failure `engine/failed` */
  measure(wish: EngineWish): Promise<EngineStatus>;
  /** More items to scan, in order; after the last ones `next` pulls. */
  addItems(items: readonly LaneItem[], isLast: boolean): Promise<void>;
  /** The next batch, its buffers transferred; undefined at the end. `spare` takes buffers back. @throws Failure `file/…` */
  next(codec: Codec, spare: readonly ArrayBuffer[]): Promise<CompressedBatch | undefined>;
  /** BLAKE3-256 of a whole file, hexadecimal, equal to `b3sum`. */
  hashFile(file: File): Promise<string>;
}
