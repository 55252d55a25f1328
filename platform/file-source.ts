/**
 * File objects of the browser as sources of bytes.
 *
 * @module
 */
import { Failure } from "../core/failure.ts";
import type { SourceEntry, SourceFile } from "../core/ports/byte-source.ts";

/** A file, or an empty folder when `file` is null. */
export function createSource(path: string, file: File | null): SourceEntry | SourceFile {
  if (file === null) return { kind: "directory", path, size: 0, mtimeMs: 0 };
  const mtimeMs = Math.max(0, Math.trunc(file.lastModified));
  let readBefore = false;
  return {
    kind: "file",
    path,
    size: file.size,
    mtimeMs,
    read: async (offset, length) => {
      try {
        const bytes = new Uint8Array(await file.slice(offset, offset + length).arrayBuffer());
        if (bytes.length !== length) throw new Failure("file/changed");
        readBefore = true;
        return bytes;
      } catch (cause) {
        if (cause instanceof Failure) throw cause;
        // Browsers answer NotReadableError both for a file without access and for one that changed since it was picked:
        // one that could be read before has changed.
        throw new Failure(readBefore ? "file/changed" : "file/unreadable", {}, { cause });
      }
    },
  };
}
