/**
 * Readable objects: from memory or from a file, and the check of their hash before anybody gets them.
 *
 * @module
 */
import { Failure } from "../../../core/failure.ts";
import type { ObjectHeader } from "../../../core/wire/object.ts";
import { ObjectHasher } from "../object-hasher.ts";
import type { FileUse } from "./file-use.ts";
import { storageFailure } from "./storage-failure.ts";
import type { ObjectSource } from "./store.ts";

/** Bytes read at a time while verifying. */
const VERIFY_BYTES = 256 * 1024;

/** Borrows `bytes` for as long as the source is open. */
export function bytesSource(header: ObjectHeader, bytes: Uint8Array): ObjectSource {
  return {
    header,
    async read(views, position) {
      let at = position;
      for (const view of views) {
        if (at + view.length > bytes.length) throw new Failure("object/corrupt");
        view.set(bytes.subarray(at, at + view.length));
        at += view.length;
      }
    },
    close() {},
  };
}

/** Takes one use of the file and releases it on `close`. */
export function fileSource(header: ObjectHeader, file: FileUse): ObjectSource {
  return {
    header,
    async read(views, position) {
      try {
        await file.read(views, position);
      } catch (error) {
        throw storageFailure(error);
      }
    },
    close: () => file.release(),
  };
}

/** Reads all of an object once. @throws Failure `object/corrupt`, and closes the source */
export async function verifySource(source: ObjectSource): Promise<ObjectSource> {
  const { length, hash } = source.header;
  const running = new ObjectHasher();
  const buffer = Buffer.allocUnsafe(Math.min(VERIFY_BYTES, length));
  try {
    for (let at = 0; at < length; at += buffer.length) {
      const view = buffer.subarray(0, Math.min(buffer.length, length - at));
      await source.read([view], at);
      running.update(view);
    }
    if (Buffer.compare(running.digest(), hash) !== 0) throw new Failure("object/corrupt");
    return source;
  } catch (error) {
    source.close();
    // A file that is too short is as corrupt as one with other bytes; only the system's own errors are of the storage.
    const isOurs = error instanceof Failure && (error.cause as NodeJS.ErrnoException | undefined)?.code === undefined;
    throw isOurs ? new Failure("object/corrupt", {}, { cause: error }) : error;
  }
}
