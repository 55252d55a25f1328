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
  /**
   * Opens the next file. `place` is there where a journal is kept.
   * @throws Failure `path/rejected`, `sink/full`, `sink/denied`, `sink/failed`
   */
  openFile(entry: Entry, place?: EntryPlace): Promise<FileWriter>;
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

/** Which file it is, and where writing it begins. */
export interface EntryPlace {
  /** In the manifest's list, from 0. */
  readonly number: number;
  /** Bytes of it that an earlier run wrote and that stay; the first write goes behind them. */
  readonly bytes: number;
}

/** A sink that outlives its tab: with a journal, an interrupted receive into it can be continued. */
export interface ResumableSink extends Sink {
  /** With a log, whatever gets a name is written there first. What an earlier run of this receive left unfinished is removed. */
  begin(plan: SinkPlan, log?: SinkLog): Promise<void>;
  /** Instead of `begin`: goes on behind an earlier run. `plan` names every entry that the run named. */
  resume(plan: SinkPlan, past: SinkPast, log: SinkLog): Promise<SinkFound>;
  /** Makes durable what was written of the open file. Gives its durable bytes, 0 where they cannot be kept. */
  flush(): Promise<number>;
  /** Lets go of everything, and keeps what can be continued. Never throws. */
  suspend(): Promise<void>;
}

/** What a sink writes down. A log that takes nothing more says so elsewhere, and lets the sink go on. */
export interface SinkLog {
  /**
   * Entry `number` gets its final name as soon as this resolves.
   * @param path where in the target, when that is not the manifest's path; else null
   * @throws Failure `transfer/elsewhere` when another thread continues this receive: nothing may get a name here any more
   */
  placing(number: number, path: string | null): Promise<void>;
  /** The folder at a manifest path has another name in the target. Durable no later than the next `placing`. */
  folder(path: string, name: string): void;
}

/** What an earlier run wrote down. */
export interface SinkPast {
  /** Entries that were about to get their names, in that order; all but the last few surely got them. */
  readonly placed: ReadonlySet<number>;
  /** Paths in the target of those, where they are not the manifest's. */
  readonly paths: ReadonlyMap<number, string>;
  /** Names of folders by manifest path, where they are not the manifest's. */
  readonly folders: ReadonlyMap<string, string>;
  /** Bytes that were durable of entries that had no name yet. */
  readonly bytes: ReadonlyMap<number, number>;
}

/** What a sink still has of it. */
export interface SinkFound {
  /** Entries that stand under their names. */
  readonly placed: ReadonlySet<number>;
  /** Bytes that are there of others, from their beginning. */
  readonly bytes: ReadonlyMap<number, number>;
}
