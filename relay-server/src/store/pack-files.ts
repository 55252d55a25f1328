/**
 * Object files: `blobs/<2 hex>/<portal>/<index>` for packs, `<index>.page` for pages, written as temporary file → sync →
 * rename → sync of the folder. Knows nothing of rows; a file without a row is an orphan and is swept at start.
 *
 * @module
 */
import { join } from "node:path";
import type { ObjectKind } from "../../../core/wire/object.ts";
import type { PortalKey } from "../bytes.ts";
import { FILE_CALLS, type FileCalls } from "./file-calls.ts";
import { FileUse } from "./file-use.ts";
import { FolderSync } from "./folder-sync.ts";
import { Gate } from "./gate.ts";

/** Flushes at a time: they occupy threads that reads and writes need. */
const PARALLEL_SYNCS = 3;

export class PackFiles {
  readonly #blobs: string;
  readonly #temporary: string;
  readonly #fs: FileCalls;
  readonly #folders: FolderSync;
  readonly #syncs = new Gate(PARALLEL_SYNCS);
  #next = 0;

  constructor(dataDir: string, fs: FileCalls = FILE_CALLS) {
    this.#blobs = join(dataDir, "blobs");
    this.#temporary = join(dataDir, "incoming");
    this.#fs = fs;
    this.#folders = new FolderSync(fs, this.#syncs);
  }

  /** Makes the folders and removes what an earlier process left half-written. */
  async prepare(): Promise<void> {
    await this.#fs.mkdir(this.#temporary, { recursive: true });
    await this.#fs.mkdir(this.#blobs, { recursive: true });
    // The folder itself stays: on a full disk it might not be made again.
    for (const name of await this.#fs.readdir(this.#temporary))
      await this.#fs.rm(join(this.#temporary, name), { recursive: true, force: true });
  }

  /** A fresh temporary file, open for reading and writing. */
  async begin(): Promise<FileUse> {
    return FileUse.open(this.#fs, join(this.#temporary, String(this.#next++)), "wx+");
  }

  /** Makes a temporary file durable under its final name. @throws what the file system throws; the file is removed then */
  async publish(file: FileUse, key: PortalKey, kind: ObjectKind, index: number): Promise<void> {
    const folder = this.#folder(key);
    const path = join(folder, fileName(kind, index));
    try {
      // A flush that failed once is never asked for again: the bytes go, the sender sends them anew.
      await this.#syncs.run(() => file.sync());
      await this.#makeFolder(folder);
    } catch (error) {
      await this.#remove(file.path);
      throw error;
    }
    try {
      await this.#fs.rename(file.path, path);
      await this.#folders.sync(folder);
    } catch (error) {
      await this.#remove(file.path);
      await this.#remove(path);
      throw error;
    }
  }

  async open(key: PortalKey, kind: ObjectKind, index: number): Promise<FileUse> {
    return FileUse.open(this.#fs, join(this.#folder(key), fileName(kind, index)), "r");
  }

  async removeTemporary(file: FileUse): Promise<void> {
    await this.#remove(file.path);
  }

  async removeObject(key: PortalKey, kind: ObjectKind, index: number): Promise<void> {
    await this.#remove(join(this.#folder(key), fileName(kind, index)));
  }

  async removePortal(key: PortalKey): Promise<void> {
    await this.#fs.rm(this.#folder(key), { recursive: true, force: true });
    this.#folders.forget(this.#folder(key));
  }

  /** Removes every file that `isHeld` does not know; gives their number. Only before the relay serves anybody. */
  async sweep(isHeld: (key: string, name: string) => boolean): Promise<number> {
    let swept = 0;
    for (const prefix of await this.#fs.readdir(this.#blobs)) {
      for (const key of await this.#fs.readdir(join(this.#blobs, prefix))) {
        const folder = join(this.#blobs, prefix, key);
        const names = await this.#fs.readdir(folder);
        const orphans = names.filter((name) => !isHeld(key, name));
        for (const name of orphans) await this.#fs.rm(join(folder, name), { recursive: true, force: true });
        if (orphans.length === names.length) await this.#fs.rm(folder, { recursive: true });
        swept += orphans.length;
      }
    }
    return swept;
  }

  /** A file that cannot be removed now is an orphan, and is swept at the next start. */
  async #remove(path: string): Promise<void> {
    await this.#fs.rm(path, { force: true }).catch(() => undefined);
  }

  async #makeFolder(folder: string): Promise<void> {
    if (this.#folders.isKnown(folder)) return;
    await this.#fs.mkdir(folder, { recursive: true });
    await this.#folders.sync(join(folder, ".."));
    await this.#folders.sync(this.#blobs);
    this.#folders.know(folder);
  }

  #folder(key: PortalKey): string {
    return join(this.#blobs, key.slice(0, 2), key);
  }
}

/** The name of an object's file inside its portal's folder. */
export function fileName(kind: ObjectKind, index: number): string {
  return kind === "pack" ? String(index) : `${index}.page`;
}
