/**
 * The device of the bench.
 *
 * @module
 */
import { GIB } from "../../core/units.ts";
import { GpuBuffers } from "../../platform/gpu/buffers.ts";
import { adapterName } from "../../platform/gpu/choose-engine.ts";
import { type GpuDevice, openGpu } from "../../platform/gpu/device.ts";
import { compileEngineKernels } from "../../platform/gpu/engine-kernels.ts";
import { Slot } from "../../platform/gpu/slot.ts";

/** More than anything here needs: what is resident stays until the end. */
const MAX_BUFFERS_BYTES = 8 * GIB;

/** An open device with the engine's shaders, and a slot for what the bench keeps there. */
export interface BenchGpu {
  readonly gpu: GpuDevice;
  readonly slot: Slot;
  readonly name: string;
  readonly isSoftware: boolean;
}

/** Opens the fastest adapter of what `findGpu` finds, or says why there is none. */
export async function openBenchGpu(findGpu: () => Promise<GPU | undefined>): Promise<BenchGpu | string> {
  try {
    const found = await findGpu();
    if (found === undefined) return "there is no WebGPU";
    const gpu = await openGpu(found);
    if (gpu === undefined) return "the driver has no adapter";
    const kernels = await compileEngineKernels(gpu);
    const slot = new Slot(gpu.device, new GpuBuffers(gpu.device, MAX_BUFFERS_BYTES), kernels, "bench");
    return { gpu, slot, name: adapterName(gpu.info), isSoftware: gpu.info.isFallback };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
