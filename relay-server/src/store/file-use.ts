/**
 * An open file shared by one writer and any number of readers; closed when the last one lets go.
 *
 * @module
 */
import type { FileHandle } from "node:fs/promises";

export class FileUse {
  readonly handle: FileHandle;
  readonly path: string;
  #uses = 1;

  constructor(handle: FileHandle, path: string) {
    this.handle = handle;
    this.path = path;
  }

  /** One more user; each calls `release` once. */
  retain(): this {
    if (this.#uses === 0) throw new Error("the file is closed");
    this.#uses++;
    return this;
  }

  release(): void {
    if (--this.#uses > 0) return;
    // Nothing is lost when closing fails: what had to be durable was synced before.
    this.handle.close().catch(() => undefined);
  }

  /** Fills the views with the bytes from `position` on. @throws Error when the file is shorter */
  async read(views: readonly Uint8Array[], position: number): Promise<void> {
    const wanted = views.reduce((sum, view) => sum + view.length, 0);
    const { bytesRead } = await this.handle.readv([...views], position);
    if (bytesRead !== wanted) throw new Error("the file is too short");
  }

  /** Writes all slices at `position`. */
  async write(slices: readonly Uint8Array[], position: number): Promise<void> {
    const wanted = slices.reduce((sum, slice) => sum + slice.length, 0);
    let { bytesWritten } = await this.handle.writev([...slices], position);
    if (bytesWritten === wanted) return;
    // A short write: the disk is nearly full, or a signal came. The rest goes byte range by byte range.
    const rest = Buffer.concat(slices);
    while (bytesWritten < wanted) {
      const more = await this.handle.write(rest, bytesWritten, wanted - bytesWritten, position + bytesWritten);
      if (more.bytesWritten === 0) throw Object.assign(new Error("nothing was written"), { code: "ENOSPC" });
      bytesWritten += more.bytesWritten;
    }
  }
}
