/**
 * Drives a sink through a case, inside a browser's thread, and tells what its target holds.
 *
 * @module
 */
import type { Sink } from "../../core/ports/sink.ts";
import { type Arrived, type CaseEntry, caseBytes, type SinkCase, sha256 } from "./sink-cases.ts";

/** Writes the case into the sink. @returns the code of the failure that stopped it, or null */
export async function drive(sink: Sink, each: SinkCase): Promise<string | null> {
  try {
    const known = each.closed ? each.entries : each.entries.slice(0, 1);
    await sink.begin({
      entries: known,
      closed: each.closed,
      totalBytes: known.reduce((sum, entry) => sum + entry.size, 0),
      title: "Everything",
    });
    const last = each.entries.length - 1;
    for (const [index, entry] of each.entries.entries()) {
      if (entry.kind === "directory") await sink.createDirectory(entry);
      else await writeFile(sink, entry, each.slice, each.end === "abort-in-last-file" && index === last);
    }
    if (each.end === "finish") await sink.finish();
    else await sink.abort("cancelled");
    return null;
  } catch (error) {
    await sink.abort("sink/failed");
    return codeOf(error);
  }
}

async function writeFile(sink: Sink, entry: CaseEntry, slice: number, stopHalfway: boolean): Promise<void> {
  const writer = await sink.openFile(entry);
  const end = stopHalfway ? Math.floor(entry.size / 2) : entry.size;
  for (let at = 0; at < end; at += slice) {
    await writer.write(caseBytes(entry.path, at, Math.min(slice, end - at)));
  }
  if (!stopHalfway) await writer.close();
}

export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : `bug: ${String(error)}`;
}

/** The end of the name of a file that the browser writes aside; it removes those of a thread that is gone when it likes. */
export const SWAP = ".crswap";

/** Everything under `root`: files with their hashes, and folders that hold nothing. */
export async function walk(root: FileSystemDirectoryHandle, prefix = ""): Promise<Arrived[]> {
  const found: Arrived[] = [];
  for await (const [name, handle] of root.entries()) {
    const path = prefix + name;
    if (handle instanceof FileSystemFileHandle) {
      const bytes = await bytesOf(handle);
      if (bytes !== null) found.push({ kind: "file", path, size: bytes.length, hash: await sha256(bytes) });
    } else if (handle instanceof FileSystemDirectoryHandle) {
      const inside = await walk(handle, `${path}/`);
      if (inside.length === 0) found.push({ kind: "directory", path, size: 0, hash: "" });
      found.push(...inside);
    }
  }
  return found;
}

/** Null for one of the browser's own files that went after it was listed. */
async function bytesOf(handle: FileSystemFileHandle): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    return new Uint8Array(await (await handle.getFile()).arrayBuffer());
  } catch (error) {
    if (handle.name.endsWith(SWAP) && error instanceof DOMException && error.name === "NotFoundError") return null;
    throw error;
  }
}
