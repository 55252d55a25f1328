/**
 * Memory of batches that were sent, for the next ones: fresh memory of this size costs as much as hashing it.
 *
 * @module
 */
import { KIB } from "../units.ts";

/** Room in a pooled buffer for what a chunk of the usual size leaves over. */
const CARRY_BYTES = 256 * KIB;
/** Buffers kept. */
const MAX_SPARE = 4;

export class BatchPool {
  readonly #bufferBytes: number;
  readonly #spare: ArrayBuffer[] = [];

  /** @param batchBytes what most batches hold */
  constructor(batchBytes: number) {
    this.#bufferBytes = batchBytes + CARRY_BYTES;
  }

  /** At least `bytes` bytes, with whatever was in them; given. */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    if (bytes > this.#bufferBytes) return new Uint8Array(bytes);
    return new Uint8Array(this.#spare.pop() ?? new ArrayBuffer(this.#bufferBytes));
  }

  /** Takes memory back; what is not a pooled buffer is left to the collector. */
  give(buffer: ArrayBuffer): void {
    const isKept = buffer.byteLength === this.#bufferBytes && this.#spare.length < MAX_SPARE;
    if (isKept && !this.#spare.includes(buffer)) this.#spare.push(buffer);
  }
}
