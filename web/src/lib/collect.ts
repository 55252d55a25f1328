/**
 * Turns what was dropped, picked, pasted or remembered into send items: folders are walked, empty folders survive.
 * Nothing is read but names; a thing that the browser will not open is counted and named, never left out in silence.
 *
 * @module
 */
import type { SendItem } from "../../../workers/transfer/api.ts";
import { type Found, foundEntry, foundHandle } from "./found.ts";

export interface Collected {
  readonly items: readonly SendItem[];
  /** Paths that the browser refused to open. */
  readonly refused: readonly string[];
  /**
   * Under which all of the items can be found again, for a resume; empty where the browser does not say so of each thing.
   * Apart, because the browser may show a question of its own first. Never rejects.
   */
  readonly handles: Promise<readonly FileSystemHandle[]>;
}

/** Files asked for at the same time in one folder; each is a round trip to the browser's process. */
const FILES_AT_ONCE = 64;
/** More handles than this are not kept: the browser may ask for each one again. */
const MAX_HANDLES = 32;
const NO_HANDLES: Promise<readonly FileSystemHandle[]> = Promise.resolve([]);

class Walk {
  readonly items: SendItem[] = [];
  readonly refused: string[] = [];
  readonly #onCount: (count: number) => void;

  constructor(onCount: (count: number) => void) {
    this.#onCount = onCount;
  }

  async level(all: readonly Found[], prefix: string): Promise<void> {
    const files = all.filter((one) => "open" in one);
    for (let start = 0; start < files.length; start += FILES_AT_ONCE) {
      await Promise.all(
        files.slice(start, start + FILES_AT_ONCE).map((file) => this.#file(file.open, prefix + file.name)),
      );
      this.#onCount(this.items.length);
    }
    for (const one of all) if ("list" in one) await this.#folder(one.list, prefix + one.name);
  }

  async #file(open: () => Promise<File>, path: string): Promise<void> {
    try {
      this.items.push({ path, file: await open() });
    } catch {
      this.refused.push(path);
    }
  }

  async #folder(list: () => Promise<readonly Found[]>, path: string): Promise<void> {
    try {
      const children = await list();
      if (children.length === 0) this.items.push({ path, file: null });
      else await this.level(children, `${path}/`);
    } catch {
      this.refused.push(path);
    }
  }
}

async function walk(
  roots: readonly Found[],
  loose: readonly SendItem[],
  onCount: (count: number) => void,
): Promise<Omit<Collected, "handles">> {
  const walking = new Walk(onCount);
  await walking.level(roots, "");
  return { items: [...loose, ...walking.items].sort(byPath), refused: walking.refused.sort() };
}

/**
 * Walks a drop. Must be called inside the drop event: the browser empties the list as soon as the event is over.
 *
 * @param onCount called now and then with the number of items found so far
 */
export async function collectDrop(list: DataTransferItemList, onCount: (count: number) => void): Promise<Collected> {
  const roots: Found[] = [];
  const loose: SendItem[] = [];
  const asked: Promise<FileSystemHandle | null>[] = [];
  for (const item of list) {
    if (item.kind !== "file") continue;
    const entry = item.webkitGetAsEntry();
    const file = entry === null ? item.getAsFile() : null;
    if (entry !== null) roots.push(foundEntry(entry));
    else if (file !== null) loose.push({ path: file.name, file });
    asked.push(handleOf(item));
  }
  const handles = allOf(asked);
  return { ...(await walk(roots, loose, onCount)), handles };
}

/** Walks what was remembered, or picked as handles. Permission was asked for already; what cannot be read is refused. */
export async function collectHandles(
  handles: readonly FileSystemHandle[],
  onCount: (count: number) => void,
): Promise<Collected> {
  return { ...(await walk(handles.map(foundHandle), [], onCount)), handles: allOf(handles) };
}

/** Files of an `<input>`: with `webkitdirectory` each carries its path below the chosen folder. */
export function collectInput(files: Iterable<File>): Collected {
  const items = Array.from(files, (file) => ({ path: file.webkitRelativePath || file.name, file }));
  return { items: items.sort(byPath), refused: [], handles: NO_HANDLES };
}

/** TypeScript's DOM library does not know this, which not every browser has. */
interface GivesHandles {
  getAsFileSystemHandle?(): Promise<FileSystemHandle | null>;
}

async function handleOf(item: DataTransferItem & GivesHandles): Promise<FileSystemHandle | null> {
  return (await item.getAsFileSystemHandle?.()) ?? null;
}

/** All of them or none: a part of what was dropped would not do for a resume. */
async function allOf(
  asked: readonly (Promise<FileSystemHandle | null> | FileSystemHandle)[],
): Promise<readonly FileSystemHandle[]> {
  try {
    const handles = (await Promise.all(asked)).filter((handle) => handle !== null);
    return handles.length === asked.length && handles.length <= MAX_HANDLES ? handles : [];
  } catch {
    return [];
  }
}

function byPath(a: SendItem, b: SendItem): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}
