/**
 * Which chunks this transfer has seen: a hash table from BLAKE3-256 to the number of the chunk, over typed arrays so that
 * hundreds of thousands of chunks cost a few bytes each more than their hashes.
 *
 * @module
 */
import { assert } from "../failure.ts";

/** Chunks that are remembered; later ones are sent as new even when they repeat. About 24 MiB. */
export const MAX_INDEXED_CHUNKS = 2 ** 19;

const HASH_BYTES = 32;
const FIRST_CAPACITY = 1024;

/** From the BLAKE3-256 of a chunk (u8[32], borrowed) to its number (u32); gives the first number remembered for a hash. */
export class ChunkIndex {
  readonly #maxChunks: number;
  /** Hashes in the order they came. u8[capacity, 32] */
  #hashes = new Uint8Array(FIRST_CAPACITY * HASH_BYTES);
  /** Number of each chunk. u32[capacity] */
  #ids = new Uint32Array(FIRST_CAPACITY);
  /** Open addressing: 1 + row, or 0 when empty. At most half full. u32[2 * capacity] */
  #slots = new Uint32Array(2 * FIRST_CAPACITY);
  #size = 0;

  constructor(maxChunks: number = MAX_INDEXED_CHUNKS) {
    this.#maxChunks = maxChunks;
  }

  /** Chunks remembered. */
  get size(): number {
    return this.#size;
  }

  /** The number that was remembered for this hash, or undefined. */
  get(hash: Uint8Array): number | undefined {
    const row = this.#slots[this.#find(hash)] ?? 0;
    return row === 0 ? undefined : this.#ids[row - 1];
  }

  /**
   * The number that was remembered for this hash; if there is none, remembers `id` (a u32) for it and gives undefined.
   * When the index is full nothing more is remembered.
   *
   * @param hash borrowed, u8[32]
   */
  remember(hash: Uint8Array, id: number): number | undefined {
    assert(hash.length === HASH_BYTES, "a hash has 32 bytes");
    const known = this.get(hash);
    if (known !== undefined || this.#size >= this.#maxChunks) return known;
    if (this.#size === this.#ids.length) this.#grow();
    const slot = this.#find(hash);
    this.#hashes.set(hash, this.#size * HASH_BYTES);
    this.#ids[this.#size] = id;
    this.#size += 1;
    this.#slots[slot] = this.#size;
    return undefined;
  }

  /** The slot that holds the hash, or the empty one where it belongs. */
  #find(hash: Uint8Array): number {
    const mask = this.#slots.length - 1;
    let slot = firstSlot(hash, 0) & mask;
    for (let row = this.#slots[slot] ?? 0; row !== 0; row = this.#slots[slot] ?? 0) {
      if (this.#equals(row - 1, hash)) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #equals(row: number, hash: Uint8Array): boolean {
    const at = row * HASH_BYTES;
    for (let i = 0; i < HASH_BYTES; i++) if (this.#hashes[at + i] !== hash[i]) return false;
    return true;
  }

  #grow(): void {
    const capacity = this.#ids.length * 2;
    const hashes = new Uint8Array(capacity * HASH_BYTES);
    hashes.set(this.#hashes);
    const ids = new Uint32Array(capacity);
    ids.set(this.#ids);
    this.#hashes = hashes;
    this.#ids = ids;
    this.#slots = new Uint32Array(2 * capacity);
    const mask = this.#slots.length - 1;
    for (let row = 0; row < this.#size; row++) {
      let slot = firstSlot(hashes, row * HASH_BYTES) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = row + 1;
    }
  }
}

/** Hash bytes are uniform already: the first four are the place in the table. */
function firstSlot(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
}
