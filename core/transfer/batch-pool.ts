/**
 * Memory of batches that were sent, for the next ones: fresh memory of this size costs as much as hashing it.
 *
 * @module
 */
import { KIB, MIB } from "../units.ts";

/** Bytes of a pooled buffer: one slice and what a chunk of the usual size leaves over. */
const BUFFER_BYTES = 4 * MIB + 256 * KIB;
/** Buffers kept. */
const MAX_SPARE = 4;

export class BatchPool {
  readonly #spare: ArrayBuffer[] = [];

  /** At least `bytes` bytes, with whatever was in them; given. */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    if (bytes > BUFFER_BYTES) return new Uint8Array(bytes);
    return new Uint8Array(this.#spare.pop() ?? new ArrayBuffer(BUFFER_BYTES));
  }

  /** Takes memory back; what is not a pooled buffer is left to the collector. */
  give(buffer: ArrayBuffer): void {
    const isKept = buffer.byteLength === BUFFER_BYTES && this.#spare.length < MAX_SPARE;
    if (isKept && !this.#spare.includes(buffer)) this.#spare.push(buffer);
  }
}
