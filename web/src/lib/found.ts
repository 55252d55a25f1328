/**
 * A file or a folder somewhere on the user's disk, not opened yet: one shape for the two that browsers give, the entries
 * of a drop and the handles that can be kept.
 *
 * @module
 */

/** A file has `open`, a folder has `list`. Both may reject: the browser refused. */
export type Found =
  | { readonly name: string; readonly open: () => Promise<File> }
  | { readonly name: string; readonly list: () => Promise<readonly Found[]> };

/** What a drop gave. */
export function foundEntry(entry: FileSystemEntry): Found {
  const { name } = entry;
  return entry.isDirectory
    ? { name, list: async () => (await readWhole(entry as FileSystemDirectoryEntry)).map(foundEntry) }
    : { name, open: () => openFile(entry as FileSystemFileEntry) };
}

/** What a picker gave, or what was kept. */
export function foundHandle(handle: FileSystemHandle): Found {
  const { name } = handle;
  return handle.kind === "directory"
    ? { name, list: () => listFolder(handle as FileSystemDirectoryHandle) }
    : { name, open: () => (handle as FileSystemFileHandle).getFile() };
}

async function listFolder(folder: FileSystemDirectoryHandle): Promise<readonly Found[]> {
  const all: Found[] = [];
  for await (const handle of folder.values()) all.push(foundHandle(handle));
  return all;
}

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
