/**
 * The hash of a sealed object, from slices in any cut.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { hashOfSegments } from "../../core/hash/object-hash.ts";
import { SEGMENT_BYTES } from "../../core/units.ts";

export class ObjectHasher {
  readonly #digests: Uint8Array[] = [];
  #segment = createHash("sha256");
  #segmentBytes = 0;

  /** Takes the next bytes, borrowed. */
  update(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const slice = bytes.subarray(at, at + SEGMENT_BYTES - this.#segmentBytes);
      this.#segment.update(slice);
      this.#segmentBytes += slice.length;
      at += slice.length;
      if (this.#segmentBytes === SEGMENT_BYTES) this.#endSegment();
    }
  }

  /** u8[32]; called once, after the last bytes. */
  digest(): Uint8Array {
    if (this.#segmentBytes > 0) this.#endSegment();
    return hashOfSegments(this.#digests);
  }

  #endSegment(): void {
    this.#digests.push(this.#segment.digest());
    this.#segment = createHash("sha256");
    this.#segmentBytes = 0;
  }
}
