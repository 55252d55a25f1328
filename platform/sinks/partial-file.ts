/**
 * One received file before it has its name: in memory while it is small, then a file of the partial folder, or of the
 * staging folder in the private file system, whose bytes outlive a crash.
 *
 * @module
 */
import { Failure } from "../../core/failure.ts";
import { type FileOutput, openStreaming, openSynchronous, WriteBuffer } from "./file-output.ts";
import type { PartialFolder } from "./partial-folder.ts";
import { sinkFailure } from "./sink-failure.ts";

/** Where a file lies until it is whole. */
export interface PartialPlace {
  /** In the target. */
  readonly partials: PartialFolder;
  /** Where it lies instead, until it is whole and copied. */
  readonly staging: PartialFolder | undefined;
  /** The target is in the private file system and this is a worker. */
  readonly isSynchronous: boolean;
  /** Name in the folder. */
  readonly name: string;
  /** Bytes of it that are there and stay. */
  readonly bytes: number;
}

export class PartialFile {
  readonly #partials: PartialFolder;
  readonly #name: string;
  readonly #bytes: number;
  readonly #buffer = new WriteBuffer();
  #staging: PartialFolder | undefined;
  #isSynchronous: boolean;
  #handle: FileSystemFileHandle | undefined;
  #output: FileOutput | undefined;
  #ended = false;

  constructor({ partials, staging, isSynchronous, name, bytes }: PartialPlace) {
    this.#partials = partials;
    this.#staging = staging;
    this.#isSynchronous = isSynchronous || staging !== undefined;
    this.#name = name;
    this.#bytes = bytes;
  }

  async write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.#ended) throw new Failure("cancelled");
    const full = this.#buffer.add(bytes);
    if (full !== undefined) await this.#put(full);
  }

  /** Gives the bytes of it that outlive this thread. */
  async flush(): Promise<number> {
    if (this.#output === undefined) return 0;
    await this.#putRest();
    return await this.#output.flush();
  }

  /** Writes what is held and gives the file its name; the only place where a final name appears. */
  async publish(folder: FileSystemDirectoryHandle, name: string): Promise<void> {
    if (this.#handle === undefined && this.#bytes === 0 && !this.#partials.canMove) {
      await this.#writeInPlace(folder, name);
      return;
    }
    await this.#putRest();
    await this.#output?.close();
    this.#output = undefined;
    this.#handle ??= await this.#where.open(this.#name);
    const handle = this.#handle;
    if (this.#bytes > 0 && (await handle.getFile()).size < this.#bytes)
      throw new Failure("sink/failed", { reason: "bytes that were kept are gone" });
    await this.#partials.publish(handle, this.#staging === undefined, folder, name);
    await this.#where.remove(handle);
  }

  /** Removes it. Never throws. */
  async discard(): Promise<void> {
    await this.release();
    if (this.#handle !== undefined) await this.#where.remove(this.#handle);
    this.#handle = undefined;
  }

  /** Lets go of it and leaves what was written. Never throws. */
  async release(): Promise<void> {
    this.#ended = true;
    this.#buffer.take();
    await this.#output?.discard();
    this.#output = undefined;
  }

  get #where(): PartialFolder {
    return this.#staging ?? this.#partials;
  }

  async #putRest(): Promise<void> {
    const rest = this.#buffer.take();
    if (rest !== undefined) await this.#put(rest);
  }

  async #put(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      this.#output ??= await this.#open();
      await this.#output.write(bytes);
    } catch (error) {
      if (this.#staging === undefined || sinkFailure(error).code !== "sink/full") throw error;
      const output = await this.#leaveStaging(this.#staging);
      await output.write(bytes);
    }
  }

  async #open(): Promise<FileOutput> {
    this.#handle ??= await this.#where.open(this.#name);
    return await (this.#isSynchronous ? openSynchronous(this.#handle, this.#bytes) : openStreaming(this.#handle));
  }

  /** The private file system is full, the target need not be: what was staged is copied there, and it goes on. */
  async #leaveStaging(staging: PartialFolder): Promise<FileOutput> {
    const written = (await this.#output?.flush()) ?? this.#bytes;
    await this.#output?.discard();
    this.#output = undefined;
    const staged = await staging.open(this.#name);
    const handle = await this.#partials.open(this.#name);
    const start = (await staged.getFile()).slice(0, written);
    this.#output = await openStreaming(handle, start);
    this.#handle = handle;
    this.#staging = undefined;
    this.#isSynchronous = false;
    await staging.remove(staged);
    return this.#output;
  }

  /**
   * Where nothing can be moved, a small file is written whole at once rather than copied. Through a stream also where a
   * faster way is there: a crash leaves all of it under its name, or an empty file.
   */
  async #writeInPlace(folder: FileSystemDirectoryHandle, name: string): Promise<void> {
    const handle = await folder.getFileHandle(name, { create: true });
    try {
      const bytes = this.#buffer.take();
      if (bytes === undefined) return;
      const output = await openStreaming(handle);
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
