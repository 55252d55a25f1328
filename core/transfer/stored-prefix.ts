/**
 * How far a send is stored without gaps. Packs are acknowledged in any order, but only a prefix of the stream holds
 * whole files, so only a prefix counts as progress.
 *
 * @module
 */

/** Plaintext bytes and entries that lie wholly in the packs up to here. */
export interface Reached {
  readonly bytes: number;
  readonly entries: number;
}

interface Mark extends Reached {
  isStored: boolean;
}

/** The stored beginning of one send. */
export class StoredPrefix {
  #marks: Mark[] = [];
  #reached: Reached;

  /** @param reached what was stored before */
  constructor(reached: Reached = { bytes: 0, entries: 0 }) {
    this.#reached = reached;
  }

  get reached(): Reached {
    return this.#reached;
  }

  /** The next pack was sent. Gives what to call when it is stored. */
  sent(reached: Reached): () => void {
    const mark: Mark = { ...reached, isStored: false };
    this.#marks.push(mark);
    return () => {
      mark.isStored = true;
      const open = this.#marks.findIndex(({ isStored }) => !isStored);
      const passed = this.#marks.splice(0, open < 0 ? this.#marks.length : open);
      this.#reached = passed.at(-1) ?? this.#reached;
    };
  }
}
