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
/** What Chromium calls the file into which it writes before it gives a name; one of a thread that was killed may stay, empty. */
const SWAP_SUFFIX = ".crswap";

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
      if (number === undefined && (await isLeftSwap(name, handle, numbers))) broken.push(name);
      if (number === undefined || !(handle instanceof FileSystemFileHandle)) continue;
      const size = recent.has(number) ? (await handle.getFile()).size : entries[number]?.size;
      if (size === entries[number]?.size) placed.add(number);
      else if (size === 0) broken.push(name);
    }
    for (const name of broken) {
      const removed = folder.removeEntry(name);
      // The browser may be about to remove its own file itself.
      await (name.endsWith(SWAP_SUFFIX) ? removed.catch(() => {}) : removed);
    }
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

/** An empty file that the browser made aside of one of ours. */
async function isLeftSwap(
  name: string,
  handle: FileSystemHandle,
  numbers: ReadonlyMap<string, number>,
): Promise<boolean> {
  if (!name.endsWith(SWAP_SUFFIX) || !(handle instanceof FileSystemFileHandle)) return false;
  if (!numbers.has(name.slice(0, -SWAP_SUFFIX.length).normalize("NFC"))) return false;
  return (await handle.getFile()).size === 0;
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
