/**
 * Packs that are asked for at one peer. Each want has a number of its own, so that slices of one that was taken back are never
 * taken for another one's. What was not asked for ends the link: it would cost memory and the line.
 *
 * @module
 */
import { Failure } from "../failure.ts";
import { SEALED_PACK_BYTES } from "../units.ts";
import { malformed } from "../wire/check.ts";
import { OBJECT_HEADER_BYTES, ObjectReader, type SealedObject } from "../wire/object.ts";
import type { PeerFrame } from "../wire/peer-frame.ts";
import { type Deferred, deferred } from "./deferred.ts";

/** Wants that were taken back and whose end the peer did not tell yet. */
const MAX_TAKEN_BACK = 64;

interface Wanted {
  readonly pack: number;
  readonly object: Deferred<SealedObject>;
  readonly reader: ObjectReader;
  bytes: number;
}

/** The wants of one connection. */
export class PeerWants {
  readonly #send: (frame: PeerFrame) => void;
  readonly #wanted = new Map<number, Wanted>();
  /** Bytes that may still come of wants that were taken back. */
  readonly #takenBack = new Map<number, number>();
  /** Memory of one pack that was used up. */
  #spare: Uint8Array<ArrayBuffer> | undefined;
  #lastId = 0;
  #ended: Failure | undefined;

  constructor(send: (frame: PeerFrame) => void) {
    this.#send = send;
  }

  /** Packs under way. */
  get size(): number {
    return this.#wanted.size;
  }

  /** @throws Failure `cancelled` | `object/absent` | the reason of `end` */
  async get(pack: number, signal: AbortSignal, onBytes: (bytes: number) => void): Promise<SealedObject> {
    if (this.#ended !== undefined) throw this.#ended;
    if (signal.aborted) throw new Failure("cancelled");
    this.#lastId += 1;
    const id = this.#lastId;
    const wanted = this.#begin(id, pack, onBytes);
    this.#send({ t: "want", id, pack });
    const onAbort = () => this.#takeBack(id, wanted);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await wanted.object.promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Bytes of an object came. @param slice borrowed. @throws Failure when they are not what was asked for */
  slice(id: number, slice: Uint8Array): void {
    const wanted = this.#wanted.get(id);
    if (wanted === undefined) {
      const left = (this.#takenBack.get(id) ?? 0) - slice.length;
      if (left < 0) malformed("slice");
      if (left > 0) this.#takenBack.set(id, left);
      else this.#takenBack.delete(id);
      return;
    }
    wanted.bytes += slice.length;
    wanted.reader.push(slice);
    if (!this.#wanted.has(id) && !wanted.reader.idle) malformed("slice");
  }

  /** The peer gives nothing, or nothing more. @returns the pack that it does not have; undefined when that is not news */
  absent(id: number): number | undefined {
    const wanted = this.#wanted.get(id);
    if (wanted === undefined) {
      if (!this.#takenBack.delete(id)) malformed("absent");
      return undefined;
    }
    this.#wanted.delete(id);
    wanted.object.reject(new Failure("object/absent", { pack: wanted.pack }));
    return wanted.pack;
  }

  /** The bytes of an object from `get` may be written over. */
  recycle({ bytes }: SealedObject): void {
    if (bytes.buffer.byteLength === SEALED_PACK_BYTES && this.#ended === undefined)
      this.#spare = new Uint8Array(bytes.buffer);
  }

  /** Nothing comes any more. */
  end(reason: Failure): void {
    this.#ended ??= reason;
    for (const { object } of this.#wanted.values()) object.reject(reason);
    this.#wanted.clear();
    this.#takenBack.clear();
    this.#spare = undefined;
  }

  #begin(id: number, pack: number, onBytes: (bytes: number) => void): Wanted {
    const reader = new ObjectReader({
      begin: (header) => {
        if (header.kind !== "pack" || header.index !== pack) malformed("pack");
        const memory = this.#spare ?? new Uint8Array(SEALED_PACK_BYTES);
        this.#spare = undefined;
        return memory;
      },
      slice: ({ length }) => onBytes(length),
      end: (object) => {
        this.#wanted.delete(id);
        wanted.object.resolve(object);
      },
    });
    const wanted: Wanted = { pack, object: deferred<SealedObject>(), reader, bytes: 0 };
    this.#wanted.set(id, wanted);
    return wanted;
  }

  #takeBack(id: number, { object, bytes }: Wanted): void {
    if (!this.#wanted.delete(id)) return;
    object.reject(new Failure("cancelled"));
    // Until the peer knows, slices come; it says when none does any more, or sends the whole.
    this.#takenBack.set(id, OBJECT_HEADER_BYTES + SEALED_PACK_BYTES - bytes);
    this.#send({ t: "unwant", id });
    if (this.#takenBack.size > MAX_TAKEN_BACK) {
      const [oldest = id] = this.#takenBack.keys();
      this.#takenBack.delete(oldest);
    }
  }
}
