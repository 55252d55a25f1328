/**
 * Bytes to try engines with: the same for the same seed on every machine, part of them random and part of them text.
 *
 * @module
 */
import { KIB, MIB } from "../../core/units.ts";

/** Random and text follow each other in stretches of this size. */
const STRETCH_BYTES = 48 * KIB;
/** What is behind this many bytes repeats them, further away than any codec looks. */
const FRESH_BYTES = 1 * MIB;
/** Different lines of text. */
const LINES_BYTES = 2 * STRETCH_BYTES;
const WORDS =
  "the edge of a chunk is found where the sum of its last bytes ends in zeros and every lane looks at once".split(" ");

/** `length` bytes, fresh: one third random, the rest lines of words and numbers. */
export function mixture(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const draw = randomWords(seed);
  const freshBytes = Math.min(length, FRESH_BYTES);
  const words = new Uint32Array(Math.ceil(length / Uint32Array.BYTES_PER_ELEMENT));
  for (let i = 0; 4 * i < freshBytes; i++) words[i] = draw();
  let text = "";
  while (text.length < LINES_BYTES) {
    text += `${draw() % 100_000} ${WORDS[draw() % WORDS.length]} ${WORDS[draw() % WORDS.length]}\n`;
  }
  const lines = new TextEncoder().encode(text);
  const bytes = new Uint8Array(words.buffer, 0, length);
  for (let at = STRETCH_BYTES; at < freshBytes; at += 3 * STRETCH_BYTES) {
    bytes.set(lines.subarray(0, Math.min(LINES_BYTES, freshBytes - at)), at);
  }
  for (let at = freshBytes; at < length; at += freshBytes) bytes.copyWithin(at, 0, Math.min(freshBytes, length - at));
  return bytes;
}

/** Xorshift. */
function randomWords(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
