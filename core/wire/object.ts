/**
 * Sealed objects (packs and manifest pages) on a byte stream: a fixed header, then exactly `length` bytes. Objects
 * follow each other on a few long-lived streams; nothing depends on the end of a stream.
 *
 * Header, 44 bytes, little-endian: u8 kind (1 pack, 2 page) · u8 flags (bit 0 final) · u16 zero · u32 index ·
 * u32 length · u8[32] hash of the sealed bytes.
 *
 * @module
 */
import { Failure } from "../failure.ts";
import { MAX_PACKS, MAX_PAGES, MAX_SEALED_PAGE_BYTES, SEAL_OVERHEAD_BYTES, SEALED_PACK_BYTES } from "../units.ts";

/** What a sealed object holds. */
export type ObjectKind = "pack" | "page";

/** What stands before an object's bytes. */
export interface ObjectHeader {
  readonly kind: ObjectKind;
  /** True for the last pack, and for the last page. */
  readonly final: boolean;
  readonly index: number;
  /** Sealed bytes that follow. */
  readonly length: number;
  /** Hash of the sealed bytes (hash/object-hash.ts), u8[32]. */
  readonly hash: Uint8Array<ArrayBuffer>;
}

/** A sealed object with its header; `bytes.length === header.length`. */
export interface SealedObject {
  readonly header: ObjectHeader;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Bytes of an encoded header. */
export const OBJECT_HEADER_BYTES = 44;
/** Smallest sealed object: overhead, prefix and nothing else. */
export const MIN_SEALED_BYTES = SEAL_OVERHEAD_BYTES + 4;

/** First byte that a client writes on a WebTransport stream, or of a WebSocket message: what the bytes after it are. */
export const STREAM_CONTROL = 1;
export const STREAM_OBJECTS = 2;

/**
 * Checks sizes and limits of a header: a pack is exactly SEALED_PACK_BYTES unless it is the final one.
 * @throws Failure `object/size` | `wire/too-large` | `wire/malformed`
 */
export function checkHeader(header: ObjectHeader): void {
  const max = header.kind === "pack" ? SEALED_PACK_BYTES : MAX_SEALED_PAGE_BYTES;
  if (header.length > max) throw new Failure("wire/too-large", { bytes: header.length });
  if (header.length < MIN_SEALED_BYTES) throw new Failure("object/size", { bytes: header.length });
  if (header.kind === "pack" && !header.final && header.length !== SEALED_PACK_BYTES)
    throw new Failure("object/size", { bytes: header.length });
  if (header.index >= (header.kind === "pack" ? MAX_PACKS : MAX_PAGES))
    throw new Failure("wire/malformed", { what: "index" });
}

/** Gives u8[44]. */
export function encodeHeader(header: ObjectHeader): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(OBJECT_HEADER_BYTES);
  const view = new DataView(out.buffer);
  out[0] = header.kind === "pack" ? 1 : 2;
  out[1] = header.final ? 1 : 0;
  view.setUint32(4, header.index, true);
  view.setUint32(8, header.length, true);
  out.set(header.hash, 12);
  return out;
}

/** Decodes and checks u8[44]; the hash is a copy. @throws like `checkHeader` */
export function decodeHeader(bytes: Uint8Array): ObjectHeader {
  if (bytes.length !== OBJECT_HEADER_BYTES) throw new Failure("wire/malformed", { what: "object header" });
  const view = new DataView(bytes.buffer, bytes.byteOffset, OBJECT_HEADER_BYTES);
  const kind = view.getUint8(0);
  const flags = view.getUint8(1);
  if (kind < 1 || kind > 2 || flags > 1 || view.getUint16(2, true) !== 0)
    throw new Failure("wire/malformed", { what: "object header" });
  const header: ObjectHeader = {
    kind: kind === 1 ? "pack" : "page",
    final: flags === 1,
    index: view.getUint32(4, true),
    length: view.getUint32(8, true),
    hash: bytes.slice(12, OBJECT_HEADER_BYTES) as Uint8Array<ArrayBuffer>,
  };
  checkHeader(header);
  return header;
}

/** What an ObjectReader does with what it finds. */
export interface ObjectHandler {
  /** A header arrived and is within limits. Returns where its bytes go (at least `header.length`), or throws to refuse. */
  begin(header: ObjectHeader): Uint8Array<ArrayBuffer>;
  /** Bytes of the current object were copied into its target; `slice` is a view of the target. For running hashes. */
  slice?(slice: Uint8Array): void;
  /** The object is complete; `bytes` is the target's first `header.length` bytes. */
  end(object: SealedObject): void;
}

/** Cuts a byte stream, in whatever slices it comes, into objects. Holds one header and one target at a time. */
export class ObjectReader {
  readonly #handler: ObjectHandler;
  readonly #head = new Uint8Array(OBJECT_HEADER_BYTES);
  #headLength = 0;
  #header: ObjectHeader | undefined;
  #target: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;

  constructor(handler: ObjectHandler) {
    this.#handler = handler;
  }

  /** True between objects. */
  get idle(): boolean {
    return this.#headLength === 0;
  }

  /** Takes the next bytes of the stream (borrowed). @throws Failure on a bad header, or what the handler throws */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#header === undefined || this.#target === undefined) {
        const take = Math.min(OBJECT_HEADER_BYTES - this.#headLength, bytes.length - at);
        this.#head.set(bytes.subarray(at, at + take), this.#headLength);
        this.#headLength += take;
        at += take;
        if (this.#headLength < OBJECT_HEADER_BYTES) return;
        const header = decodeHeader(this.#head);
        this.#target = this.#handler.begin(header);
        this.#header = header;
        this.#filled = 0;
        continue;
      }
      const take = Math.min(this.#header.length - this.#filled, bytes.length - at);
      this.#target.set(bytes.subarray(at, at + take), this.#filled);
      this.#handler.slice?.(this.#target.subarray(this.#filled, this.#filled + take));
      this.#filled += take;
      at += take;
      if (this.#filled < this.#header.length) return;
      const object = { header: this.#header, bytes: this.#target.subarray(0, this.#header.length) };
      this.#header = undefined;
      this.#target = undefined;
      this.#headLength = 0;
      this.#handler.end(object);
    }
  }
}
