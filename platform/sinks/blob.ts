/**
 * A download in memory, for browsers without a service worker (private windows of Firefox). Bounded, because it is
 * memory: beyond the bound the receiver is told instead of the tab being killed.
 *
 * @module
 */
import { assert, Failure } from "../../core/failure.ts";
import type { Sink } from "../../core/ports/sink.ts";
import { MIB } from "../../core/units.ts";
import { createStreamSink } from "./stream-sink.ts";
import type { StreamHead, StreamTarget } from "./stream-target.ts";

/** Most bytes that a download in memory may have. */
export const MAX_BLOB_BYTES = 256 * MIB;
/** Bytes gathered before they become a Blob, which the browser may keep on disk. */
const BLOB_STEP_BYTES = 8 * MIB;

export interface BlobSink extends Sink {
  /** After `finish`: the file, or the archive, to be saved by the page. */
  file(): File;
}

/** @returns a sink whose `begin`, or whose writers, fail with `sink/full` beyond MAX_BLOB_BYTES */
export function createBlobSink(): BlobSink {
  const memory = new BlobTarget();
  return { ...createStreamSink(memory), file: () => memory.file() };
}

class BlobTarget implements StreamTarget {
  #head: StreamHead | undefined;
  #steps: Blob[] = [];
  #pending: Uint8Array<ArrayBuffer>[] = [];
  #pendingBytes = 0;
  #bytes = 0;
  #file: File | undefined;

  async begin(head: StreamHead): Promise<void> {
    this.#head = head;
    if (head.length !== null) checkBound(head.length);
  }

  async write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#bytes += bytes.length;
    checkBound(this.#bytes);
    this.#pending.push(bytes.slice());
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes >= BLOB_STEP_BYTES) this.#step();
  }

  async end(): Promise<void> {
    assert(this.#head !== undefined, "begin was called");
    this.#step();
    this.#file = new File(this.#steps, this.#head.filename, { type: "application/octet-stream" });
    this.#steps = [];
  }

  async fail(): Promise<void> {
    this.#file = undefined;
    this.#steps = [];
    this.#pending = [];
  }

  file(): File {
    assert(this.#file !== undefined, "finish was called");
    return this.#file;
  }

  #step(): void {
    this.#steps.push(new Blob(this.#pending));
    this.#pending = [];
    this.#pendingBytes = 0;
  }
}

function checkBound(needed: number): void {
  if (needed > MAX_BLOB_BYTES) throw new Failure("sink/full", { needed, available: MAX_BLOB_BYTES });
}
