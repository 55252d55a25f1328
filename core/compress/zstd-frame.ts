/**
 * Looks at the outside of a Zstandard frame before anything is decoded, so that a decoder is given only a single frame
 * that declares exactly the expected size: a bomb costs no memory.
 *
 * @module
 */
import { Failure } from "../failure.ts";

const MAGIC = 0xfd2fb528;
/** Bytes of the dictionary's number, and of the content size, by the flags that announce them. */
const DICTIONARY_BYTES = [0, 1, 2, 4] as const;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;
/** Plain bytes of one block at the most. */
const MAX_BLOCK_BYTES = 128 * 1024;
const CHECKSUM_BYTES = 4;

/** Block types. */
const RLE = 1;
const RESERVED = 3;

/**
 * @param frame borrowed
 * @throws Failure `chunk/mismatch` unless it is one whole frame, without a dictionary, that declares `plainBytes` bytes
 */
export function checkZstdFrame(frame: Uint8Array, plainBytes: number): void {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const little = (at: number, bytes: number): number => {
    if (at + bytes > frame.length) throw malformed("cut");
    let value = 0;
    for (let i = bytes - 1; i >= 0; i--) value = value * 256 + view.getUint8(at + i);
    return value;
  };
  if (little(0, 4) !== MAGIC) throw malformed("magic");
  const flags = little(4, 1);
  const isSingleSegment = (flags & 0x20) !== 0;
  if ((flags & 0x08) !== 0) throw malformed("reserved");
  if (DICTIONARY_BYTES[flags & 3] !== 0) throw malformed("dictionary");
  let at = isSingleSegment ? 5 : 6;
  const sizeFlag = flags >>> 6;
  const sizeBytes = sizeFlag === 0 && isSingleSegment ? 1 : (CONTENT_SIZE_BYTES[sizeFlag] ?? 0);
  if (sizeBytes === 0) throw malformed("size");
  if (little(at, sizeBytes) + (sizeBytes === 2 ? 256 : 0) !== plainBytes) throw malformed("size");
  at += sizeBytes;
  for (let last = false; !last; ) {
    const header = little(at, 3);
    const type = (header >>> 1) & 3;
    const size = header >>> 3;
    if (type === RESERVED || size > MAX_BLOCK_BYTES) throw malformed("block");
    last = (header & 1) !== 0;
    at += 3 + (type === RLE ? 1 : size);
  }
  if (at + ((flags & 0x04) !== 0 ? CHECKSUM_BYTES : 0) !== frame.length) throw malformed("end");
}

function malformed(what: string): Failure {
  return new Failure("chunk/mismatch", { codec: "zstd", what });
}
