/**
 * One line of the manifest's file list.
 *
 * @module
 */

export interface Entry {
  readonly kind: "file" | "directory";
  /** `/`-separated, relative, accepted by manifest/path.ts. A directory entry stands for an empty folder. */
  readonly path: string;
  /** Bytes, 0 … 2^53−1; 0 for a directory. */
  readonly size: number;
  /** Milliseconds since 1970, integer, may be 0 (unknown). */
  readonly mtimeMs: number;
}
