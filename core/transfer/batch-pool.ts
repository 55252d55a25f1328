/**
 * Memory of batches that were sent, for the next ones: fresh memory of this size costs as much as hashing it.
 *
 * @module
 */
import { free } from "../bytes.ts";
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

  /** Takes memory back. */
  give(buffer: ArrayBuffer): void {
    if (this.#spare.includes(buffer)) return;
    const isKept = buffer.byteLength === BUFFER_BYTES && this.#spare.length < MAX_SPARE;
    if (isKept) this.#spare.push(buffer);
    else free(new Uint8Array(buffer));
  }
}
