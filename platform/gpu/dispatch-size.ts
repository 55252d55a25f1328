/**
 * How much work one dispatch gets: a device that is busy for long with one command freezes the screen, and systems reset
 * it in the end.
 *
 * @module
 */

/** LZ4 blocks of the first dispatch: 16 MiB. All are multiples of 64, so that every table's part may be bound by itself. */
const FIRST_BLOCKS = 256;
const MIN_BLOCKS = 64;
const MAX_BLOCKS = 1024;
/** Dispatches that take longer are halved; when several in a row take less, they are doubled. */
const LONG_MS = 50;
const SHORT_MS = 15;
const SHORT_IN_A_ROW = 4;

/** The number of blocks that one dispatch may have, learnt from how long dispatches take. */
export class DispatchSize {
  #blocks = FIRST_BLOCKS;
  #short = 0;

  /** Most blocks of the next dispatch, a multiple of 64. */
  get blocks(): number {
    return this.#blocks;
  }

  /** Learns from a dispatch of `blocks` blocks; a short one that was not full says nothing. */
  note(blocks: number, milliseconds: number): void {
    if (milliseconds > LONG_MS) {
      this.#blocks = Math.max(MIN_BLOCKS, this.#blocks / 2);
      this.#short = 0;
    } else if (milliseconds >= SHORT_MS) {
      this.#short = 0;
    } else if (blocks >= this.#blocks && ++this.#short >= SHORT_IN_A_ROW) {
      this.#blocks = Math.min(MAX_BLOCKS, this.#blocks * 2);
      this.#short = 0;
    }
  }
}
