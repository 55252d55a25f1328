/**
 * The CPU engine in Node: the built kernels read from their files.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import type { Engine } from "../../core/ports/engine.ts";
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
