/**
 * Loads the CPU engine in a browser thread: the WASM modules are assets of the app.
 *
 * @module
 */
import { Failure } from "../core/failure.ts";
import type { Engine } from "../core/ports/engine.ts";
import { createCpuEngine } from "../kernels/cpu-engine.ts";
import kernelsUrl from "../kernels/dist/kernels.wasm?url";
import zstdUrl from "../kernels/dist/zstd.wasm?url";
import { instantiateKernels } from "../kernels/loader.ts";
import { instantiateZstd } from "../kernels/zstd.ts";

/** An engine of this thread's own. @throws Failure `engine/failed` when the modules cannot be loaded */
export async function loadCpuEngine(): Promise<Engine> {
  try {
    const [kernels, zstd] = await Promise.all([
      WebAssembly.compileStreaming(fetch(kernelsUrl)).then(instantiateKernels),
      WebAssembly.compileStreaming(fetch(zstdUrl)).then(instantiateZstd),
    ]);
    return createCpuEngine(kernels, zstd);
  } catch (cause) {
    throw new Failure("engine/failed", { what: "load" }, { cause });
  }
}
