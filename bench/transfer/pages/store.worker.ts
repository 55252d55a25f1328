/**
 * Moves bytes into the private file system and checks what lies there, off the page's thread.
 *
 * @module
 */
import { base64 } from "@scure/base";
import { createSHA256 } from "hash-wasm";
import { hashOfSegments } from "../../../core/hash/object-hash.ts";
import { SEALED_PACK_BYTES, SEGMENT_BYTES } from "../../../core/units.ts";
import { answerWith } from "./ask.ts";
import { FileOutput } from "./files.ts";

export type StoreRequest =
  | { readonly type: "fetch"; readonly url: string; readonly name: string }
  | { readonly type: "digest"; readonly file: File }
  | { readonly type: "objectHashes"; readonly file: File };

const SLICE_BYTES = SEALED_PACK_BYTES;

async function hashObject(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const digests: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += SEGMENT_BYTES)
    digests.push(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes.subarray(at, at + SEGMENT_BYTES))));
  return hashOfSegments(digests);
}

async function* slices(file: File): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < file.size; at += SLICE_BYTES)
    yield new Uint8Array(await file.slice(at, at + SLICE_BYTES).arrayBuffer());
}

answerWith<StoreRequest>(async (request) => {
  switch (request.type) {
    case "fetch": {
      const response = await fetch(request.url, { cache: "no-store" });
      if (!response.ok || response.body === null) throw new Error(`${request.url} answered ${response.status}`);
      const output = await FileOutput.open(request.name);
      for await (const bytes of response.body) output.write(bytes);
      output.close();
      return Date.now();
    }
    case "digest": {
      const hash = await createSHA256();
      for await (const bytes of slices(request.file)) hash.update(bytes);
      return { sha256: hash.digest("hex"), bytes: request.file.size };
    }
    case "objectHashes": {
      const hashes: string[] = [];
      for await (const bytes of slices(request.file)) hashes.push(base64.encode(await hashObject(bytes)));
      return hashes;
    }
    default:
      return request satisfies never;
  }
});
