/**
 * Several files as one zip archive (stored, zip64 where needed, UTF-8 names, times), written while they arrive. The
 * archive's index is written by `end` alone, so an archive that was cut has none and no reader takes it for whole.
 *
 * @module
 */
import { makeZip, predictLength } from "client-zip";
import type { Entry } from "../../core/manifest/entry.ts";
import { utf8Length } from "../../core/manifest/path.ts";
import type { StreamTarget } from "./stream-target.ts";
import { addedEndBytes, ZipEnd } from "./zip-end.ts";
import { ZipNames } from "./zip-names.ts";

/** Times that the format can hold: 1980 to 2107, in two-second steps, local time. */
const EARLIEST_MS = Date.UTC(1980, 0, 2);
const LATEST_MS = Date.UTC(2107, 11, 30);

interface ZipInput {
  readonly name: string;
  readonly lastModified: Date;
  readonly input?: AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** The exact length in bytes of the archive of `entries`, written in any order. */
export function zipLength(entries: readonly Entry[]): number {
  const names = new ZipNames();
  const metadata = entries.map((entry) => ({ name: names.give(entry), size: entry.size, kind: entry.kind }));
  const sizes = metadata.map(({ name, size }) => ({ nameBytes: utf8Length(name), size }));
  // Without a size a name is a folder's.
  const zipped = metadata.map(({ name, size, kind }) => (kind === "directory" ? { name } : { name, size }));
  return Number(predictLength(zipped)) + addedEndBytes(sizes);
}

export class ZipStream {
  readonly #names = new ZipNames();
  readonly #entries = new Handover<ZipInput>();
  readonly #pumped: Promise<void>;
  #file: Handover<Uint8Array<ArrayBuffer>> | undefined;

  /** Starts an archive into `target`, which has begun; `end` does not end the target. */
  constructor(target: StreamTarget) {
    this.#pumped = this.#pump(target);
    // Whoever waits for the next step is told; nobody need be waiting.
    this.#pumped.catch(() => undefined);
  }

  async #pump(target: StreamTarget): Promise<void> {
    try {
      const end = new ZipEnd();
      const reader = (makeZip(this.#entries) as ReadableStream<Uint8Array<ArrayBuffer>>).getReader();
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        const leaves = end.next(read.value);
        if (leaves !== undefined) await target.write(leaves);
      }
      for (const bytes of end.end(this.#names.count)) await target.write(bytes);
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }

  /** Adds an empty folder. */
  async addFolder(entry: Entry): Promise<void> {
    await this.#entries.give({ name: this.#names.give(entry), lastModified: zipTime(entry.mtimeMs) });
  }

  /** Opens the next file; the one before must have been closed. */
  async openFile(entry: Entry): Promise<void> {
    const file = new Handover<Uint8Array<ArrayBuffer>>();
    this.#file = file;
    await this.#entries.give({ name: this.#names.give(entry), lastModified: zipTime(entry.mtimeMs), input: file });
  }

  /** takes. Resolves when the archive can take more. */
  async write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#file?.give(bytes);
  }

  async closeFile(): Promise<void> {
    this.#file?.end();
    this.#file = undefined;
  }

  /** Writes the index. */
  async end(): Promise<void> {
    this.#entries.end();
    await this.#pumped;
  }

  /** Stops: whoever waits, now or later, gets `error`. */
  fail(error: unknown): void {
    this.#file?.fail(error);
    this.#entries.fail(error);
  }
}

function zipTime(mtimeMs: number): Date {
  // 0 is "unknown", and a download's file is dated when it arrives.
  return mtimeMs === 0 ? new Date() : new Date(Math.min(Math.max(mtimeMs, EARLIEST_MS), LATEST_MS));
}

/** One value at a time from a giver to one taker; `give` resolves when it was taken, so one more can be prepared. */
class Handover<T> implements AsyncIterable<T> {
  #offer: { readonly value: T; readonly taken: () => void; readonly refused: (error: unknown) => void } | undefined;
  #wake: (() => void) | undefined;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;

  give(value: T): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error);
    return new Promise((taken, refused) => {
      this.#offer = { value, taken, refused };
      this.#wake?.();
    });
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#offer?.refused(error);
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      while (this.#offer === undefined && !this.#ended && this.#failure === undefined) {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wake = resolve;
        await promise;
      }
      if (this.#failure !== undefined) throw this.#failure.error;
      const offer = this.#offer;
      if (offer === undefined) return;
      this.#offer = undefined;
      offer.taken();
      yield offer.value;
    }
  }
}
