/**
 * Byte strings: joining them, ASCII text as bytes, and giving memory back.
 *
 * @module
 */

/** ASCII text as bytes. */
export function ascii(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Gives one fresh array holding all parts in order. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/**
 * Takes the whole buffer behind `bytes` and gives its memory back at once; it is empty afterwards. A collector does so
 * only after many more, so that each next buffer comes from fresh pages, which costs as much as hashing its bytes.
 */
export function free(bytes: Uint8Array<ArrayBuffer>): void {
  bytes.buffer.transfer(0);
}
