/**
 * An open file shared by one writer and any number of readers; closed when the last one lets go.
 *
 * @module
 */
import type { FileCalls } from "./file-calls.ts";

/** Closes files whose users were forgotten, as a net under `release`. */
const forgotten = new FinalizationRegistry<() => void>((close) => close());

export class FileUse {
  readonly path: string;
  readonly #fs: FileCalls;
  readonly #file: number;
  #uses = 1;

  private constructor(fs: FileCalls, file: number, path: string) {
    this.#fs = fs;
    this.#file = file;
    this.path = path;
    // Nothing is lost when closing fails: what had to be durable was synced before.
    forgotten.register(this, () => void fs.close(file).catch(() => undefined), this);
  }

  /** Opens a file with one use. @throws what the file system throws */
  static async open(fs: FileCalls, path: string, flags: "r" | "wx+"): Promise<FileUse> {
    return new FileUse(fs, await fs.open(path, flags, 0o600), path);
  }

  /** One more user; each calls `release` once. */
  retain(): this {
    if (this.#uses === 0) throw new Error("the file is closed");
    this.#uses++;
    return this;
  }

  release(): void {
    if (--this.#uses !== 0) return;
    forgotten.unregister(this);
    this.#fs.close(this.#file).catch(() => undefined);
  }

  /** Makes what was written durable. */
  sync(): Promise<void> {
    return this.#fs.fsync(this.#file);
  }

  /** Fills the views with the bytes from `position` on. @throws Error when the file is shorter */
  async read(views: readonly Uint8Array[], position: number): Promise<void> {
    const { bytesRead } = await this.#fs.readv(this.#file, views, position);
    if (bytesRead !== totalLength(views)) throw new Error("the file is too short");
  }

  /** Writes all slices at `position`. */
  async write(slices: readonly Uint8Array[], position: number): Promise<void> {
    const wanted = totalLength(slices);
    let { bytesWritten } = await this.#fs.writev(this.#file, slices, position);
    if (bytesWritten === wanted) return;
    // A short write: the disk is nearly full, or a signal came.
    const rest = Buffer.concat(slices);
    while (bytesWritten < wanted) {
      const more = await this.#fs.writev(this.#file, [rest.subarray(bytesWritten)], position + bytesWritten);
      if (more.bytesWritten === 0) throw Object.assign(new Error("nothing was written"), { code: "ENOSPC" });
      bytesWritten += more.bytesWritten;
    }
  }
}

function totalLength(views: readonly Uint8Array[]): number {
  return views.reduce((sum, view) => sum + view.length, 0);
}
