/**
 * Shaders made runnable: each is compiled once per device, all of them at the same time, with bindings as its descriptor
 * lists them.
 *
 * @module
 */
import { Failure } from "../../core/failure.ts";
import { type BindingKind, gridFor, type ShaderDescriptor } from "../../shaders/descriptor.ts";

/** GPUShaderStage.COMPUTE; Node has no such global. */
const COMPUTE_STAGE = 4;
/** Of a compiler's message; some repeat the whole source. */
const MESSAGE_CHARACTERS = 200;

const BUFFER_TYPES: Readonly<Record<BindingKind, GPUBufferBindingType>> = {
  read: "read-only-storage",
  write: "storage",
  uniform: "uniform",
};

/** A compiled shader. */
export interface Kernel {
  readonly descriptor: ShaderDescriptor;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

const compiled = new WeakMap<GPUDevice, Map<string, Promise<Kernel>>>();

/** Compiles every descriptor that this device does not have yet. @throws Failure `engine/failed` naming shader and line */
export async function compileKernels<Name extends string>(
  device: GPUDevice,
  descriptors: Readonly<Record<Name, ShaderDescriptor>>,
): Promise<Readonly<Record<Name, Kernel>>> {
  const cache = compiled.get(device) ?? new Map<string, Promise<Kernel>>();
  compiled.set(device, cache);
  const entries = Object.entries<ShaderDescriptor>(descriptors).map(async ([name, descriptor]) => {
    const variant = `${descriptor.name} ${JSON.stringify(descriptor.overrides)}`;
    const kernel = cache.get(variant) ?? compile(device, descriptor);
    cache.set(variant, kernel);
    return [name, await kernel] as const;
  });
  return Object.fromEntries(await Promise.all(entries)) as Record<Name, Kernel>;
}

async function compile(device: GPUDevice, descriptor: ShaderDescriptor): Promise<Kernel> {
  const { name, source, bindings, overrides } = descriptor;
  try {
    device.pushErrorScope("validation");
    const module = device.createShaderModule({ label: name, code: source });
    const layout = device.createBindGroupLayout({
      label: name,
      entries: bindings.map((kind, binding) => ({
        binding,
        visibility: COMPUTE_STAGE,
        buffer: { type: BUFFER_TYPES[kind] },
      })),
    });
    const pipeline = device.createComputePipelineAsync({
      label: name,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: "main", constants: overrides },
    });
    // Its rejection is thrown below, after the compiler's own and better words.
    pipeline.catch(() => {});
    const [invalid, { messages }] = await Promise.all([device.popErrorScope(), module.getCompilationInfo()]);
    const error = messages.find(({ type }) => type === "error");
    if (error !== undefined) throw compileFailure(name, error.message, error.lineNum);
    if (invalid) throw compileFailure(name, invalid.message, 0);
    return { descriptor, layout, pipeline: await pipeline };
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw compileFailure(name, error instanceof Error ? error.message : String(error), 0);
  }
}

function compileFailure(shader: string, message: string, line: number): Failure {
  return new Failure("engine/failed", {
    what: "compile",
    shader,
    message: message.slice(0, MESSAGE_CHARACTERS),
    line,
  });
}

/** A buffer, or a range of one (bytes, at a multiple of 256), bound to a shader. */
export type Binding = GPUBuffer | { readonly buffer: GPUBuffer; readonly offset: number; readonly size: number };

/** Adds one dispatch of `workgroups` workgroups; `bindings` in the order of the descriptor. */
export function dispatch(
  device: GPUDevice,
  pass: GPUComputePassEncoder,
  { pipeline, layout }: Kernel,
  bindings: readonly Binding[],
  workgroups: number,
): void {
  const entries = bindings.map((bound, binding) => ({
    binding,
    resource: "offset" in bound ? bound : { buffer: bound },
  }));
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
  pass.dispatchWorkgroups(...gridFor(workgroups));
}
