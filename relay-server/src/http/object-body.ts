/**
 * Request bodies that are sealed objects: counted, never trusted, with limits on silence and on slowness.
 *
 * @module
 */
import { Failure } from "../../../core/failure.ts";
import type { Upload } from "../portal/upload.ts";

/** A client may be silent this long in the middle of a body. */
const BODY_SILENCE_MS = 15_000;
/** After that time it must have sent this much in each second on average: drops do not keep a request open. */
const LEAST_BYTES_PER_SECOND = 1024;

/** One request's body, read once, to an upload or to nowhere. */
export class ObjectBody {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  readonly #started = performance.now();
  #received = 0;
  #isEnded = false;

  constructor(body: ReadableStream<Uint8Array> | null) {
    this.#reader = body?.getReader();
  }

  /** Feeds an upload. @throws Failure `object/size` when the body is shorter or longer than declared, or does not come */
  async receive(upload: Upload, onBytes: (bytes: number) => void): Promise<void> {
    for (;;) {
      const bytes = await this.#read();
      if (bytes === undefined) break;
      onBytes(bytes.length);
      if (bytes.length > upload.missing) throw new Failure("object/size", { what: "too long" });
      await upload.push(bytes);
    }
    if (upload.missing > 0) throw new Failure("object/size", { what: "too short" });
  }

  /** Reads what is left, at most `maxBytes`, and forgets it. Gives false when the client did not send it all in time. */
  async drain(maxBytes: number): Promise<boolean> {
    try {
      while (!this.#isEnded && this.#received <= maxBytes) if ((await this.#read()) === undefined) return true;
    } catch {
      // The client is gone, or may as well be.
    }
    return this.#isEnded;
  }

  async #read(): Promise<Uint8Array | undefined> {
    const bytes = await this.#readInTime();
    if (bytes === undefined) this.#isEnded = true;
    this.#received += bytes?.length ?? 0;
    return bytes;
  }

  async #readInTime(): Promise<Uint8Array | undefined> {
    if (this.#reader === undefined) return undefined;
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Failure("object/size", { what: "silence" })), this.#patienceMs());
    try {
      // A read fails when the client goes away, which is no fault of ours.
      const read = this.#reader.read().catch((cause: unknown) => {
        throw new Failure("cancelled", {}, { cause });
      });
      return (await Promise.race([read, late.promise])).value;
    } finally {
      clearTimeout(timer);
    }
  }

  /** How long the next bytes may take: silence that is allowed, or until the average falls too low. */
  #patienceMs(): number {
    const paidMs = Math.max(BODY_SILENCE_MS, (this.#received / LEAST_BYTES_PER_SECOND) * 1000);
    return Math.max(0, Math.min(BODY_SILENCE_MS, this.#started + paidMs - performance.now()));
  }
}
