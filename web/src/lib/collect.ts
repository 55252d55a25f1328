/**
 * Turns what was dropped, picked or pasted into send items: folders are walked, empty folders survive. Nothing is read
 * but names; a thing that the browser will not open is counted and named, never left out in silence.
 *
 * @module
 */
import type { SendItem } from "../../../workers/transfer/api.ts";

export interface Collected {
  readonly items: readonly SendItem[];
  /** Paths that the browser refused to open. */
  readonly refused: readonly string[];
}

/** Files asked for at the same time in one folder; each is a round trip to the browser's process. */
const FILES_AT_ONCE = 64;

function namesOf(entries: readonly FileSystemEntry[]): string {
  return entries.map((entry) => entry.name).join();
}

/** `readEntries` gives a hundred at the most per call; the end is an empty answer. */
async function readWhole(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  let last = "";
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (batch.length === 0) return all;
    const names = namesOf(batch);
    // A reader that repeats its answer instead of ending would loop for ever.
    if (names === last) return all;
    last = names;
    all.push(...batch);
  }
}

function openFile(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

class Walk {
  readonly items: SendItem[] = [];
  readonly refused: string[] = [];
  readonly #onCount: (count: number) => void;

  constructor(onCount: (count: number) => void) {
    this.#onCount = onCount;
  }

  async level(entries: readonly FileSystemEntry[], prefix: string): Promise<void> {
    const files = entries.filter((entry) => entry.isFile) as FileSystemFileEntry[];
    for (let start = 0; start < files.length; start += FILES_AT_ONCE) {
      await Promise.all(files.slice(start, start + FILES_AT_ONCE).map((entry) => this.#file(entry, prefix)));
      this.#onCount(this.items.length);
    }
    for (const entry of entries) if (entry.isDirectory) await this.#folder(entry as FileSystemDirectoryEntry, prefix);
  }

  async #file(entry: FileSystemFileEntry, prefix: string): Promise<void> {
    const path = prefix + entry.name;
    try {
      this.items.push({ path, file: await openFile(entry) });
    } catch {
      this.refused.push(path);
    }
  }

  async #folder(entry: FileSystemDirectoryEntry, prefix: string): Promise<void> {
    const path = prefix + entry.name;
    try {
      const children = await readWhole(entry);
      if (children.length === 0) this.items.push({ path, file: null });
      else await this.level(children, `${path}/`);
    } catch {
      this.refused.push(path);
    }
  }
}

/**
 * Walks a drop. Must be called inside the drop event: the browser empties the list as soon as the event is over.
 *
 * @param onCount called now and then with the number of items found so far
 */
export function collectDrop(list: DataTransferItemList, onCount: (count: number) => void): Promise<Collected> {
  const roots: FileSystemEntry[] = [];
  const loose: SendItem[] = [];
  for (const item of list) {
    if (item.kind !== "file") continue;
    const entry = item.webkitGetAsEntry();
    const file = entry === null ? item.getAsFile() : null;
    if (entry !== null) roots.push(entry);
    else if (file !== null) loose.push({ path: file.name, file });
  }
  const walk = new Walk(onCount);
  return walk.level(roots, "").then(() => ({
    items: [...loose, ...walk.items].sort(byPath),
    refused: walk.refused.sort(),
  }));
}

/** Files of an `<input>`: with `webkitdirectory` each carries its path below the chosen folder. */
export function collectInput(files: Iterable<File>): Collected {
  const items = Array.from(files, (file) => ({ path: file.webkitRelativePath || file.name, file }));
  return { items: items.sort(byPath), refused: [] };
}

function byPath(a: SendItem, b: SendItem): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}
