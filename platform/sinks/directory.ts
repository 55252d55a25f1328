/**
 * A sink into a directory handle, one the user picked or one of the origin's private file system. A file is written
 * aside and moved to its name when it was closed; nothing that exists is ever overwritten. File times cannot be set
 * through a directory handle.
 *
 * @module
 */
import { assert } from "../../core/failure.ts";
import type { Entry } from "../../core/manifest/entry.ts";
import { checkPath } from "../../core/manifest/path.ts";
import type { FileWriter, Sink, SinkKind } from "../../core/ports/sink.ts";
import { Background } from "./background.ts";
import { Folders, type OnRename } from "./folders.ts";
import { PartialFile } from "./partial-file.ts";
import { PartialFolder } from "./partial-folder.ts";
import { asSinkFailure } from "./sink-failure.ts";

/** Files being closed in the background; each holds at most one write buffer, so this bounds memory too. */
const CLOSING_FILES = 16;

export interface DirectorySinkOptions {
  /** Told, in any order, of every file and folder that the target holds under another path than the manifest's. */
  readonly onRename?: OnRename;
  readonly kind?: Extract<SinkKind, "directory" | "private">;
}

export interface DirectorySink extends Sink {
  /**
   * Resolves when every file closed so far stands under its final name: `close` of a file may resolve a little earlier.
   * A journal says that files are complete only after it. @throws Failure what a close in the background failed with
   */
  flush(): Promise<void>;
}

/** A sink that writes into `root`, for which write permission was granted. */
export function createDirectorySink(
  root: FileSystemDirectoryHandle,
  options: DirectorySinkOptions = {},
): DirectorySink {
  return new HandleSink(root, options);
}

class HandleSink implements DirectorySink {
  readonly kind: SinkKind;
  readonly #root: FileSystemDirectoryHandle;
  readonly #folders: Folders;
  readonly #closing = new Background(CLOSING_FILES);
  readonly #open = new Set<FileWriter>();
  #partials: PartialFolder | undefined;
  #synchronous = false;

  constructor(
    root: FileSystemDirectoryHandle,
    { onRename = () => undefined, kind = "directory" }: DirectorySinkOptions,
  ) {
    this.kind = kind;
    this.#root = root;
    this.#folders = new Folders(root, onRename);
  }

  begin(): Promise<void> {
    return asSinkFailure(async () => {
      this.#synchronous = await hasSyncAccess(this.#root);
      this.#partials = await PartialFolder.open(this.#root);
    });
  }

  createDirectory(entry: Entry): Promise<void> {
    return asSinkFailure(async () => {
      this.#closing.check();
      await this.#folders.open(checkPath(entry.path));
    });
  }

  async openFile(entry: Entry): Promise<FileWriter> {
    const partials = this.#partials;
    assert(partials !== undefined, "begin was called");
    const path = checkPath(entry.path);
    await asSinkFailure(async () => this.#closing.check());
    const file = new PartialFile(partials, this.#synchronous);
    const writer: FileWriter = {
      write: (bytes) => asSinkFailure(() => file.write(bytes)),
      close: () =>
        asSinkFailure(() => this.#closing.start(() => this.#place(path, file))).finally(() =>
          this.#open.delete(writer),
        ),
      abort: async () => {
        this.#open.delete(writer);
        await file.discard();
      },
    };
    this.#open.add(writer);
    return writer;
  }

  async #place(path: string, file: PartialFile): Promise<void> {
    try {
      await this.#folders.place(path, (folder, name) => file.publish(folder.handle, name));
    } catch (error) {
      await file.discard();
      throw error;
    }
  }

  flush(): Promise<void> {
    return asSinkFailure(async () => {
      await this.#closing.settle();
      this.#closing.check();
    });
  }

  async finish(): Promise<void> {
    await this.flush();
    await this.#partials?.close();
  }

  async abort(): Promise<void> {
    for (const writer of [...this.#open]) await writer.abort();
    await this.#closing.settle();
    await this.#partials?.close();
  }
}

/** True in a dedicated worker for a folder of the origin's private file system. */
async function hasSyncAccess(root: FileSystemDirectoryHandle): Promise<boolean> {
  if (!("createSyncAccessHandle" in FileSystemFileHandle.prototype)) return false;
  const own = await navigator.storage.getDirectory();
  return (await own.resolve(root)) !== null;
}
