/**
 * That the helper of the shader tests notices what it is there to notice.
 *
 * @module
 */
import { beforeAll, describe, expect, it } from "vitest";
import { DATA_PADDING_BYTES, type ShaderDescriptor } from "../../shaders/descriptor.ts";
import { openTestGpu, POISON, runShader } from "./gpu.ts";

function shader(body: string, head = ""): ShaderDescriptor {
  const source = `
    ${head}
    override first = 0u;
    @group(0) @binding(0) var<storage, read> data: array<u32>;
    @group(0) @binding(1) var<storage, read_write> written: array<u32>;
    @compute @workgroup_size(1)
    fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) { ${body} }`;
  return {
    name: "trial",
    source,
    bindings: ["read", "write"],
    overrides: { first: 2 },
    workgroupInvocations: 1,
    workgroupBytes: 0,
  };
}

describe("runShader", () => {
  let device: GPUDevice;
  beforeAll(async () => {
    device = await openTestGpu();
  });

  it("gives back what was written, with its constants set and poison elsewhere", async () => {
    const trial = shader("written[first + group.x + group.y * groups.x] = data[0] + group.x;");
    const [line] = await runShader(device, trial, [Uint32Array.of(7), 24], 2);
    expect([...(line ?? [])]).toEqual([POISON, POISON, 7, 8, POISON, POISON]);
    const [grid] = await runShader(device, trial, [Uint32Array.of(7), new Uint32Array(7)], [2, 2]);
    expect([...(grid ?? [])]).toEqual([0, 0, 7, 8, 7, 8, 0]);
  });

  it("puts poison behind a byte string", async () => {
    const trial = shader("written[0] = arrayLength(&data) + 0u * first; written[1] = data[0]; written[2] = data[1];");
    const [out = new Uint32Array()] = await runShader(device, trial, [Uint8Array.of(1, 2, 3), 16], 1);
    expect([...out]).toEqual([Math.ceil((3 + DATA_PADDING_BYTES) / 4), 0xde030201, POISON, POISON]);
  });

  it("rejects a shader that does not compile or draws a warning, and bindings that do not fit", async () => {
    const contents = [new Uint32Array(4), 16];
    await expect(runShader(device, shader("written[0] = nothing;"), contents, 1)).rejects.toThrow("trial.wgsl:");
    const warned = shader("return; written[first] = data[0];");
    await expect(runShader(device, warned, contents, 1)).rejects.toThrow("unreachable");
    const large = shader("written[first] = data[0]; huge[group.x] = 0u;", "var<workgroup> huge: array<u32, 60000>;");
    await expect(runShader(device, large, contents, 1)).rejects.toThrow(/workgroup/i);
    await expect(runShader(device, shader("written[first] = data[0];"), [16], 1)).rejects.toThrow("bindings");
  });

  it("opens devices with the adapter's limits or the least", async () => {
    const least = await openTestGpu("least");
    expect(least.limits.maxComputeWorkgroupStorageSize).toBe(16_384);
    expect(device.limits.maxStorageBufferBindingSize).toBeGreaterThanOrEqual(least.limits.maxStorageBufferBindingSize);
    least.destroy();
    expect((await least.lost).reason).toBe("destroyed");
  });
});
