/**
 * Writing one file of a directory handle in large sequential writes: a sync access handle where the file is in the
 * origin's private file system and this is a worker, a writable stream elsewhere. Names and finality are not known here.
 *
 * @module
 */
import { Failure } from "../../core/failure.ts";
import { KIB, MIB } from "../../core/units.ts";

/** Bytes gathered before one write reaches the file system; a file up to this size is one write. */
export const WRITE_BUFFER_BYTES = 512 * KIB;

/** Bytes copied in one step, so that a copy can end in between. */
const COPY_BYTES = 256 * MIB;

/** An open file. After `close` or `discard` resolves, nothing else may be called. */
export interface FileOutput {
  /** borrows until it resolves. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Gives the bytes that outlive this thread, 0 where none do before `close`. */
  flush(): Promise<number>;
  close(): Promise<void>;
  /** Releases the file without promising its content. Never throws. */
  discard(): Promise<void>;
}

/** Opens a file of the private file system, in a worker, for writing behind its first `from` bytes. */
export async function openSynchronous(handle: FileSystemFileHandle, from: number): Promise<FileOutput> {
  const access = await handle.createSyncAccessHandle();
  let offset = from;
  try {
    if (access.getSize() < from) throw new Failure("sink/failed", { reason: "bytes that were kept are gone" });
    access.truncate(from);
  } catch (error) {
    access.close();
    throw error;
  }
  return {
    async write(bytes) {
      const written = access.write(bytes, { at: offset });
      // A short write is how some systems report a full disk.
      if (written !== bytes.length) throw new Failure("sink/full", { needed: bytes.length, written });
      offset += written;
    },
    async flush() {
      access.flush();
      return offset;
    },
    async close() {
      access.close();
    },
    async discard() {
      try {
        access.close();
      } catch {
        // Closing twice is the only way to fail, and harmless.
      }
    },
  };
}

/** Opens any file for writing behind `start`, which is written first. Nothing of it is seen before `close`. */
export async function openStreaming(handle: FileSystemFileHandle, start?: Blob): Promise<FileOutput> {
  const stream = await handle.createWritable({ keepExistingData: false });
  try {
    for (let at = 0; start !== undefined && at < start.size; at += COPY_BYTES)
      await stream.write(start.slice(at, at + COPY_BYTES));
  } catch (error) {
    await stream.abort().catch(() => undefined);
    throw error;
  }
  return {
    write: (bytes) => stream.write(bytes),
    flush: async () => 0,
    close: () => stream.close(),
    async discard() {
      await stream.abort().catch(() => undefined);
    },
  };
}

/** Writes all of `source` to `target`, in the browser's own process: the bytes do not pass through this thread. */
export async function copyFile(source: File, target: FileSystemFileHandle): Promise<void> {
  await (await openStreaming(target, source)).close();
}

/** Gathers small writes: `add` gives back what must be written now, whole buffers in order. */
export class WriteBuffer {
  #held: Uint8Array<ArrayBuffer>[] = [];
  #heldBytes = 0;

  /** Bytes held back. */
  get byteLength(): number {
    return this.#heldBytes;
  }

  /** takes `bytes`; gives a buffer to write once at least WRITE_BUFFER_BYTES are held, else undefined. */
  add(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
    if (bytes.length === 0) return undefined;
    // A small view of a large buffer would keep all of it alive, and the caps count what is seen.
    this.#held.push(bytes.buffer.byteLength > 2 * bytes.length ? bytes.slice() : bytes);
    this.#heldBytes += bytes.length;
    return this.#heldBytes >= WRITE_BUFFER_BYTES ? this.take() : undefined;
  }

  /** Everything held, as one buffer, or undefined when nothing is. */
  take(): Uint8Array<ArrayBuffer> | undefined {
    const [first, ...rest] = this.#held;
    const total = this.#heldBytes;
    this.#held = [];
    this.#heldBytes = 0;
    if (first === undefined || rest.length === 0) return first;
    const joined = new Uint8Array(total);
    let offset = 0;
    for (const bytes of [first, ...rest]) {
      joined.set(bytes, offset);
      offset += bytes.length;
    }
    return joined;
  }
}
