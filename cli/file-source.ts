/**
 * Files on disk as sources of bytes. A file is opened for each slice, so that nothing stays open when a transfer ends
 * early, and is compared before and after with what it was when it was found.
 *
 * @module
 */
import type { BigIntStats } from "node:fs";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { Failure } from "../core/failure.ts";
import type { SourceEntry, SourceFile } from "../core/ports/byte-source.ts";
import { errorCode, NamedFailure, quoted } from "./named-failure.ts";

/** Opening must not wait for the other end of a pipe that took the file's place. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Milliseconds since 1970 as a manifest holds them; times before that are unknown. */
export function mtimeMsOf(found: BigIntStats): number {
  return Math.max(0, Number(found.mtimeNs / 1_000_000n));
}

/**
 * @param absolute where it lies, as bytes: a name need not be text
 * @param found what it is now
 * @param follow whether the last component may be a symbolic link
 */
export function createFileSource(
  path: string,
  absolute: Buffer,
  found: BigIntStats,
  follow: boolean,
): SourceEntry & SourceFile {
  const flags = OPEN_FLAGS | (follow ? 0 : (constants.O_NOFOLLOW ?? 0));
  const changed = (options?: ErrorOptions) =>
    new NamedFailure(
      "file/changed",
      `${quoted(absolute)} changed while it was sent, so what was sent would be a mixture. Wait until nothing writes to it, then send again.`,
      {},
      options,
    );
  return {
    kind: "file",
    path,
    size: Number(found.size),
    mtimeMs: mtimeMsOf(found),
    read: async (offset, length) => {
      try {
        await using file = await open(absolute, flags);
        if (!same(found, await file.stat({ bigint: true }))) throw changed();
        const bytes = new Uint8Array(length);
        for (let filled = 0; filled < length; ) {
          const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
          if (bytesRead === 0) throw changed();
          filled += bytesRead;
        }
        if (!same(found, await file.stat({ bigint: true }))) throw changed();
        return bytes;
      } catch (cause) {
        if (cause instanceof Failure) throw cause;
        throw errorCode(cause) === "ENOENT" ? changed({ cause }) : unreadable(absolute, cause);
      }
    },
  };
}

/** The failure for a path that cannot be looked at or read. */
export function unreadable(absolute: string | Buffer, cause: unknown): NamedFailure {
  const code = errorCode(cause);
  const why =
    code === "ENOENT"
      ? "is not there"
      : code === "EACCES" || code === "EPERM"
        ? "may not be read by you"
        : "cannot be read";
  return new NamedFailure(
    "file/unreadable",
    `${quoted(absolute)} ${why}. Nothing was sent to the end.`,
    { reason: code },
    { cause },
  );
}

function same(a: BigIntStats, b: BigIntStats): boolean {
  return b.isFile() && a.size === b.size && a.mtimeNs === b.mtimeNs && a.ino === b.ino && a.dev === b.dev;
}
