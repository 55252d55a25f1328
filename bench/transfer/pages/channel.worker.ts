/**
 * Writes what a data channel brought into a private file.
 *
 * @module
 */
import { FileOutput } from "./files.ts";

let output: Promise<FileOutput> | undefined;
let expected = 0;

self.onmessage = async ({ data }: MessageEvent<{ name: string; bytes: number } | ArrayBuffer>) => {
  if (!(data instanceof ArrayBuffer)) {
    expected = data.bytes;
    output = FileOutput.open(data.name);
    return;
  }
  const file = await output;
  file?.write(new Uint8Array(data));
  if (file?.bytes !== expected) return;
  file.close();
  self.postMessage({ value: Date.now() });
};
