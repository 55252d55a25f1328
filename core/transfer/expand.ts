/**
 * Turns the stored bytes of a run into verified plaintext.
 *
 * @module
 */
import { Failure } from "../failure.ts";
import type { Codec, Engine } from "../ports/engine.ts";
import { equalBytes } from "../wire/codec.ts";

/**
 * @param stored takes; given back as the plaintext when the codec is `none`
 * @param ends   ends of the chunks in the plaintext, u32[chunks]
 * @param hashes BLAKE3-256 of each, u8[chunks, 32]
 * @throws Failure `chunk/mismatch`
 */
export async function expandRun(
  engine: Engine,
  stored: Uint8Array<ArrayBuffer>,
  codec: Codec,
  ends: Uint32Array<ArrayBuffer>,
  hashes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const plainBytes = ends.at(-1) ?? 0;
  const plain = codec === "none" ? stored : await engine.decompress(stored, codec, plainBytes);
  if (plain.length !== plainBytes) throw new Failure("chunk/mismatch", { what: "length" });
  if (!equalBytes(await engine.hash(plain, ends), hashes)) throw new Failure("chunk/mismatch", { what: "hash" });
  return plain;
}
