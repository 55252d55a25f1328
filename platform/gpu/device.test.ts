/**
 * The device, its pipelines and its buffers: what goes wrong is a failure that says where.
 *
 * @module
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Failure } from "../../core/failure.ts";
import { KIB } from "../../core/units.ts";
import type { ShaderDescriptor } from "../../shaders/descriptor.ts";
import { testGpu } from "../../tests/support/gpu.ts";
import { GpuBuffers } from "./buffers.ts";
import { type GpuDevice, openGpu } from "./device.ts";
import { DispatchSize } from "./dispatch-size.ts";
import { compileKernels } from "./pipelines.ts";

let gpu: GpuDevice;
beforeAll(async () => {
  const opened = await openGpu(await testGpu());
  if (opened === undefined) throw new Error("no adapter");
  gpu = opened;
});
afterAll(() => gpu.destroy());

function shader(source: string, overrides: Record<string, number> = {}): ShaderDescriptor {
  return { name: "tried", source, bindings: ["write"], overrides, workgroupInvocations: 1, workgroupBytes: 0 };
}
const GOOD = `@group(0) @binding(0) var<storage, read_write> out: array<u32>;
override WIDTH: u32 = 1u;
@compute @workgroup_size(1) fn main() { out[0] = WIDTH; }`;

describe("device", () => {
  it("knows a software adapter, and has what the engine needs", () => {
    expect(gpu.info.isFallback).toBe(true);
    expect(gpu.workgroupStorageBytes).toBeGreaterThanOrEqual(16 * KIB);
    expect(gpu.device.limits.maxComputeWorkgroupStorageSize).toBe(gpu.workgroupStorageBytes);
  });

  it("is undefined where there is no adapter, and a failure where there is no device", async () => {
    const none = { requestAdapter: async () => null } as unknown as GPU;
    expect(await openGpu(none)).toBeUndefined();
    const broken = { requestAdapter: () => Promise.reject(new Error("crashed")) } as unknown as GPU;
    await expect(openGpu(broken)).rejects.toEqual(expect.objectContaining({ code: "engine/failed" }));
  });

  it("tells when it is lost, and when it reports an error that nobody expected", async () => {
    const lost = await openGpu(await testGpu());
    lost?.destroy();
    expect(await lost?.lost).toMatchObject({ code: "engine/failed", details: { what: "lost", reason: "destroyed" } });
    const wrong = await openGpu(await testGpu());
    wrong?.device.createBuffer({ size: 3, usage: 0 });
    expect(await wrong?.lost).toMatchObject({ code: "engine/failed", details: { what: "error" } });
    wrong?.destroy();
  });
});

describe("pipelines", () => {
  it("are compiled once for each variant", async () => {
    const { a, b } = await compileKernels(gpu.device, { a: shader(GOOD), b: shader(GOOD, { WIDTH: 2 }) });
    const again = await compileKernels(gpu.device, { a: shader(GOOD) });
    expect(again.a).toBe(a);
    expect(b).not.toBe(a);
  });

  it("say which shader and line a compiler refuses", async () => {
    const bad = shader(`${GOOD}\nfn broken() -> u32 { return 1.5; }`);
    const failure = await compileKernels(gpu.device, { bad: { ...bad, name: "bad" } }).catch((error) => error);
    expect(failure).toBeInstanceOf(Failure);
    expect(failure.details).toMatchObject({ what: "compile", shader: "bad", line: 4 });
    expect(failure.details.message.length).toBeGreaterThan(5);
    const unknown = { ...shader(GOOD, { NONE: 1 }), name: "constants" };
    await expect(compileKernels(gpu.device, { unknown })).rejects.toMatchObject({
      details: { what: "compile", shader: "constants" },
    });
  });
});

describe("buffers", () => {
  it("are used again, and grow in steps of a quarter under one cap", async () => {
    const buffers = new GpuBuffers(gpu.device, 100 * KIB);
    const small = await buffers.named("a", 5000);
    expect(small.size).toBeGreaterThanOrEqual(8 * KIB);
    expect(await buffers.named("a", 8 * KIB)).toBe(small);
    const grown = await buffers.named("a", 33 * KIB);
    expect(grown.size).toBeGreaterThanOrEqual(40 * KIB);
    expect(grown.size).toBeLessThan(41 * KIB);
    expect(buffers.bytes).toBe(grown.size);
    await expect(buffers.named("b", 100 * KIB)).rejects.toMatchObject({ details: { what: "memory" } });
    expect(buffers.bytes).toBe(grown.size);
    buffers.destroy();
    expect(buffers.bytes).toBe(0);
  });

  it("for reading form a ring, whose free ones make room", async () => {
    const buffers = new GpuBuffers(gpu.device, 100 * KIB);
    const first = await buffers.takeReadback(100);
    const second = await buffers.takeReadback(100);
    expect(second).not.toBe(first);
    buffers.releaseReadback(first, true);
    expect(await buffers.takeReadback(1000)).toBe(first);
    buffers.releaseReadback(first, true);
    buffers.releaseReadback(second, false);
    const large = await buffers.takeReadback(60 * KIB);
    buffers.releaseReadback(large, true);
    await buffers.named("a", 64 * KIB);
    expect(buffers.bytes).toBeLessThan(70 * KIB);
    buffers.destroy();
  });

  it("that the device has no memory for are a failure", async () => {
    const device = {
      pushErrorScope() {},
      popErrorScope: async () => ({ message: "out" }),
      createBuffer: () => ({ size: 4352, destroy() {} }),
    };
    const buffers = new GpuBuffers(device as unknown as GPUDevice);
    await expect(buffers.named("a", 1)).rejects.toMatchObject({ code: "engine/failed", details: { what: "memory" } });
    expect(buffers.bytes).toBe(0);
  });
});

describe("size of dispatches", () => {
  it("halves at once and doubles slowly, within bounds and in multiples of 64", () => {
    const size = new DispatchSize();
    expect(size.blocks).toBe(256);
    size.note(256, 60);
    expect(size.blocks).toBe(128);
    for (let i = 0; i < 10; i++) size.note(size.blocks, 1000);
    expect(size.blocks).toBe(64);
    for (let i = 0; i < 3; i++) size.note(64, 5);
    size.note(64, 30);
    for (let i = 0; i < 3; i++) size.note(64, 5);
    size.note(10, 5);
    expect(size.blocks).toBe(64);
    size.note(64, 5);
    expect(size.blocks).toBe(128);
    for (let i = 0; i < 100; i++) size.note(size.blocks, 1);
    expect(size.blocks).toBe(1024);
  });
});
