/**
 * A sink into a directory handle, one the user picked or one of the origin's private file system. A file is written
 * aside and moved to its name when it was closed; nothing that exists is ever overwritten. File times cannot be set
 * through a directory handle.
 *
 * What is written aside in the private file system outlives a crash, through a writable stream nothing does; so large
 * files for a picked folder are staged in the private file system and copied when they are whole.
 *
 * @module
 */
import { assert } from "../../core/failure.ts";
import type { Entry } from "../../core/manifest/entry.ts";
import { checkPath } from "../../core/manifest/path.ts";
import type {
  EntryPlace,
  FileWriter,
  ResumableSink,
  SinkFound,
  SinkKind,
  SinkLog,
  SinkPast,
  SinkPlan,
} from "../../core/ports/sink.ts";
import { MIB } from "../../core/units.ts";
import { Background } from "./background.ts";
import { Folders, joinPath, type OnRename } from "./folders.ts";
import { findPartial, findPlaced } from "./found.ts";
import { PartialFile } from "./partial-file.ts";
import { holdPartials, PartialFolder, removePartials } from "./partial-folder.ts";
import { asSinkFailure, sinkFailure } from "./sink-failure.ts";

/** Files being closed in the background; each holds at most one write buffer, so this bounds memory too. */
const CLOSING_FILES = 16;

/** A smaller file is received again from its start: that costs no more than what a receiver has under way anyway. */
const STAGED_BYTES = 56 * MIB;

const NOTHING_PAST: SinkPast = { placed: new Set(), paths: new Map(), folders: new Map(), bytes: new Map() };

export interface DirectorySinkOptions {
  /** Told, in any order, of every file and folder that the target holds under another path than the manifest's. */
  readonly onRename?: OnRename;
  readonly kind?: Extract<SinkKind, "directory" | "private">;
  /** Names the receive in the target, so that a later run finds what it left; needed with a log. */
  readonly id?: string;
  /** Ids of receives that may be continued, whose unfinished files stay. */
  readonly kept?: ReadonlySet<string>;
}

/** A sink that writes into `root`, for which write permission was granted. */
export function createDirectorySink(
  root: FileSystemDirectoryHandle,
  options: DirectorySinkOptions = {},
): ResumableSink {
  return new HandleSink(root, options);
}

/** Removes what the receive `id` left unfinished in `root`, and in the private file system. Never throws. */
export async function discardDirectory(root: FileSystemDirectoryHandle, id: string): Promise<void> {
  await removePartials(root, id);
  await removePartials(await navigator.storage.getDirectory(), id);
}

interface OpenFile {
  readonly file: PartialFile;
  readonly writer: FileWriter;
}

class HandleSink implements ResumableSink {
  readonly kind: SinkKind;
  readonly #root: FileSystemDirectoryHandle;
  readonly #onRename: OnRename;
  readonly #id: string;
  readonly #kept: ReadonlySet<string>;
  readonly #closing = new Background(CLOSING_FILES);
  readonly #open = new Set<OpenFile>();
  /** Folders in which unfinished files were found, by entry. */
  readonly #foundIn = new Map<number, PartialFolder>();
  #folders: Folders | undefined;
  #partials: PartialFolder | undefined;
  #staging: PartialFolder | undefined;
  #log: SinkLog | undefined;
  #release: () => void = () => {};
  #isSynchronous = false;
  #isOver = false;
  #files = 0;

  constructor(
    root: FileSystemDirectoryHandle,
    {
      onRename = () => undefined,
      kind = "directory",
      id = crypto.randomUUID(),
      kept = new Set(),
    }: DirectorySinkOptions,
  ) {
    this.kind = kind;
    this.#root = root;
    this.#onRename = onRename;
    this.#id = id;
    this.#kept = kept;
  }

