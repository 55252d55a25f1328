/**
 * Loads the CPU engine: the WASM modules are files beside the kernels.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { Failure } from "../core/failure.ts";
import type { Engine } from "../core/ports/engine.ts";
import { createCpuEngine } from "../kernels/cpu-engine.ts";
import { instantiateKernels } from "../kernels/loader.ts";
import { instantiateZstd } from "../kernels/zstd.ts";

const DIST = new URL("../kernels/dist/", import.meta.url);

/** @throws Failure `engine/failed` when the modules cannot be loaded */
export async function loadCpuEngine(): Promise<Engine> {
  try {
    const [kernels, zstd] = await Promise.all([
      readFile(new URL("kernels.wasm", DIST)).then(instantiateKernels),
      readFile(new URL("zstd.wasm", DIST)).then(instantiateZstd),
    ]);
    return createCpuEngine(kernels, async () => zstd);
  } catch (cause) {
    throw new Failure("engine/failed", { what: "load" }, { cause });
  }
}
