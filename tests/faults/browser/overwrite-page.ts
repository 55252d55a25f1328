/**
 * A folder of the browser into which somebody else writes while files are received into it: the code for the page of a test,
 * and for a worker of that page.
 *
 * @module
 */
import { Failure } from "../../../core/failure.ts";
import { createDirectorySink } from "../../../platform/sinks/directory.ts";

/** One receive with something in its way. */
export interface Meeting {
  /** Path that is taken by `obstacle` when the file of that number is about to come; 0 is before the receive begins. */
  readonly place: string;
  readonly obstacle: "file" | "empty file" | "folder" | "folder with files";
  readonly before: number;
  /** Files, in order; each holds its path. */
  readonly files: readonly string[];
  /** False for a browser that cannot move files. */
  readonly canMove: boolean;
}

/** What came of it: everything in the folder, before and after, by path. */
export interface Met {
  readonly code: string | null;
  readonly renamed: Readonly<Record<string, string>>;
  readonly before: Readonly<Record<string, string>>;
  readonly after: Readonly<Record<string, string>>;
}

async function meet({ place, obstacle, before: moment, files, canMove }: Meeting): Promise<Met> {
  if (!canMove) Reflect.deleteProperty(FileSystemFileHandle.prototype, "move");
  const own = await navigator.storage.getDirectory();
  const name = `met-${crypto.randomUUID()}`;
  const root = await own.getDirectoryHandle(name, { create: true });
  const renamed: Record<string, string> = {};
  let before: Record<string, string> = {};
  const step = async (now: number): Promise<void> => {
    if (now !== moment) return;
    await obstruct(root, place, obstacle);
    before = await treeOf(root);
  };
  let code: string | null = null;
  const sink = createDirectorySink(root, { onRename: (path, actual) => Object.assign(renamed, { [path]: actual }) });
  try {
    await step(0);
    const entries = files.map((path) => ({ kind: "file", path, size: path.length, mtimeMs: 0 }) as const);
    await sink.begin({ entries, closed: true, totalBytes: 0, title: "" });
    for (const [index, entry] of entries.entries()) {
      await step(index + 1);
      const writer = await sink.openFile(entry);
      await writer.write(new TextEncoder().encode(entry.path));
      await writer.close();
      // What is closed in the background is there before somebody else comes.
      if (index + 2 === moment) await appeared(root, renamed[entry.path] ?? entry.path, entry.path);
    }
    await sink.finish();
  } catch (error) {
    await sink.abort("sink/failed");
    code = error instanceof Failure ? error.code : `bug: ${String(error)}`;
  }
  const after = await treeOf(root);
  await own.removeEntry(name, { recursive: true });
  return { code, renamed, before, after };
}

async function write(folder: FileSystemDirectoryHandle, name: string, text: string): Promise<void> {
  const writable = await (await folder.getFileHandle(name, { create: true })).createWritable();
  await writable.write(text);
  await writable.close();
}

async function obstruct(root: FileSystemDirectoryHandle, place: string, obstacle: Meeting["obstacle"]): Promise<void> {
  let folder = root;
  const [name = "", ...parents] = place.split("/").toReversed();
  for (const parent of parents.toReversed()) folder = await folder.getDirectoryHandle(parent, { create: true });
  // What has the name goes, as somebody else may remove it.
  await folder.removeEntry(name, { recursive: true }).catch(() => {});
  if (obstacle === "file") return write(folder, name, "mine");
  if (obstacle === "empty file") return void (await folder.getFileHandle(name, { create: true }));
  const made = await folder.getDirectoryHandle(name, { create: true });
  if (obstacle === "folder with files") for (const each of ["b", "second"]) await write(made, each, "mine");
}

/** Waits until the file is there as a whole; while it is written a look at it may fail. */
async function appeared(root: FileSystemDirectoryHandle, path: string, text: string): Promise<void> {
  const seen = async (): Promise<boolean> =>
    (await treeOf(root).catch(() => ({ [path]: "" })))[path] === `file: ${text}`;
  while (!(await seen())) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Files with their text and folders; what the sink keeps aside is left out. */
async function treeOf(folder: FileSystemDirectoryHandle, prefix = ""): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for await (const [name, handle] of folder.entries()) {
    const path = prefix + name;
    if (name === ".warp-partial") continue;
    if (handle instanceof FileSystemFileHandle) tree[path] = `file: ${await (await handle.getFile()).text()}`;
    if (handle instanceof FileSystemDirectoryHandle)
      Object.assign(tree, { [path]: "folder" }, await treeOf(handle, `${path}/`));
  }
  return tree;
}

/** Runs in a worker of its own, where files of the private file system are written at once. */
async function meetInWorker(meeting: Meeting): Promise<Met> {
  const worker = new Worker("/code.js", { type: "module" });
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<Met>) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage(meeting);
    });
  } finally {
    worker.terminate();
  }
}

declare global {
  var meeting: { meet: typeof meet; meetInWorker: typeof meetInWorker };
}

globalThis.meeting = { meet, meetInWorker };
if (!("document" in globalThis))
  addEventListener("message", async ({ data }: MessageEvent<Meeting>) => postMessage(await meet(data)));
