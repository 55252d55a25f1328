/**
 * The CPU engine in Node: the built kernels read from their files.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import type { Codec, CutResult, CutSizes, Engine } from "../../core/ports/engine.ts";
import { createCpuEngine } from "../../kernels/cpu-engine.ts";
import { instantiateKernels, type Kernels } from "../../kernels/loader.ts";
import { instantiateZstd, type Zstd } from "../../kernels/zstd.ts";

const DIST = new URL("../../kernels/dist/", import.meta.url);

/** Fresh kernels with a memory of their own. */
export async function loadKernels(): Promise<Kernels> {
  return instantiateKernels(await readFile(new URL("kernels.wasm", DIST)));
}

/** A fresh Zstandard with a memory of its own. */
export async function loadZstd(): Promise<Zstd> {
  return instantiateZstd(await readFile(new URL("zstd.wasm", DIST)));
}

/** A fresh CPU engine. */
export async function loadEngine(): Promise<Engine> {
  return createCpuEngine(await loadKernels(), loadZstd);
}

/** One piece alone in its batch; borrowed. */
export async function cutPiece(
  engine: Engine,
  piece: Uint8Array<ArrayBuffer>,
  sizes: CutSizes,
  final: boolean,
): Promise<CutResult> {
  const [result] = await engine.cut(piece, [{ start: 0, end: piece.length, final }], sizes);
  if (result === undefined) throw new Error("no result for the piece");
  return result;
}

/** One run alone; borrowed. */
export async function compressRun(
  engine: Engine,
  run: Uint8Array<ArrayBuffer>,
  codec: Exclude<Codec, "none">,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const [packed] = await engine.compress(run, [{ start: 0, end: run.length }], codec);
  return packed;
}
