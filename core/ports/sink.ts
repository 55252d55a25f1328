/**
 * Where a receiver's bytes go. A sink gets verified bytes only, file by file, in the manifest's order, each file
 * from its first byte to its last. Nothing stands under its final name before `close`.
 *
 * @module
 */
import type { Entry } from "../manifest/entry.ts";

/** The sinks that a receiver may choose from. */
export type SinkKind = "download" | "directory" | "private";

/** Writes one file, sequentially. */
export interface FileWriter {
  /** takes: the buffer may be transferred. Resolves when the sink can take more (backpressure). */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** All bytes were verified and written: makes the file visible under its final name, with its mtime where possible. */
  close(): Promise<void>;
  /** Removes whatever was written of this file. Never throws. */
  abort(): Promise<void>;
}

/** One sink for one receive. */
export interface Sink {
  readonly kind: SinkKind;
  /**
   * Called once, before the first entry. `entries` may still be growing when the sender is live; `closed` tells.
   * @throws Failure `sink/full` when `totalBytes` surely does not fit, `sink/unsupported`, `sink/denied`
   */
  begin(plan: SinkPlan): Promise<void>;
  /** Creates an empty folder (and its parents). */
  createDirectory(entry: Entry): Promise<void>;
  /** Opens the next file. @throws Failure `path/rejected`, `sink/full`, `sink/denied`, `sink/failed` */
  openFile(entry: Entry): Promise<FileWriter>;
  /** Everything arrived and was verified. A download completes only here. */
  finish(): Promise<void>;
  /** Ends so that nothing incomplete looks complete: partial files removed, a running download errored. Never throws. */
  abort(code: string): Promise<void>;
}

/** What a sink is told before the first byte. */
export interface SinkPlan {
  /** Entries known when receiving starts. */
  readonly entries: readonly Entry[];
  /** True when no further entry can come. */
  readonly closed: boolean;
  /** Sum of the sizes of `entries`, bytes. */
  readonly totalBytes: number;
  /** A name for an archive of everything, without extension. */
  readonly title: string;
}
