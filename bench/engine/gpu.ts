/**
 * The device of the bench: Dawn in Node, on the driver that the environment names or else on SwiftShader.
 *
 * @module
 */
import { GIB } from "../../core/units.ts";
import { GpuBuffers } from "../../platform/gpu/buffers.ts";
import { adapterName } from "../../platform/gpu/choose-engine.ts";
import { type GpuDevice, openGpu } from "../../platform/gpu/device.ts";
import { compileEngineKernels } from "../../platform/gpu/engine-kernels.ts";
import { Slot } from "../../platform/gpu/slot.ts";
import { testGpu } from "../../tests/support/gpu.ts";

/** More than anything here needs: what is resident stays until the end. */
const MAX_BUFFERS_BYTES = 8 * GIB;

/** An open device with the engine's shaders, and a slot for what the bench keeps there. */
export interface BenchGpu {
  readonly gpu: GpuDevice;
  readonly slot: Slot;
  readonly name: string;
  readonly isSoftware: boolean;
}

/** Opens the fastest adapter, or says why there is none. */
export async function openBenchGpu(): Promise<BenchGpu | string> {
  try {
    const gpu = await openGpu(await testGpu());
    if (gpu === undefined) return "the driver has no adapter";
    const kernels = await compileEngineKernels(gpu);
    const slot = new Slot(gpu.device, new GpuBuffers(gpu.device, MAX_BUFFERS_BYTES), kernels, "bench");
    return { gpu, slot, name: adapterName(gpu.info), isSoftware: gpu.info.isFallback };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
