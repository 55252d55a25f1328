/**
 * What an earlier run of a receive left in its target. Folders are listed rather than each file opened: there may be a
 * hundred thousand.
 *
 * @module
 */
import type { Entry } from "../../core/manifest/entry.ts";
import type { SinkPast } from "../../core/ports/sink.ts";
import { splitPath } from "./folders.ts";
import type { PartialFolder } from "./partial-folder.ts";
import { errorName } from "./sink-failure.ts";

/** Files placed last, whose sizes are compared as well: a crash may have met them in the middle of it. */
const RECHECKED_FILES = 1_024;

/**
 * The entries that stand under their names. One that was removed by someone does not; one that is empty and should not
 * be is what a crash left of it, and is removed.
 * @throws DOMException
 */
export async function findPlaced(
  root: FileSystemDirectoryHandle,
  entries: readonly Entry[],
  past: SinkPast,
): Promise<Set<number>> {
  const byFolder = new Map<string, Map<string, number>>();
  for (const number of past.placed) {
    const [folder, name] = splitPath(past.paths.get(number) ?? entries[number]?.path ?? "");
    const names = byFolder.get(folder) ?? new Map<string, number>();
    byFolder.set(folder, names.set(name.normalize("NFC"), number));
  }
  const recent = new Set([...past.placed].slice(-RECHECKED_FILES));
  const placed = new Set<number>();
  for (const [path, numbers] of byFolder) {
    const folder = await openExisting(root, path);
    if (folder === undefined) continue;
    const broken: string[] = [];
    for await (const [name, handle] of folder.entries()) {
      const number = numbers.get(name.normalize("NFC"));
      if (number === undefined || !(handle instanceof FileSystemFileHandle)) continue;
      const size = recent.has(number) ? (await handle.getFile()).size : entries[number]?.size;
      if (size === entries[number]?.size) placed.add(number);
      else if (size === 0) broken.push(name);
    }
    for (const name of broken) await folder.removeEntry(name);
  }
  return placed;
}

/**
 * How many bytes of files that have no name yet are in a partial folder, by entry. What is of no use is removed.
 * @throws DOMException
 */
export async function findPartial(
  folder: PartialFolder,
  entries: readonly Entry[],
  past: SinkPast,
  placed: ReadonlySet<number>,
): Promise<Map<number, number>> {
  const bytes = new Map<number, number>();
  for (const file of await folder.files()) {
    const number = Number(file.name);
    const { size } = await file.getFile();
    // It was about to get its name, so all of it was written.
    const isWhole = past.placed.has(number) && size === entries[number]?.size;
    const durable = isWhole ? size : Math.min(past.bytes.get(number) ?? 0, entries[number]?.size ?? 0);
    if (durable > 0 && durable <= size && !placed.has(number)) bytes.set(number, durable);
    else await folder.remove(file);
  }
  return bytes;
}

async function openExisting(
  root: FileSystemDirectoryHandle,
  path: string,
): Promise<FileSystemDirectoryHandle | undefined> {
  try {
    let folder = root;
    for (const name of path === "" ? [] : path.split("/")) folder = await folder.getDirectoryHandle(name);
    return folder;
  } catch (error) {
    if (["NotFoundError", "TypeMismatchError"].includes(errorName(error))) return undefined;
    throw error;
  }
}
