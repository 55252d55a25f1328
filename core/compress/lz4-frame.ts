/**
 * The LZ4 frame around independent blocks of 64 KiB: header, block sizes, end mark; no checksums (runs are verified by
 * their chunks' hashes) and no content size (the manifest has it). Exactly one form is written and read.
 *
 * @module
 */
import { Failure } from "../failure.ts";
import { KIB } from "../units.ts";

/** Plain bytes of every block but the last. */
export const LZ4_BLOCK_BYTES = 64 * KIB;

/** Magic; version 1 with independent blocks; blocks of at most 64 KiB; the header's own check byte. */
const HEADER = Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82);
const SIZE_BYTES = 4;
/** Bit of a block's size that says that its bytes are stored. */
const STORED = 0x8000_0000;

/** One block: its bytes, and whether they are stored as they are. */
export interface Lz4Block {
  readonly bytes: Uint8Array;
  readonly stored: boolean;
}

/** Gives a frame around the blocks (borrowed). */
export function writeLz4Frame(blocks: readonly Lz4Block[]): Uint8Array<ArrayBuffer> {
  const total = blocks.reduce((sum, { bytes }) => sum + SIZE_BYTES + bytes.length, HEADER.length + SIZE_BYTES);
  const frame = new Uint8Array(total);
  const view = new DataView(frame.buffer);
  frame.set(HEADER);
  let at = HEADER.length;
  for (const { bytes, stored } of blocks) {
    view.setUint32(at, stored ? bytes.length + STORED : bytes.length, true);
    frame.set(bytes, at + SIZE_BYTES);
    at += SIZE_BYTES + bytes.length;
  }
  return frame;
}

/**
 * The blocks of a frame that is to give `plainBytes` bytes, as views of it. A block's plain size follows from its
 * place: LZ4_BLOCK_BYTES, and what is left for the last one.
 *
 * @throws Failure `chunk/mismatch` for anything that `writeLz4Frame` cannot have written for that many bytes
 */
export function readLz4Frame(frame: Uint8Array, plainBytes: number): Lz4Block[] {
  if (HEADER.some((byte, i) => frame[i] !== byte)) throw malformed("header");
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const sizeAt = (at: number): number => {
    if (at + SIZE_BYTES > frame.length) throw malformed("size");
    return view.getUint32(at, true);
  };
  const blocks: Lz4Block[] = [];
  let at = HEADER.length;
  for (let plain = 0; plain < plainBytes; plain += LZ4_BLOCK_BYTES) {
    const blockBytes = Math.min(LZ4_BLOCK_BYTES, plainBytes - plain);
    const word = sizeAt(at);
    const stored = word >= STORED;
    const size = stored ? word - STORED : word;
    if (size === 0 || size > blockBytes || (stored && size !== blockBytes)) throw malformed("block");
    at += SIZE_BYTES;
    if (at + size > frame.length) throw malformed("block");
    blocks.push({ bytes: frame.subarray(at, at + size), stored });
    at += size;
  }
  if (sizeAt(at) !== 0 || at + SIZE_BYTES !== frame.length) throw malformed("end");
  return blocks;
}

function malformed(what: string): Failure {
  return new Failure("chunk/mismatch", { codec: "lz4", what });
}
