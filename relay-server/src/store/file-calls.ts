/**
 * The calls to the file system that the store makes, as one replaceable table: tests make them fail. Open files are
 * plain numbers, because Node ends the process when it finds a forgotten FileHandle.
 *
 * @module
 */
import * as callbacks from "node:fs";
import * as promises from "node:fs/promises";
import { promisify } from "node:util";

/** What decides about durability. */
export const FILE_CALLS = {
  open: promisify(callbacks.open) as (path: string, flags: string, mode?: number) => Promise<number>,
  close: promisify(callbacks.close),
  fsync: promisify(callbacks.fsync),
  readv: promisify(callbacks.readv) as (
    file: number,
    views: readonly Uint8Array[],
    position: number,
  ) => Promise<{ bytesRead: number }>,
  writev: promisify(callbacks.writev) as (
    file: number,
    slices: readonly Uint8Array[],
    position: number,
  ) => Promise<{ bytesWritten: number }>,
  rename: promises.rename,
  mkdir: promises.mkdir,
  rm: promises.rm,
  readdir: promises.readdir,
};

export type FileCalls = typeof FILE_CALLS;
