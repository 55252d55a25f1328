/**
 * A sink into the browser's private file system, one folder per name, and the way out of it again. For browsers that
 * cannot write to a picked folder and for receiving first and saving later.
 *
 * @module
 */
import { Failure } from "../../core/failure.ts";
import { checkPath } from "../../core/manifest/path.ts";
import type { ResumableSink, Sink, SinkPlan } from "../../core/ports/sink.ts";
import { createDirectorySink } from "./directory.ts";
import { splitPath } from "./folders.ts";
import { asSinkFailure, errorName } from "./sink-failure.ts";

/** Folder of the private file system that holds everything received, one folder per name. */
const RECEIVED_FOLDER = "received";

export interface PrivateSink extends ResumableSink {
  /** A file received by this sink, by its manifest path; its bytes stay on disk. @throws Failure `sink/failed` */
  exportFile(path: string): Promise<File>;
}

/**
 * A sink into the private folder `name` (one path component, for example a portal's id), made when the sink begins.
 * What an earlier receive left there stays; remove it first with `removePrivate` to start afresh.
 */
export function createPrivateSink(name: string): PrivateSink {
  const renamed = new Map<string, string>();
  let inner: ResumableSink | undefined;
  const begun = (): ResumableSink => {
    if (inner === undefined) throw new Error("begin was not called");
    return inner;
  };
  const open = async (): Promise<ResumableSink> => {
    const root = await asSinkFailure(() => openPrivate(name, true));
    inner = createDirectorySink(root, {
      kind: "private",
      onRename: (path, actual) => renamed.set(path, actual),
      id: name,
    });
    return inner;
  };
  return {
    kind: "private",
    async begin(plan, log) {
      await checkSpace(plan.totalBytes);
      await (await open()).begin(plan, log);
    },
    resume: async (plan, past, log) => (await open()).resume(plan, past, log),
    createDirectory: (entry) => begun().createDirectory(entry),
    openFile: (entry, place) => begun().openFile(entry, place),
    flush: () => begun().flush(),
    finish: () => begun().finish(),
    abort: async (code) => await inner?.abort(code),
    suspend: async () => await inner?.suspend(),
    exportFile: (path) => openPrivateFile(name, renamed.get(path) ?? path),
  };
}

/** Names under which something was received. */
export function listPrivate(): Promise<string[]> {
  return asSinkFailure(async () => {
    const names: string[] = [];
    try {
      for await (const name of (await receivedFolder(false)).keys()) names.push(name);
    } catch (error) {
      if (errorName(error) !== "NotFoundError") throw error;
    }
    return names;
  });
}

/** A received file, by its path in the private folder `name`; disk-backed. @throws Failure `sink/failed` */
export function openPrivateFile(name: string, path: string): Promise<File> {
  return asSinkFailure(async () => {
    let folder = await openPrivate(name, false);
    const [parents, file] = splitPath(path);
    for (const component of parents === "" ? [] : parents.split("/"))
      folder = await folder.getDirectoryHandle(component);
    return await (await folder.getFileHandle(file)).getFile();
  });
}

/** Removes everything received under `name`; nothing there is no error. */
export function removePrivate(name: string): Promise<void> {
  return asSinkFailure(async () => {
    try {
      await (await receivedFolder(false)).removeEntry(name, { recursive: true });
    } catch (error) {
      if (errorName(error) !== "NotFoundError") throw error;
    }
  });
}

/** Copies what `from` received, as `plan` lists it, into another sink, usually a download. Ends it with `finish`. */
export async function exportPrivate(from: PrivateSink, plan: SinkPlan, to: Sink): Promise<void> {
  try {
    await to.begin(plan);
    for (const entry of plan.entries) {
      if (entry.kind === "directory") {
        await to.createDirectory(entry);
        continue;
      }
      const writer = await to.openFile(entry);
      const file = await from.exportFile(entry.path);
      for await (const bytes of file.stream()) await writer.write(bytes);
      await writer.close();
    }
    await to.finish();
  } catch (error) {
    await to.abort("sink/failed");
    throw error;
  }
}

async function receivedFolder(create: boolean): Promise<FileSystemDirectoryHandle> {
  return await (await navigator.storage.getDirectory()).getDirectoryHandle(RECEIVED_FOLDER, { create });
}

async function openPrivate(name: string, create: boolean): Promise<FileSystemDirectoryHandle> {
  if (checkPath(name).includes("/")) throw new Failure("path/rejected", { reason: "not-one-component" });
  return await (await receivedFolder(create)).getDirectoryHandle(name, { create });
}

/** Asks that the browser keep the bytes, and fails early where they surely do not fit. */
async function checkSpace(needed: number): Promise<void> {
  const { storage } = navigator;
  // Only windows may ask; a worker relies on the page having asked.
  if ("persist" in storage) await storage.persist().catch(() => false);
  const { quota, usage } = await asSinkFailure(() => storage.estimate());
  if (quota === undefined || usage === undefined) return;
  const available = Math.max(0, quota - usage);
  if (needed > available) throw new Failure("sink/full", { needed, available });
}
