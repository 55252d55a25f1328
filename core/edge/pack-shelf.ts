/**
 * Sealed packs that were lately sent or received, in memory, for other browsers to fetch from here.
 *
 * @module
 */
import { RangeSet } from "../chunk/range-set.ts";
import { GIB, MIB, SEALED_PACK_BYTES } from "../units.ts";
import type { ObjectHeader, SealedObject } from "../wire/object.ts";

/** What a shelf holds at the most. */
export const SHELF_BYTES = 128 * MIB;
/** The same where the device has little memory. */
export const SMALL_SHELF_BYTES = 64 * MIB;
/** Memory up to which a device has little. */
const LITTLE_MEMORY_BYTES = 4 * GIB;

/** @param memoryBytes of the device, undefined where the browser does not tell */
export function shelfBytes(memoryBytes: number | undefined): number {
  return memoryBytes !== undefined && memoryBytes <= LITTLE_MEMORY_BYTES ? SMALL_SHELF_BYTES : SHELF_BYTES;
}

/** A pack that is being given to somebody. */
export interface LentPack {
  /** Its bytes do not change until `giveBack`. */
  readonly object: SealedObject;
  /** Called once. */
  giveBack(): void;
}

interface Kept {
  readonly header: ObjectHeader;
  /** SEALED_PACK_BYTES; the pack is its beginning. */
  readonly memory: Uint8Array<ArrayBuffer>;
  lent: number;
  wasLent: boolean;
}

/** The packs of one transfer. While it is shut it holds nothing and takes nothing. */
export class PackShelf {
  readonly #places: number;
  /** By index; the least recently used first. */
  #kept = new Map<number, Kept>();
  /** Packs that were taken off while they are lent. */
  #leaving = 0;
  #held = new RangeSet();
  #isOpen = false;
  #wanted: ReadonlySet<number> = new Set();
  readonly #listeners = new Set<() => void>();

  /** @param maxBytes of all packs together, those that are lent included */
  constructor(maxBytes: number = SHELF_BYTES) {
    this.#places = Math.floor(maxBytes / SEALED_PACK_BYTES);
  }

  /** The packs that can be taken: a value that is replaced, never changed. */
  get held(): RangeSet {
    return this.#held;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Somebody is there who may want packs. */
  open(): void {
    this.#isOpen = true;
  }

  /** Nobody is; lets go of all memory. */
  shut(): void {
    this.#isOpen = false;
    for (const kept of this.#kept.values()) if (kept.lent > 0) this.#leaving += 1;
    this.#kept = new Map();
    this.#changed();
  }

  /** Copies a pack, in place of the one that was least recently used, see `favour`. Nothing happens while shut, or while all are lent. */
  put({ header, bytes }: SealedObject): void {
    if (!this.#isOpen || header.kind !== "pack") return;
    const known = this.#kept.get(header.index);
    if (known !== undefined) {
      this.#use(known);
      return;
    }
    const memory = this.#room();
    if (memory === undefined) return;
    memory.set(bytes);
    this.#kept.set(header.index, { header: { ...header, hash: header.hash.slice() }, memory, lent: 0, wasLent: false });
    this.#changed();
  }

  /** Takes a pack that stays as it is until it is given back; undefined when it is not there. */
  lend(index: number): LentPack | undefined {
    const kept = this.#kept.get(index);
    if (kept === undefined) return undefined;
    this.#use(kept);
    kept.lent += 1;
    kept.wasLent = true;
    const { header, memory } = kept;
    const giveBack = () => {
      kept.lent -= 1;
      if (kept.lent === 0 && this.#kept.get(index) !== kept) this.#leaving -= 1;
    };
    return { object: { header, bytes: memory.subarray(0, header.length) }, giveBack };
  }

  /** Packs that will be wanted soon: others go first, when there is no place. The set is kept and read until the next call. */
  favour(wanted: ReadonlySet<number>): void {
    this.#wanted = wanted;
  }

  /** Somebody took a pack that still lies here. */
  wasLent(index: number): boolean {
    return this.#kept.get(index)?.wasLent === true;
  }

  /** Calls a listener after each change of `held`, until the function that it gives is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #use(kept: Kept): void {
    const { index } = kept.header;
    this.#kept.delete(index);
    this.#kept.set(index, kept);
  }

  #room(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#kept.size + this.#leaving < this.#places) return new Uint8Array(SEALED_PACK_BYTES);
    let victim: number | undefined;
    for (const [index, { lent }] of this.#kept) {
      if (lent > 0) continue;
      victim ??= index;
      if (this.#wanted.has(index)) continue;
      victim = index;
      break;
    }
    const memory = victim === undefined ? undefined : this.#kept.get(victim)?.memory;
    if (victim !== undefined) this.#kept.delete(victim);
    return memory;
  }

  #changed(): void {
    const held = new RangeSet();
    for (const index of this.#kept.keys()) held.add(index);
    this.#held = held;
    for (const listener of this.#listeners) listener();
  }
}
