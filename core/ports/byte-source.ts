/**
 * A tree of files to send. Implemented over File objects in the browser and over paths in the command line.
 *
 * @module
 */

/** One thing to send. `path` uses `/`, has no leading or trailing slash, and was accepted by manifest/path.ts. */
export interface SourceEntry {
  readonly kind: "file" | "directory";
  readonly path: string;
  /** Bytes; 0 for a directory. */
  readonly size: number;
  /** Milliseconds since 1970, an integer; 0 when unknown. */
  readonly mtimeMs: number;
}

/** An entry with bytes. */
export interface SourceFile extends SourceEntry {
  /**
   * Reads `[offset, offset + length)`; gives a fresh array of exactly `length` bytes.
   * @throws Failure `file/unreadable` when the file cannot be read, `file/changed` when its size or mtime moved
   */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}
