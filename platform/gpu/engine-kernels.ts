/**
 * The shaders that the engine runs, chosen for a device and compiled, and how many workgroups each of them takes.
 *
 * @module
 */
import { compressLz4 } from "../../shaders/compress-lz4.ts";
import { cutCandidates } from "../../shaders/cut-candidates.ts";
import { decompressLz4 } from "../../shaders/decompress-lz4.ts";
import { gather } from "../../shaders/gather.ts";
import { hashLeaves } from "../../shaders/hash-leaves.ts";
import { hashTree } from "../../shaders/hash-tree.ts";
import { probeEntropy } from "../../shaders/probe-entropy.ts";
import type { GpuDevice } from "./device.ts";
import { compileKernels, type Kernel } from "./pipelines.ts";

/** Every shader of the engine, compiled. */
export type EngineKernels = Readonly<
  Record<
    "hashLeaves" | "hashTree" | "cutCandidates" | "probeEntropy" | "compressLz4" | "gather" | "decompressLz4",
    Kernel
  >
>;

/** Compiles the engine's shaders, in the variants that suit the device. @throws Failure `engine/failed` */
export function compileEngineKernels({ device, workgroupStorageBytes }: GpuDevice): Promise<EngineKernels> {
  return compileKernels(device, {
    hashLeaves,
    hashTree,
    cutCandidates,
    probeEntropy,
    compressLz4: compressLz4(workgroupStorageBytes),
    gather,
    decompressLz4,
  });
}
