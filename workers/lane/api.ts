/**
 * Contract of a lane: one thread of the engine. A lane scans and compresses for a sender, or expands for a receiver.
 *
 * @module
 */

import type { Codec } from "../../core/ports/engine.ts";
import type { CompressedBatch, Expander, RunSource } from "../../core/transfer/batch.ts";
import type { ScanStart } from "../../core/transfer/scan.ts";
import type { EngineStatus } from "../../core/transfer/snapshot.ts";
import type { EngineWish } from "../../platform/engine.ts";

export interface LaneItem {
  readonly path: string;
  /** null for an empty folder. */
  readonly file: File | null;
}

/** A stretch of a file. */
export interface LaneSpan {
  readonly file: File;
  readonly offset: number;
  readonly bytes: number;
}

/** A run to be made again, with the files that it comes from. */
export interface LaneRun extends Omit<RunSource, "spans"> {
  readonly spans: readonly LaneSpan[];
}

export interface LaneApi extends Expander {
  /** Called first. `onStatus` is told which engine works now, and whenever that changes. */
  start(wish: EngineWish, onStatus: (status: EngineStatus) => void): Promise<void>;
  /** Measures the engines of this machine anew; instead of `start`. @throws Failure `engine/failed` */
  measure(): Promise<EngineStatus>;
  /** More items to scan, in order; after the last ones `next` pulls. */
  addItems(items: readonly LaneItem[], isLast: boolean): Promise<void>;
  /**
   * Before the first `next`: scans not from the beginning but from where an interrupted scan stood. Items before that
   * place are not read and may be stand-ins.
   * @param totalBytes of all items as they were
   */
  begin(start: ScanStart, totalBytes: number): Promise<void>;
  /** So many plaintext bytes are to be expanded: it may look for a GPU. */
  expect(totalBytes: number): Promise<void>;
  /** Makes runs again, each as it lay in the packs if this lane's engine made it. @throws Failure `file/changed`, `file/unreadable` */
  repeat(runs: readonly LaneRun[]): Promise<readonly Uint8Array<ArrayBuffer>[]>;
  /** The next batch, its buffers transferred; undefined at the end. `spare` takes buffers back. @throws Failure `file/…` */
  next(codec: Codec, spare: readonly ArrayBuffer[]): Promise<CompressedBatch | undefined>;
  /** BLAKE3-256 of a whole file, hexadecimal, equal to `b3sum`. */
  hashFile(file: File): Promise<string>;
}
