/**
 * A sink that is one stream: one file as itself, everything else as a zip archive. What cannot be taken back is held
 * back, so that the stream is whole only when `finish` said so.
 *
 * @module
 */
import { assert, Failure, toFailure } from "../../core/failure.ts";
import type { Entry } from "../../core/manifest/entry.ts";
import { checkPath } from "../../core/manifest/path.ts";
import type { FileWriter, Sink } from "../../core/ports/sink.ts";
import type { StreamTarget } from "./stream-target.ts";
import { ZipStream, zipLength } from "./zip-stream.ts";

/** What a sink's entries become: the one file's own bytes, or an archive of them. */
interface Shape {
  open(entry: Entry): Promise<void>;
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  closeFile(): Promise<void>;
  addFolder(entry: Entry): Promise<void>;
  end(): Promise<void>;
  fail(error: unknown): void;
}

/**
 * A download sink over `target`. With a closed plan, exactly the entries of the plan must be written, since the length
 * of the result is announced before. Any failure, also of one file, fails the whole stream.
 */
export function createStreamSink(target: StreamTarget): Sink {
  let shape: Shape | undefined;
  const begun = (): Shape => {
    assert(shape !== undefined, "begin was called");
    return shape;
  };
  const fail = async (error: Failure): Promise<void> => {
    shape?.fail(error);
    await target.fail();
  };
  return {
    kind: "download",
    async begin(plan) {
      const [only] = plan.entries;
      const single = plan.closed && plan.entries.length === 1 && only?.kind === "file" ? only : undefined;
      await target.begin(
        single === undefined
          ? { filename: `${plan.title}.zip`, length: plan.closed ? zipLength(plan.entries) : null }
          : { filename: lastName(single.path), length: single.size },
      );
      shape = single === undefined ? zipShape(target) : new SingleFile(target);
    },
    async createDirectory(entry) {
      checkPath(entry.path);
      await begun().addFolder(entry);
    },
    async openFile(entry) {
      checkPath(entry.path);
      await begun().open(entry);
      return streamWriter(entry, begun(), fail);
    },
    async finish() {
      await begun().end();
      await target.end();
    },
    // The code is the caller's own; what is still waiting here was cancelled.
    abort: () => fail(new Failure("cancelled")),
  };
}

function streamWriter(entry: Entry, shape: Shape, fail: (error: Failure) => Promise<void>): FileWriter {
  let written = 0;
  let closed = false;
  return {
    async write(bytes) {
      written += bytes.length;
      if (bytes.length > 0) await shape.write(bytes);
    },
    async close() {
      if (written !== entry.size) {
        const failure = new Failure("transfer/truncated", { expected: entry.size, written });
        await fail(failure);
        throw failure;
      }
      closed = true;
      await shape.closeFile();
    },
    async abort() {
      // A stream cannot take back the bytes of one file.
      if (!closed) await fail(new Failure("cancelled"));
    },
  };
}

function zipShape(target: StreamTarget): Shape {
  const zip = new ZipStream(target);
  return {
    open: (entry) => zip.openFile(entry),
    write: (bytes) => zip.write(bytes),
    closeFile: () => zip.closeFile(),
    addFolder: (entry) => zip.addFolder(entry),
    end: () => zip.end(),
    fail: (error) => zip.fail(error),
  };
}

/** One file as itself. Its last bytes leave in `end` only, so that it cannot look complete before. */
class SingleFile implements Shape {
  readonly #target: StreamTarget;
  #held: Uint8Array<ArrayBuffer> | undefined;
  #failure: Failure | undefined;

  constructor(target: StreamTarget) {
    this.#target = target;
  }

  async open(): Promise<void> {}

  async write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const before = this.#held;
    this.#held = bytes;
    if (before !== undefined) await this.#target.write(before);
  }

  async closeFile(): Promise<void> {}

  addFolder(): Promise<void> {
    throw new Error("a plan of one file has no folder");
  }

  async end(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#held !== undefined) await this.#target.write(this.#held);
    this.#held = undefined;
  }

  fail(error: unknown): void {
    this.#failure ??= toFailure(error, "sink/failed");
    this.#held = undefined;
  }
}

/** The last component of a path. */
function lastName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
