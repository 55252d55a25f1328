/**
 * Makes runs again from their files: the lane's half of repairing a send.
 *
 * @module
 */
import { concat } from "../bytes.ts";
import { Failure } from "../failure.ts";
import type { Engine } from "../ports/engine.ts";
import { equalBytes } from "../wire/codec.ts";
import type { RunSource, Spans } from "./batch.ts";

/** Gives a stretch of an entry. @throws Failure `file/absent` | `file/unreadable` | `file/changed` */
export type ReadSpan = (entry: number, offset: number, bytes: number) => Promise<Uint8Array>;

/**
 * One run as it lay in the packs, given; of another length when this engine is not the one that made it.
 * @throws Failure `file/changed` when the plaintext is not what was sent, and those of `read`
 */
export async function repeatRun(run: RunSource, engine: Engine, read: ReadSpan): Promise<Uint8Array<ArrayBuffer>> {
  const plain = concat(await Promise.all(spansOf(run.spans).map((span) => read(...span))));
  const ends = new Uint32Array(run.chunkBytes.length);
  for (const [i, bytes] of run.chunkBytes.entries()) ends[i] = (ends[i - 1] ?? 0) + bytes;
  const isWhole = plain.length === ends.at(-1);
  if (!isWhole || !equalBytes(await engine.hash(plain, ends), run.chunkHashes))
    throw new Failure("file/changed", { entry: run.spans[0] ?? 0 });
  if (run.codec === "none") return plain;
  const [stored] = await engine.compress(plain, [{ start: 0, end: plain.length }], run.codec);
  return stored ?? new Uint8Array(0);
}

function spansOf(flat: Spans): [entry: number, offset: number, bytes: number][] {
  return Array.from({ length: flat.length / 3 }, (_, i) => [
    flat[3 * i] ?? 0,
    flat[3 * i + 1] ?? 0,
    flat[3 * i + 2] ?? 0,
  ]);
}
