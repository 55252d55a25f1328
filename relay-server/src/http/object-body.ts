/**
 * Request bodies that are sealed objects: counted, never trusted, with a limit on silence.
 *
 * @module
 */
import { Failure } from "../../../core/failure.ts";
import type { Upload } from "../portal/upload.ts";

/** A client may be silent this long in the middle of a body. */
const BODY_SILENCE_MS = 15_000;

/** Feeds a body to an upload. @throws Failure `object/size` when it is shorter or longer than declared */
export async function receiveBody(
  body: ReadableStream<Uint8Array> | null,
  upload: Upload,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const reader = body?.getReader();
  try {
    for (;;) {
      const bytes = await readInTime(reader);
      if (bytes === undefined) break;
      onBytes(bytes.length);
      if (bytes.length > upload.missing) throw new Failure("object/size", { what: "too long" });
      await upload.push(bytes);
    }
    if (upload.missing > 0) throw new Failure("object/size", { what: "too short" });
  } finally {
    reader?.releaseLock();
  }
}

/** Reads what is left of a body, at most `maxBytes`, and forgets it. */
export async function drainBody(body: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<void> {
  if (body === null || body.locked) return;
  const reader = body.getReader();
  try {
    for (let left = maxBytes; left > 0; ) {
      const bytes = await readInTime(reader);
      if (bytes === undefined) return;
      left -= bytes.length;
    }
  } catch {
    // The client is gone, and so is everybody who would read the answer.
  }
}

async function readInTime(
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
): Promise<Uint8Array | undefined> {
  if (reader === undefined) return undefined;
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Failure("object/size", { what: "silence" })), BODY_SILENCE_MS);
  try {
    // A read fails when the client goes away, which is no fault of ours.
    const read = reader.read().catch((cause: unknown) => {
      throw new Failure("cancelled", {}, { cause });
    });
    return (await Promise.race([read, late.promise])).value;
  } finally {
    clearTimeout(timer);
  }
}
