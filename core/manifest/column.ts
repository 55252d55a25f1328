/**
 * Rows of a fixed number of bytes in one growing buffer.
 *
 * @module
 */

export class Column {
  readonly #rowBytes: number;
  #data = new Uint8Array(0);
  #used = 0;

  constructor(rowBytes: number) {
    this.#rowBytes = rowBytes;
  }

  /** Rows held. */
  get length(): number {
    return this.#used / this.#rowBytes;
  }

  /** Appends whole rows; borrowed. */
  append(rows: Uint8Array): void {
    const need = this.#used + rows.length;
    if (need > this.#data.length) {
      const grown = new Uint8Array(Math.max(need, this.#data.length * 2, 64 * this.#rowBytes));
      grown.set(this.#data.subarray(0, this.#used));
      this.#data = grown;
    }
    this.#data.set(rows, this.#used);
    this.#used = need;
  }

  /** A view of rows `[first, first + count)`; valid until the next append. @throws RangeError outside */
  rows(first: number, count: number): Uint8Array<ArrayBuffer> {
    if (first < 0 || (first + count) * this.#rowBytes > this.#used) throw new RangeError("column index");
    return this.#data.subarray(first * this.#rowBytes, (first + count) * this.#rowBytes);
  }
}
