/**
 * What a download is poured into: one named stream of bytes that either ends well or visibly fails.
 *
 * @module
 */

export interface StreamHead {
  /** Name of the file that the user gets. */
  readonly filename: string;
  /** Its exact length in bytes, or null when it is not known before the end. */
  readonly length: number | null;
}

export interface StreamTarget {
  /** Once, first. @throws Failure */
  begin(head: StreamHead): Promise<void>;
  /** borrows small buffers until it resolves, takes those of TAKEN_BYTES and more. @throws Failure */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Everything was written and verified. Resolves when it was taken. @throws Failure */
  end(): Promise<void>;
  /** Nothing of it may look complete. Never throws. */
  fail(): Promise<void>;
}

/**
 * From this size on a target may transfer a buffer. Below it copies: cheap, fewer messages, and the zip writer looks at
 * its own headers again after it gave them out.
 */
export const TAKEN_BYTES = 64 * 1024;
