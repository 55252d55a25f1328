/**
 * The measurement in a dedicated worker of a page, which is where the product runs its engine.
 *
 * @module
 */
import kernelsUrl from "../../../kernels/dist/kernels.wasm?url";
import { instantiateKernels } from "../../../kernels/loader.ts";
import { loadCpuEngine } from "../../../platform/cpu-engine.ts";
import { answerWith } from "../../transfer/pages/ask.ts";
import type { DataName } from "../data.ts";
import { type Extent, measure } from "../measure.ts";

answerWith<Extent>((extent, emit) => {
  return measure(
    {
      findGpu: async () => (navigator as { readonly gpu?: GPU }).gpu,
      loadEngine: loadCpuEngine,
      loadKernels: async () => instantiateKernels(await WebAssembly.compileStreaming(fetch(kernelsUrl))),
      loadData: async () => ({
        text: await fetched("text"),
        code: await fetched("code"),
        random: await fetched("random"),
      }),
      // The packages are compared in Node; the product's engine has one thread beside a GPU.
      peers: async () => [],
      threads: () => [],
      tell: (line) => emit("tell", line),
      began: () => emit("began", null),
      ended: () => emit("ended", null),
    },
    extent,
  );
});

async function fetched(name: DataName): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(`/data/${name}`);
  if (!response.ok) throw new Error(`no data: ${name}`);
  return new Uint8Array(await response.arrayBuffer());
}