  begin(_plan: SinkPlan, log?: SinkLog): Promise<void> {
    return asSinkFailure(() => this.#begin(true, NOTHING_PAST, log));
  }

  resume({ entries }: SinkPlan, past: SinkPast, log: SinkLog): Promise<SinkFound> {
    return asSinkFailure(async () => {
      await this.#begin(false, past, log);
      const placed = await findPlaced(this.#root, entries, past);
      for (const [number, path] of past.paths) {
        const entry = entries[number];
        if (entry !== undefined && placed.has(number)) this.#onRename(entry.path, path);
      }
      const bytes = new Map<number, number>();
      for (const folder of [this.#partials, this.#staging]) {
        if (folder === undefined) continue;
        for (const [number, count] of await findPartial(folder, entries, past, placed)) {
          bytes.set(number, count);
          this.#foundIn.set(number, folder);
        }
      }
      return { placed, bytes };
    });
  }

  async #begin(isFresh: boolean, past: SinkPast, log: SinkLog | undefined): Promise<void> {
    const own = await navigator.storage.getDirectory();
    this.#log = log;
    this.#folders = new Folders(this.#root, this.#onRename, {
      given: past.folders,
      onGiven: (path, name) => log?.folder(path, name),
    });
    const hasSyncAccess = "createSyncAccessHandle" in FileSystemFileHandle.prototype;
    this.#isSynchronous = hasSyncAccess && (await own.resolve(this.#root)) !== null;
    this.#release = await holdPartials(this.#id);
    try {
      this.#partials = await PartialFolder.open(this.#root, this.#id, this.#kept, isFresh);
      // Without staging the receive goes on all the same, and large files of it begin anew.
      if (hasSyncAccess && !this.#isSynchronous && log !== undefined)
        this.#staging = await PartialFolder.open(own, this.#id, this.#kept, isFresh).catch(() => undefined);
    } finally {
      if (this.#isOver || this.#partials === undefined) this.#release();
    }
  }

  createDirectory(entry: Entry): Promise<void> {
    return asSinkFailure(async () => {
      this.#closing.check();
      await this.#begun().folders.open(checkPath(entry.path));
    });
  }

  async openFile(entry: Entry, place?: EntryPlace): Promise<FileWriter> {
    const path = checkPath(entry.path);
    await asSinkFailure(async () => this.#closing.check());
    this.#files += 1;
    const number = place?.number ?? this.#files;
    const file = await asSinkFailure(() => this.#partialFile(entry.size, number, place?.bytes ?? 0));
    const writer: FileWriter = {
      write: (bytes) => asSinkFailure(() => file.write(bytes)),
      close: () =>
        asSinkFailure(() => this.#closing.start(() => this.#place(path, number, file))).finally(() =>
          this.#open.delete(open),
        ),
      abort: async () => {
        this.#open.delete(open);
        await file.discard();
      },
    };
    const open = { file, writer };
    this.#open.add(open);
    return writer;
  }

  async #partialFile(size: number, number: number, bytes: number): Promise<PartialFile> {
    const { partials } = this.#begun();
    const found = bytes > 0 ? this.#foundIn.get(number) : undefined;
    const isStaged = found === undefined ? size >= STAGED_BYTES && (await hasRoom(size)) : found === this.#staging;
    return new PartialFile({
      partials,
      staging: isStaged ? this.#staging : undefined,
      isSynchronous: this.#isSynchronous,
      name: String(number),
      bytes,
    });
  }

  async #place(path: string, number: number, file: PartialFile): Promise<void> {
    try {
      await this.#begun().folders.place(path, async (folder, name) => {
        const actual = joinPath(folder.path, name);
        await this.#log?.placing(number, actual === path ? null : actual);
        await file.publish(folder.handle, name);
      });
    } catch (error) {
      // Who took over goes on with the file.
      if (sinkFailure(error).code === "transfer/elsewhere") await file.release();
      else await file.discard();
      throw error;
    }
  }

  async flush(): Promise<number> {
    return await asSinkFailure(async () => {
      let bytes = 0;
      for (const { file } of this.#open) bytes = await file.flush();
      return bytes;
    });
  }

  async finish(): Promise<void> {
    await this.#closing.settle();
    await asSinkFailure(async () => this.#closing.check());
    await this.#removePartials();
  }

  async abort(): Promise<void> {
    for (const { writer } of [...this.#open]) await writer.abort();
    await this.#closing.settle();
    await this.#removePartials();
  }

  async suspend(): Promise<void> {
    for (const { file } of [...this.#open]) await file.release();
    await this.#closing.settle();
    this.#isOver = true;
    this.#release();
  }

  async #removePartials(): Promise<void> {
    await this.#partials?.close();
    await this.#staging?.close();
    this.#isOver = true;
    this.#release();
  }

  #begun(): { folders: Folders; partials: PartialFolder } {
    const [folders, partials] = [this.#folders, this.#partials];
    assert(folders !== undefined && partials !== undefined, "begin was called");
    return { folders, partials };
  }
}

/** False when the private file system surely has no room for so many bytes more. */
async function hasRoom(bytes: number): Promise<boolean> {
  const { quota, usage } = await navigator.storage.estimate();
  return quota === undefined || usage === undefined || quota - usage >= bytes;
}
