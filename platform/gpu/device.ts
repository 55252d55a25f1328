/**
 * Opens the GPU: one adapter, one device with exactly the limits and features that the engine uses, and what is known
 * about it. Works with `navigator.gpu` and with the object that the npm package `webgpu` creates.
 *
 * @module
 */
import { Failure } from "../../core/failure.ts";
import { KIB, MIB } from "../../core/units.ts";

/** What every WebGPU adapter has; nothing of ours is larger, and it is asked for so that a change of ours is noticed. */
const STORAGE_BINDING_BYTES = 128 * MIB;
const BUFFER_BYTES = 256 * MIB;
/** Workgroup memory: asked for up to here, which the larger LZ4 table needs. Every adapter has 16 KiB. */
const WORKGROUP_STORAGE_BYTES = 32 * KIB;

/** Used where the adapter has them. */
const WANTED_FEATURES: readonly GPUFeatureName[] = ["timestamp-query"];

/** What the adapter says of itself; empty where the browser does not tell. */
export interface GpuInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  /** True for an adapter that is the processor in disguise. */
  readonly isFallback: boolean;
}

/** An open device. Whoever opened it destroys it. */
export interface GpuDevice {
  /** Where the device comes from; held because in Node the device dies with it. */
  readonly gpu: GPU;
  readonly device: GPUDevice;
  readonly info: GpuInfo;
  /** Bytes of workgroup memory that a shader may have. */
  readonly workgroupStorageBytes: number;
  /** Resolves with Failure `engine/failed` when the device is lost, destroyed, or reports an error that nobody expected. */
  readonly lost: Promise<Failure>;
  /** Gives all of the device's memory back; what runs on it fails. */
  destroy(): void;
}

/** The device of the fastest adapter, or undefined where there is none. @throws Failure `engine/failed` */
export async function openGpu(gpu: GPU): Promise<GpuDevice | undefined> {
  try {
    const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
    if (!adapter) return undefined;
    const workgroupStorageBytes = Math.min(WORKGROUP_STORAGE_BYTES, adapter.limits.maxComputeWorkgroupStorageSize);
    const device = await adapter.requestDevice({
      label: "engine",
      requiredFeatures: WANTED_FEATURES.filter((feature) => adapter.features.has(feature)),
      requiredLimits: {
        maxStorageBufferBindingSize: STORAGE_BINDING_BYTES,
        maxBufferSize: BUFFER_BYTES,
        maxComputeWorkgroupStorageSize: workgroupStorageBytes,
      },
    });
    const destroy = (): void => device.destroy();
    return { gpu, device, info: infoOf(adapter), workgroupStorageBytes, lost: lossOf(device), destroy };
  } catch (cause) {
    throw new Failure("engine/failed", { what: "device" }, { cause });
  }
}

function infoOf(adapter: GPUAdapter): GpuInfo {
  const { vendor, architecture, description } = adapter.info;
  // Older browsers have the flag on the adapter; software renderers that do not say so are known by name.
  const old = (adapter as { readonly isFallbackAdapter?: boolean }).isFallbackAdapter === true;
  const isSoftware = /swiftshader|llvmpipe|lavapipe|warp|basic render/i.test(`${architecture} ${description}`);
  return { vendor, architecture, description, isFallback: adapter.info.isFallbackAdapter || old || isSoftware };
}

function lossOf(device: GPUDevice): Promise<Failure> {
  return new Promise((resolve) => {
    // Expected errors are caught by error scopes, so whatever arrives here means that results cannot be trusted.
    device.addEventListener("uncapturederror", (event) =>
      resolve(new Failure("engine/failed", { what: "error" }, { cause: (event as GPUUncapturedErrorEvent).error })),
    );
    void device.lost.then(({ reason, message }) =>
      resolve(new Failure("engine/failed", { what: "lost", reason: reason ?? "unknown" }, { cause: message })),
    );
  });
}
