/**
 * The private file system as the bench uses it, in any thread: flat, by name.
 *
 * @module
 */

export async function openFile(name: string): Promise<File> {
  return await (await (await navigator.storage.getDirectory()).getFileHandle(name)).getFile();
}

export async function createFile(name: string): Promise<FileSystemFileHandle> {
  const root = await navigator.storage.getDirectory();
  await root.removeEntry(name).catch(() => undefined);
  return await root.getFileHandle(name, { create: true });
}

/** Writes in order, in a worker. */
export class FileOutput {
  readonly #access: FileSystemSyncAccessHandle;
  #at = 0;

  private constructor(access: FileSystemSyncAccessHandle) {
    this.#access = access;
  }

  static async open(name: string): Promise<FileOutput> {
    return new FileOutput(await (await createFile(name)).createSyncAccessHandle());
  }

  /** Bytes written so far. */
  get bytes(): number {
    return this.#at;
  }

  write(bytes: Uint8Array): void {
    this.#at += this.#access.write(bytes, { at: this.#at });
  }

  close(): void {
    this.#access.flush();
    this.#access.close();
  }
}
