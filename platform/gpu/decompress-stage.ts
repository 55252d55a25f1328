/**
 * An LZ4 frame decompressed on the device, all of its blocks at once. Blocks that are stored are copied here.
 *
 * @module
 */
import { LZ4_BLOCK_BYTES, readLz4Frame } from "../../core/compress/lz4-frame.ts";
import { Failure } from "../../core/failure.ts";
import type { Slot } from "./slot.ts";

const WORD_BYTES = 4;
const BLOCK_ENTRY_WORDS = 4;

/** The frame's plain bytes, fresh (see Engine.decompress). @throws Failure `chunk/mismatch` when the frame is malformed */
export async function decompressFrame(
  slot: Slot,
  frame: Uint8Array,
  plainBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const blocks = readLz4Frame(frame, plainBytes);
  const plain = new Uint8Array(plainBytes);
  const entries: number[] = [];
  for (const [i, { bytes, stored }] of blocks.entries()) {
    const at = i * LZ4_BLOCK_BYTES;
    if (stored) plain.set(bytes, at);
    else {
      const length = Math.min(LZ4_BLOCK_BYTES, plainBytes - at);
      entries.push(bytes.byteOffset - frame.byteOffset, bytes.length, at, length);
    }
  }
  const count = entries.length / BLOCK_ENTRY_WORDS;
  if (count === 0) return plain;
  const data = await slot.upload("packed", frame);
  const table = await slot.upload("packed blocks", Uint32Array.from(entries));
  const outBytes = Math.ceil(plainBytes / WORD_BYTES) * WORD_BYTES;
  const out = await slot.buffer("plain", outBytes);
  const status = await slot.buffer("status", count * WORD_BYTES);
  const params = await slot.params("decompress", [[count, 0, 0, 0]]);
  await slot.read(
    [{ buffer: status, offset: 0, bytes: count * WORD_BYTES }],
    (add) => add(slot.kernels.decompressLz4, [data, table, out, status, ...params], count),
    [
      { buffer: status, offset: 0, bytes: count * WORD_BYTES },
      { buffer: out, offset: 0, bytes: outBytes },
    ],
    ([states, expanded]) => {
      for (let i = 0; i < count; i++) {
        if (states?.[i * WORD_BYTES] !== 1) throw new Failure("chunk/mismatch", { codec: "lz4", what: "data" });
        const at = entries[i * BLOCK_ENTRY_WORDS + 2] ?? 0;
        const length = entries[i * BLOCK_ENTRY_WORDS + 3] ?? 0;
        if (expanded !== undefined) plain.set(expanded.subarray(at, at + length), at);
      }
    },
  );
  return plain;
}
