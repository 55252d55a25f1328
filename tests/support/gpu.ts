/**
 * WebGPU in Node for the tests of shaders and of the GPU engine: Dawn (npm package `webgpu`), on SwiftShader unless
 * VK_ICD_FILENAMES names another Vulkan driver. A test file that uses it runs in a process of its own, see
 * vitest.config.ts.
 *
 * @module
 */
import { findSwiftShader } from "../../scripts/lib/vulkan.ts";
import { type BindingKind, DATA_PADDING_BYTES, gridFor, type ShaderDescriptor } from "../../shaders/descriptor.ts";

/** Every word of an output that a shader has not written. */
export const POISON = 0xdeadbeef;

/** Limits that a device gets as high as its adapter has them. */
const RAISED = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
] as const;

/** Dawn's instance, kept for as long as the process lives: a device whose instance was collected ends the process. */
let instance: Promise<GPU> | undefined;

async function createInstance(): Promise<GPU> {
  if (process.platform === "linux" && !process.env.VK_ICD_FILENAMES && !process.env.VK_DRIVER_FILES) {
    const driver = findSwiftShader();
    if (driver === undefined) throw new Error("The GPU tests need the SwiftShader of an installed Chromium");
    process.env.VK_ICD_FILENAMES = driver;
  }
  // Not before the environment is set: the driver is chosen when Dawn loads.
  const dawn = await import("webgpu");
  Object.assign(globalThis, dawn.globals);
  return dawn.create([]);
}

/** The `navigator.gpu` of tests. Puts GPUBufferUsage and the like into the global scope. */
export function testGpu(): Promise<GPU> {
  instance ??= createInstance();
  return instance;
}

/**
 * A fresh device; the caller may destroy it.
 * @param limits everything that the adapter has, or no more than every device has
 */
export async function openTestGpu(limits: "adapter" | "least" = "adapter"): Promise<GPUDevice> {
  const adapter = await (await testGpu()).requestAdapter();
  if (adapter === null) throw new Error("no WebGPU adapter: is libvulkan.so.1 there?");
  const raised = Object.fromEntries(RAISED.map((name) => [name, adapter.limits[name]]));
  return adapter.requestDevice({ requiredLimits: limits === "adapter" ? raised : {} });
}

/**
 * What a binding holds at first: a byte string (Uint8Array; followed by DATA_PADDING_BYTES of poison), words as they are,
 * or, for an output, its size in bytes: then it is all poison.
 */
export type Content = Uint8Array | Uint32Array | number;

const pipelines = new WeakMap<GPUDevice, Map<ShaderDescriptor, Promise<GPUComputePipeline>>>();

async function compile(device: GPUDevice, shader: ShaderDescriptor): Promise<GPUComputePipeline> {
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code: shader.source });
  const [{ messages }] = await Promise.all([module.getCompilationInfo(), device.popErrorScope()]);
  const told = messages.map(({ type, lineNum, message }) => `${shader.name}.wgsl:${lineNum}: ${type}: ${message}`);
  if (told.length > 0) throw new Error(told.join("\n"));
  const kinds = { read: "read-only-storage", write: "storage", uniform: "uniform" } as const;
  const layout = device.createBindGroupLayout({
    entries: shader.bindings.map((kind, binding) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: kinds[kind] },
    })),
  });
  return device.createComputePipelineAsync({
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module, entryPoint: "main", constants: shader.overrides },
  });
}

/** The compiled shader, the same for the same device and descriptor. A compiler's warning fails as its error does. */
function pipelineOf(device: GPUDevice, shader: ShaderDescriptor): Promise<GPUComputePipeline> {
  const known = pipelines.get(device) ?? new Map<ShaderDescriptor, Promise<GPUComputePipeline>>();
  pipelines.set(device, known);
  const pipeline = known.get(shader) ?? compile(device, shader);
  known.set(shader, pipeline);
  return pipeline;
}

function createFilled(device: GPUDevice, kind: BindingKind, content: Content): GPUBuffer {
  const { STORAGE, UNIFORM, COPY_DST, COPY_SRC } = GPUBufferUsage;
  const bytes = typeof content === "number" ? content : content.byteLength;
  const padding = content instanceof Uint8Array ? DATA_PADDING_BYTES : 0;
  const words = new Uint32Array(Math.max(4, Math.ceil((bytes + padding) / 4))).fill(POISON);
  if (typeof content !== "number") {
    new Uint8Array(words.buffer).set(new Uint8Array(content.buffer, content.byteOffset, bytes));
  }
  const usage = kind === "uniform" ? UNIFORM | COPY_DST : STORAGE | COPY_DST | COPY_SRC;
  const buffer = device.createBuffer({ size: words.byteLength, usage });
  device.queue.writeBuffer(buffer, 0, words);
  return buffer;
}

async function readBack(device: GPUDevice, source: GPUBuffer): Promise<Uint32Array<ArrayBuffer>> {
  const target = device.createBuffer({ size: source.size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(source, 0, target, 0, source.size);
  device.queue.submit([encoder.finish()]);
  await target.mapAsync(GPUMapMode.READ);
  const words = new Uint32Array(target.getMappedRange().slice(0));
  target.destroy();
  return words;
}

/**
 * Runs one shader once.
 * @param contents one for each binding, in order
 * @param workgroups how many, or a grid of another shape
 * @returns what the `write` bindings hold afterwards, in order
 */
export async function runShader(
  device: GPUDevice,
  shader: ShaderDescriptor,
  contents: readonly Content[],
  workgroups: number | readonly [x: number, y: number],
): Promise<Uint32Array<ArrayBuffer>[]> {
  if (contents.length !== shader.bindings.length) throw new Error(`${shader.name} has another number of bindings`);
  const pipeline = await pipelineOf(device, shader);
  device.pushErrorScope("validation");
  const buffers = shader.bindings.map((kind, i) => createFilled(device, kind, contents[i] ?? 0));
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
    }),
  );
  const [x, y] = typeof workgroups === "number" ? gridFor(workgroups) : workgroups;
  pass.dispatchWorkgroups(x, y);
  pass.end();
  device.queue.submit([encoder.finish()]);
  const error = await device.popErrorScope();
  if (error !== null) throw new Error(`${shader.name}: ${error.message}`);
  const written = buffers.filter((_, i) => shader.bindings[i] === "write");
  const results = await Promise.all(written.map((buffer) => readBack(device, buffer)));
  for (const buffer of buffers) buffer.destroy();
  return results;
}
