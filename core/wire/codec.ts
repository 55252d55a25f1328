/**
 * Canonical, bounded MessagePack: a value is accepted only when encoding it again gives the same bytes, which refuses
 * duplicate keys, non-minimal integers, trailing bytes and lossy 64-bit numbers. Used for frames and manifest pages.
 *
 * @module
 */
import { Decoder, encode as msgpackEncode } from "@msgpack/msgpack";
import { Failure, type FailureCode } from "../failure.ts";

/** Deepest nesting of any message; checked before decoding so that recursion is bounded. */
export const MAX_DEPTH = 8;
/** Entries of one array; the bytes that are there are the tighter limit. */
export const MAX_ITEMS = 1 << 20;
/** Fields of one map: more than any message has, and few enough that a map of a stranger costs nothing. */
export const MAX_FIELDS = 16;
/** Lists and maps of a message of any size; each one more takes as much as the smallest of which there are many: an entry. */
const FREE_CONTAINERS = 256;
const MIN_CONTAINER_BYTES = 5;

/** How large an input may be, and what its refusals are called. */
export interface DecodeLimits {
  readonly maxBytes: number;
  /** Failure for an input that is not canonical MessagePack. */
  readonly malformed: FailureCode;
  /** Failure for an input above `maxBytes`. */
  readonly tooLarge: FailureCode;
}

/** Encodes plain data: numbers, strings, booleans, null, Uint8Array, arrays and string-keyed maps. Gives fresh bytes. */
export function encodeCanonical(value: unknown): Uint8Array<ArrayBuffer> {
  // The library gives a view of a larger buffer.
  return msgpackEncode(value, { ignoreUndefined: true }).slice();
}

/**
 * Decodes one canonical value. `bytes` is borrowed; byte strings in the result are views of it.
 * @throws Failure with the codes in `limits`, nothing else
 */
export function decodeCanonical(bytes: Uint8Array, limits: DecodeLimits): unknown {
  if (bytes.length > limits.maxBytes) throw new Failure(limits.tooLarge, { bytes: bytes.length });
  try {
    assertShape(bytes);
    const decoder = new Decoder({
      maxStrLength: limits.maxBytes,
      maxBinLength: limits.maxBytes,
      maxArrayLength: MAX_ITEMS,
      maxMapLength: MAX_FIELDS,
      maxExtLength: 0,
    });
    const value = decoder.decode(bytes);
    if (!equalBytes(encodeCanonical(value), bytes)) throw new Error("not canonical");
    return value;
  } catch (cause) {
    throw cause instanceof Failure ? cause : new Failure(limits.malformed, {}, { cause });
  }
}

/** True when both hold the same bytes; not for secrets, it stops at the first difference. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/**
 * Walks the structure without building it: depth, declared lengths against what is really there, one value exactly.
 * The library's decoder would recurse and allocate by declared lengths, so this runs first.
 */
function assertShape(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const open: number[] = [1];
  let containers = 0;
  let at = 0;
  while (open.length > 0) {
    const left = open[open.length - 1] as number;
    if (left === 0) {
      open.pop();
      continue;
    }
    open[open.length - 1] = left - 1;
    const tag = view.getUint8(at);
    const children = childrenAt(view, at, tag);
    at += sizeAt(view, at, tag);
    if (at > bytes.length || children > bytes.length - at) throw new Error("truncated");
    if (children < 0) continue;
    containers += 1;
    if ((containers - FREE_CONTAINERS) * MIN_CONTAINER_BYTES > bytes.length) throw new Error("too many lists");
    if (children === 0) continue;
    if (open.length > MAX_DEPTH) throw new Error("too deep");
    open.push(children);
  }
  if (at !== bytes.length) throw new Error("trailing bytes");
}

/** How many values a container holds; -1 for what is none. */
function childrenAt(view: DataView, at: number, tag: number): number {
  if (tag < 0x80 || tag >= 0xe0) return -1;
  if (tag < 0x90) return (tag & 15) * 2;
  if (tag < 0xa0) return tag & 15;
  if (tag === 0xdc) return view.getUint16(at + 1);
  if (tag === 0xdd) return view.getUint32(at + 1);
  if (tag === 0xde) return view.getUint16(at + 1) * 2;
  if (tag === 0xdf) return view.getUint32(at + 1) * 2;
  return -1;
}

/** Total bytes of a scalar, or of the head of a container. */
function sizeAt(view: DataView, at: number, tag: number): number {
  if (tag < 0xa0 || tag >= 0xe0) return 1;
  if (tag < 0xc0) return 1 + (tag & 31);
  switch (tag) {
    case 0xc0:
    case 0xc2:
    case 0xc3:
      return 1;
    case 0xc4:
    case 0xd9:
      return 2 + view.getUint8(at + 1);
    case 0xc5:
    case 0xda:
      return 3 + view.getUint16(at + 1);
    case 0xc6:
    case 0xdb:
      return 5 + view.getUint32(at + 1);
    case 0xcc:
    case 0xd0:
      return 2;
    case 0xcd:
    case 0xd1:
    case 0xdc:
    case 0xde:
      return 3;
    case 0xce:
    case 0xd2:
    case 0xdd:
    case 0xdf:
      return 5;
    case 0xcf:
    case 0xd3:
    case 0xcb:
      return 9;
    default:
      throw new Error("type not allowed");
  }
}
