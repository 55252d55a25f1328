/**
 * A payload in the pieces in which it was opened. Joining them would copy 4 MiB into fresh memory only to copy runs out
 * of it again.
 *
 * @module
 */

/** Bytes `[offset, offset + length)` of pieces that follow each other; all but the last are equally long. */
export class Payload {
  readonly length: number;
  readonly #pieces: readonly Uint8Array<ArrayBuffer>[];
  readonly #offset: number;

  /** @param pieces kept, not copied */
  constructor(pieces: readonly Uint8Array<ArrayBuffer>[], offset: number, length: number) {
    this.#pieces = pieces;
    this.#offset = offset;
    this.length = length;
  }

  /** Copies bytes `[from, to)` of the payload to `out` from `at` on. @throws RangeError outside of the payload */
  copyTo(out: Uint8Array, at: number, from: number, to: number): void {
    if (from < 0 || to > this.length) throw new RangeError("payload range");
    let next = at;
    for (const part of this.#parts(from, to)) {
      out.set(part, next);
      next += part.length;
    }
  }

  /** The whole payload, given; a view where it lies in one piece. */
  bytes(): Uint8Array<ArrayBuffer> {
    const [only, ...more] = this.#parts(0, this.length);
    if (more.length === 0) return only ?? new Uint8Array(0);
    const out = new Uint8Array(this.length);
    this.copyTo(out, 0, 0, this.length);
    return out;
  }

  /** True when every byte from `from` on is zero. */
  isZeroFrom(from: number): boolean {
    for (const part of this.#parts(from, this.length))
      for (let i = 0; i < part.length; i++) if (part[i] !== 0) return false;
    return true;
  }

  *#parts(from: number, to: number): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
    const pieceBytes = this.#pieces[0]?.length ?? 1;
    for (let at = from + this.#offset; at < to + this.#offset; ) {
      const piece = this.#pieces[Math.floor(at / pieceBytes)] ?? new Uint8Array(0);
      const start = at % pieceBytes;
      const part = piece.subarray(start, start + to + this.#offset - at);
      if (part.length === 0) return;
      yield part;
      at += part.length;
    }
  }
}
