/**
 * What people would use instead: a resumable upload by tus, as its client does it when nothing is set.
 *
 * @module
 */
import { Upload } from "tus-js-client";
import type { AnswerOf, ArgumentsOf } from "../commands.ts";
import { openFile } from "./files.ts";

export async function tusUpload({ name, endpoint }: ArgumentsOf<"tusUpload">): Promise<AnswerOf<"tusUpload">> {
  const file = await openFile(name);
  const startedMs = Date.now();
  const location = await new Promise<string>((resolve, reject) => {
    const upload: Upload = new Upload(file, {
      endpoint,
      metadata: { filename: name },
      storeFingerprintForResuming: false,
      onError: reject,
      onSuccess: () => resolve(upload.url ?? ""),
    });
    upload.start();
  });
  return { startedMs, endedMs: Date.now(), location };
}
