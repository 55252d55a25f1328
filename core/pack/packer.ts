/**
 * Cuts the stream of compressed runs into pack payloads of exactly PACK_PAYLOAD_BYTES, so that lengths on the wire do
 * not fingerprint the content. One full payload is held back until more bytes come, because only then it is known not
 * to be the final one.
 *
 * @module
 */
import { assert } from "../failure.ts";
import { createSealBuffer, type SealBuffer } from "../seal/seal.ts";
import { PACK_PAYLOAD_BYTES, SEALED_PACK_BYTES } from "../units.ts";

/** A payload ready to be sealed. The consumer gives the buffer back with `Packer.recycle`. */
export interface PlainPack {
  readonly index: number;
  readonly final: boolean;
  readonly buffer: SealBuffer;
  readonly payloadBytes: number;
  /** Position in the stream behind the last byte of this pack. */
  readonly endOffset: number;
}

/** One pack stream; its payload buffers are lent to the consumer and come back by `recycle`. */
export class Packer {
  #current: SealBuffer | undefined;
  #filled = 0;
  #index: number;
  #offset: number;
  readonly #spare: SealBuffer[] = [];

  /** @param first number of the first pack; those before it were sealed by an earlier packer */
  constructor(first = 0) {
    this.#index = first;
    this.#offset = first * PACK_PAYLOAD_BYTES;
  }

  /** Place in the stream; the next run starts here. */
  get offset(): number {
    return this.#offset;
  }

  /** Appends bytes (borrowed) and yields each pack that became full and is not the last. */
  *append(bytes: Uint8Array): Generator<PlainPack, void, undefined> {
    let at = 0;
    while (at < bytes.length) {
      if (this.#current !== undefined && this.#filled === PACK_PAYLOAD_BYTES) yield this.#take(false);
      this.#current ??= this.#spare.pop() ?? createSealBuffer(SEALED_PACK_BYTES);
      const take = Math.min(PACK_PAYLOAD_BYTES - this.#filled, bytes.length - at);
      this.#current.room.set(bytes.subarray(at, at + take), this.#filled);
      this.#filled += take;
      this.#offset += take;
      at += take;
    }
  }

  /** The last pack, or undefined when the stream is empty. Nothing may be appended afterwards. */
  finish(): PlainPack | undefined {
    return this.#current === undefined ? undefined : this.#take(true);
  }

  /** Takes a buffer back for reuse. */
  recycle(buffer: SealBuffer): void {
    this.#spare.push(buffer);
  }

  #take(final: boolean): PlainPack {
    assert(this.#current !== undefined, "a pack is open");
    const pack = {
      index: this.#index,
      final,
      buffer: this.#current,
      payloadBytes: this.#filled,
      endOffset: this.#offset,
    };
    this.#current = undefined;
    this.#filled = 0;
    this.#index += 1;
    return pack;
  }
}

/** Which packs hold the stream bytes `[start, start + length)`, and where in their payloads. */
export function packSpans(start: number, length: number): { pack: number; from: number; to: number }[] {
  const spans: { pack: number; from: number; to: number }[] = [];
  const end = start + length;
  for (let at = start; at < end; ) {
    const pack = Math.floor(at / PACK_PAYLOAD_BYTES);
    const from = at - pack * PACK_PAYLOAD_BYTES;
    const take = Math.min(PACK_PAYLOAD_BYTES - from, end - at);
    spans.push({ pack, from, to: from + take });
    at += take;
  }
  return spans;
}
