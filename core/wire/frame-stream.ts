/**
 * Control frames on a byte stream: u32 little-endian length, then the frame.
 *
 * @module
 */
import { Failure } from "../failure.ts";
import { MAX_FRAME_BYTES } from "../units.ts";

/** Gives the frame with its length in front, for one write on a control stream. */
export function delimit(frame: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(4 + frame.length);
  new DataView(out.buffer).setUint32(0, frame.length, true);
  out.set(frame, 4);
  return out;
}

/** Cuts a byte stream into frames. Holds at most one frame. */
export class FrameReader {
  readonly #onFrame: (frame: Uint8Array<ArrayBuffer>) => void;
  readonly #head = new Uint8Array(4);
  #headLength = 0;
  #body: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;

  /** @param onFrame is given a fresh array for each frame */
  constructor(onFrame: (frame: Uint8Array<ArrayBuffer>) => void) {
    this.#onFrame = onFrame;
  }

  /** Takes the next bytes (borrowed). @throws Failure `wire/too-large` | `wire/malformed` before allocating */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#body === undefined) {
        const take = Math.min(4 - this.#headLength, bytes.length - at);
        this.#head.set(bytes.subarray(at, at + take), this.#headLength);
        this.#headLength += take;
        at += take;
        if (this.#headLength < 4) return;
        const length = new DataView(this.#head.buffer).getUint32(0, true);
        if (length > MAX_FRAME_BYTES) throw new Failure("wire/too-large", { bytes: length });
        if (length === 0) throw new Failure("wire/malformed", { what: "empty frame" });
        this.#body = new Uint8Array(length);
        this.#filled = 0;
        continue;
      }
      const take = Math.min(this.#body.length - this.#filled, bytes.length - at);
      this.#body.set(bytes.subarray(at, at + take), this.#filled);
      this.#filled += take;
      at += take;
      if (this.#filled < this.#body.length) return;
      const frame = this.#body;
      this.#body = undefined;
      this.#headLength = 0;
      this.#onFrame(frame);
    }
  }
}
