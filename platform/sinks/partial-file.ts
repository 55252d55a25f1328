/**
 * One received file before it has its name: in memory while it is small, then a numbered file of the partial folder.
 *
 * @module
 */
import { Failure } from "../../core/failure.ts";
import { type FileOutput, openFileOutput, WriteBuffer } from "./file-output.ts";
import type { PartialFolder } from "./partial-folder.ts";

export class PartialFile {
  readonly #partials: PartialFolder;
  readonly #synchronous: boolean;
  readonly #buffer = new WriteBuffer();
  #handle: FileSystemFileHandle | undefined;
  #output: FileOutput | undefined;
  #ended = false;

  constructor(partials: PartialFolder, synchronous: boolean) {
    this.#partials = partials;
    this.#synchronous = synchronous;
  }

  async write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.#ended) throw new Failure("cancelled");
    const full = this.#buffer.add(bytes);
    if (full !== undefined) await this.#put(full);
  }

  /** Writes what is held and gives the file its name; the only place where a final name appears. */
  async publish(folder: FileSystemDirectoryHandle, name: string): Promise<void> {
    if (this.#handle === undefined && !this.#partials.canMove) return await this.#writeInPlace(folder, name);
    const rest = this.#buffer.take();
    if (rest !== undefined) await this.#put(rest);
    this.#handle ??= await this.#partials.create();
    await this.#output?.close();
    this.#output = undefined;
    await this.#partials.publish(this.#handle, folder, name);
    this.#handle = undefined;
  }

  async discard(): Promise<void> {
    this.#ended = true;
    this.#buffer.take();
    await this.#output?.discard();
    if (this.#handle !== undefined) await this.#partials.remove(this.#handle);
    this.#output = undefined;
    this.#handle = undefined;
  }

  async #put(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#handle ??= await this.#partials.create();
    this.#output ??= await openFileOutput(this.#handle, this.#synchronous);
    await this.#output.write(bytes);
  }

  /** Where nothing can be moved, a small file is written whole at once rather than copied. */
  async #writeInPlace(folder: FileSystemDirectoryHandle, name: string): Promise<void> {
    const handle = await folder.getFileHandle(name, { create: true });
    try {
      const bytes = this.#buffer.take();
      if (bytes === undefined) return;
      const output = await openFileOutput(handle, this.#synchronous);
      try {
        await output.write(bytes);
        await output.close();
      } catch (error) {
        await output.discard();
        throw error;
      }
    } catch (error) {
      await folder.removeEntry(name).catch(() => undefined);
      throw error;
    }
  }
}
