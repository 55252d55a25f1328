/**
 * What a client writes down so that a transfer can resume: an append-only log of small records. What a record says is
 * the sender's or the receiver's business; the journal keeps them in order, durable and secret.
 *
 * @module
 */

/** The log of one transfer. One holder at a time. */
export interface Journal {
  /**
   * Appends a record; records become durable in the order of the calls, so that one that resolved vouches for all before it.
   * @param record borrowed until it resolves
   * @throws Failure `journal/damaged` when the browser stores nothing more
   */
  append(record: Uint8Array<ArrayBuffer>): Promise<void>;
  /** All records that are durable, oldest first, fresh memory each. @throws Failure `journal/damaged` */
  records(): AsyncIterable<Uint8Array<ArrayBuffer>>;
}
