/**
 * Recycled buffers for reading stored objects towards the network.
 *
 * @module
 */
import { WRITE_BYTES } from "../../../core/units.ts";

/** Slices in one slab. */
const SLICES = 4;
export const SLAB_BYTES = SLICES * WRITE_BYTES;

export class SlabPool {
  readonly #free: Uint8Array<ArrayBuffer>[] = [];
  readonly #cap: number;
  #used = 0;

  /** @param capBytes bytes in full slabs at a time; beyond it slabs of one slice are given and not recycled */
  constructor(capBytes: number) {
    this.#cap = Math.floor(capBytes / SLAB_BYTES);
  }

  /** Gives the buffer to the caller until `give`. */
  take(): Uint8Array<ArrayBuffer> {
    this.#used++;
    if (this.#used > this.#cap) return new Uint8Array(WRITE_BYTES);
    return this.#free.pop() ?? new Uint8Array(SLAB_BYTES);
  }

  give(slab: Uint8Array<ArrayBuffer>): void {
    this.#used--;
    if (slab.length === SLAB_BYTES && this.#free.length + this.#used < this.#cap) this.#free.push(slab);
  }
}
