/**
 * The part of lz4js that tests and benchmarks use; the package has no types of its own.
 *
 * @module
 */
declare module "lz4js" {
  /** Decodes an LZ4 frame. */
  export function decompress(frame: Uint8Array): Uint8Array;
}
