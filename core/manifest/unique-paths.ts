/**
 * Equal names. Two dropped files may have one path, and a dropped file may have the path of a dropped folder; a manifest
 * has each path once.
 *
 * @module
 */
import { numberedName } from "./path.ts";

interface Named {
  readonly kind: "file" | "directory";
  readonly path: string;
}

/**
 * The same entries in the same order with every path once: a later file whose path is taken, by a file or by a folder
 * of any entry, becomes `name (2).ext`; a repeated empty folder is dropped. Paths were accepted by `checkPath`. Runs in
 * time linear in the entries, also when all of them are equal.
 */
export function uniquePaths<T extends Named>(entries: readonly T[]): T[] {
  const folders = new Set<string>();
  for (const { kind, path } of entries) addFolders(folders, kind === "directory" ? `${path}/` : path);
  const taken = new Set<string>();
  const counters = new Map<string, number>();
  const unique: T[] = [];
  for (const entry of entries) {
    if (entry.kind === "directory") {
      if (taken.has(entry.path)) continue;
      taken.add(entry.path);
      unique.push(entry);
      continue;
    }
    const path = freePath(entry.path, (path) => taken.has(path) || folders.has(path), counters);
    taken.add(path);
    unique.push(path === entry.path ? entry : { ...entry, path });
  }
  return unique;
}

function addFolders(folders: Set<string>, path: string): void {
  for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
    const folder = path.slice(0, end);
    // A known folder's parents are known.
    if (folders.has(folder)) return;
    folders.add(folder);
  }
}

/**
 * `path`, or its first numbered sibling that is not taken. `counters` remembers the last number given per path, so that
 * many equal paths do not count up from 2 again each time.
 */
export function freePath(path: string, isTaken: (path: string) => boolean, counters: Map<string, number>): string {
  if (!isTaken(path)) return path;
  const slash = path.lastIndexOf("/") + 1;
  for (let number = (counters.get(path) ?? 1) + 1; ; number += 1) {
    const candidate = path.slice(0, slash) + numberedName(path.slice(slash), number);
    if (isTaken(candidate)) continue;
    counters.set(path, number);
    return candidate;
  }
}
