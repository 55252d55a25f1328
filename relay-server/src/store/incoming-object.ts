/**
 * Objects on their way into the embedded store: large ones stream into a file, small ones wait in memory for their row.
 *
 * @module
 */
import type { Failure } from "../../../core/failure.ts";
import type { ObjectHeader } from "../../../core/wire/object.ts";
import type { PortalKey } from "../bytes.ts";
import type { FileUse } from "./file-use.ts";
import { isInDoubt } from "./group-commit.ts";
import type { Health } from "./health.ts";
import { bytesSource, fileSource } from "./object-source.ts";
import type { PackFiles } from "./pack-files.ts";
import { storageFailure } from "./storage-failure.ts";
import type { IncomingObject, ObjectSource } from "./store.ts";

/** What incoming objects need of their store. */
export interface ObjectKeeper {
  readonly files: PackFiles;
  readonly health: Health;
  list(key: PortalKey, header: ObjectHeader, inside: Uint8Array | null): Promise<void>;
  /** Ends the reservation. */
  release(key: PortalKey, bytes: number): void;
  /** Makes `close` of the store wait. */
  track<T>(work: Promise<T>): Promise<T>;
}

/** Streams into a temporary file; memory does not grow with the object. */
export class FileObject implements IncomingObject {
  readonly #keeper: ObjectKeeper;
  readonly #key: PortalKey;
  readonly #header: ObjectHeader;
  readonly #file: FileUse;
  #position = 0;

  constructor(keeper: ObjectKeeper, key: PortalKey, header: ObjectHeader, file: FileUse) {
    this.#keeper = keeper;
    this.#key = key;
    this.#header = header;
    this.#file = file;
  }

  async append(slices: readonly Uint8Array[]): Promise<void> {
    const position = this.#position;
    for (const slice of slices) this.#position += slice.length;
    try {
      await this.#file.write(slices, position);
    } catch (error) {
      throw noted(this.#keeper, error);
    }
  }

  source(): ObjectSource {
    return fileSource(this.#header, this.#file.retain());
  }

  store(): Promise<void> {
    return this.#keeper.track(this.#store());
  }

  async #store(): Promise<void> {
    const { kind, index, length } = this.#header;
    const { files } = this.#keeper;
    try {
      await files.publish(this.#file, this.#key, kind, index).catch((error: unknown) => {
        throw noted(this.#keeper, error);
      });
      await this.#list();
    } finally {
      this.#keeper.release(this.#key, length);
      // Whoever learns now that it is stored may still open the source that it saw before.
      setImmediate(() => this.#file.release());
    }
  }

  async #list(): Promise<void> {
    const { kind, index } = this.#header;
    try {
      await this.#keeper.list(this.#key, this.#header, null);
    } catch (error) {
      const failure = storageFailure(error);
      // Its row might come back after a crash, and would need it; otherwise the next start sweeps it.
      if (!isInDoubt(failure)) await this.#keeper.files.removeObject(this.#key, kind, index);
      throw failure;
    }
  }

  async discard(): Promise<void> {
    this.#keeper.release(this.#key, this.#header.length);
    this.#file.release();
    await this.#keeper.files.removeTemporary(this.#file);
  }
}

/** Waits in memory; at most a few KiB. */
export class RowObject implements IncomingObject {
  readonly #keeper: ObjectKeeper;
  readonly #key: PortalKey;
  readonly #header: ObjectHeader;
  readonly #bytes: Uint8Array;
  #filled = 0;

  constructor(keeper: ObjectKeeper, key: PortalKey, header: ObjectHeader) {
    this.#keeper = keeper;
    this.#key = key;
    this.#header = header;
    this.#bytes = new Uint8Array(header.length);
  }

  async append(slices: readonly Uint8Array[]): Promise<void> {
    for (const slice of slices) {
      this.#bytes.set(slice, this.#filled);
      this.#filled += slice.length;
    }
  }

  source(): ObjectSource {
    return bytesSource(this.#header, this.#bytes);
  }

  async store(): Promise<void> {
    try {
      await this.#keeper.track(this.#keeper.list(this.#key, this.#header, this.#bytes));
    } finally {
      this.#keeper.release(this.#key, this.#header.length);
    }
  }

  async discard(): Promise<void> {
    this.#keeper.release(this.#key, this.#header.length);
  }
}

/** An error of the disk under an object's file, made known. */
function noted(keeper: ObjectKeeper, error: unknown): Failure {
  const failure = storageFailure(error);
  keeper.health.failed(failure);
  return failure;
}
