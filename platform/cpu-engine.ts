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
import { instantiateZstd, type Zstd } from "../kernels/zstd.ts";

/** An engine of this thread's own. @throws Failure `engine/failed` when the modules cannot be loaded */
export async function loadCpuEngine(): Promise<Engine> {
  try {
    return createCpuEngine(await instantiateKernels(await compile(kernelsUrl)), loadZstd);
  } catch (cause) {
    throw new Failure("engine/failed", { what: "load" }, { cause });
  }
}

async function loadZstd(): Promise<Zstd> {
  try {
    return await instantiateZstd(await compile(zstdUrl));
  } catch (cause) {
    throw new Failure("engine/failed", { codec: "zstd", what: "load" }, { cause });
  }
}

function compile(url: string): Promise<WebAssembly.Module> {
  return WebAssembly.compileStreaming(fetch(url));
}
