/**
 * One object stream of a link, inwards: headers and bytes in whatever slices they come, one upload at a time.
 *
 * @module
 */
import { decodeHeader, OBJECT_HEADER_BYTES, type ObjectHeader } from "../../../core/wire/object.ts";
import type { Upload } from "../portal/upload.ts";

/** What the link does with objects. */
export interface IntakeHandler {
  /** A header came. @throws Failure to end the link */
  begin(header: ObjectHeader): Promise<Upload>;
  /** All bytes of it came. */
  end(upload: Upload): void;
}

export class ObjectIntake {
  readonly #handler: IntakeHandler;
  readonly #head = new Uint8Array(OBJECT_HEADER_BYTES);
  #headLength = 0;
  #upload: Upload | undefined;
  #isAborted = false;

  constructor(handler: IntakeHandler) {
    this.#handler = handler;
  }

  /** Takes the next bytes; call again only after it settled. @throws Failure like `decodeHeader` and the handler */
  push(bytes: Uint8Array): Promise<void> | undefined {
    const upload = this.#upload;
    // The common case by far needs no promise.
    if (upload !== undefined && bytes.length < upload.missing) return upload.push(bytes);
    return this.#pushSlowly(bytes);
  }

  async #pushSlowly(bytes: Uint8Array): Promise<void> {
    let at = 0;
    while (at < bytes.length && !this.#isAborted) {
      if (this.#upload === undefined) {
        const taken = bytes.subarray(at, at + OBJECT_HEADER_BYTES - this.#headLength);
        this.#head.set(taken, this.#headLength);
        this.#headLength += taken.length;
        at += taken.length;
        if (this.#headLength < OBJECT_HEADER_BYTES) return;
        this.#headLength = 0;
        const upload = await this.#handler.begin(decodeHeader(this.#head));
        if (this.#isAborted) return upload.abort();
        this.#upload = upload;
        continue;
      }
      const upload = this.#upload;
      const taken = bytes.subarray(at, at + upload.missing);
      at += taken.length;
      const room = upload.push(taken);
      if (upload.missing === 0) {
        this.#upload = undefined;
        this.#handler.end(upload);
      }
      await room;
    }
  }

  /** True between the first byte of an object and its last. */
  get isInside(): boolean {
    return this.#headLength > 0 || this.#upload !== undefined;
  }

  /** The stream is gone. */
  abort(): void {
    this.#isAborted = true;
    this.#upload?.abort();
    this.#upload = undefined;
  }
}
