/**
 * The engine bench: each shader on resident data, copies to the device and back, the GPU engine as the product uses it,
 * and the processor at the same work, in the same rounds. See bench/README.md for what is measured and how.
 *
 * @module
 */
import { MIB } from "../core/units.ts";
import { createGpuEngine } from "../platform/gpu/gpu-engine.ts";
import { loadEngine, loadKernels } from "../tests/support/kernels.ts";
import { aimsOf } from "./engine/aims.ts";
import { type Contest, runContests } from "./engine/contest.ts";
import { copyContests } from "./engine/copies.ts";
import { cpuContests } from "./engine/cpu.ts";
import { loadData } from "./engine/data.ts";
import { type BenchGpu, openBenchGpu } from "./engine/gpu.ts";
import { laneContests } from "./engine/lanes.ts";
import { lz4Stages } from "./engine/lz4-stages.ts";
import { parseOptions } from "./engine/options.ts";
import { BATCH_MIB, MAX_BATCH_MIB, pipelineContests } from "./engine/pipeline.ts";
import { formatReport, type Head } from "./engine/report.ts";
import { firstStages } from "./engine/stages.ts";
import type { Bench } from "./lib/result.ts";

function tell(line: string): void {
  process.stderr.write(`engine bench: ${line}\n`);
}

/** Opens what the contests need and compares every result with the CPU's. */
async function prepare(gpu: BenchGpu | undefined, cpuMib: number, gpuMib: number): Promise<Contest[]> {
  const data = loadData(cpuMib * MIB);
  return [
    ...(gpu === undefined ? [] : await gpuContests(gpu, gpuMib)),
    ...(await cpuContests(await loadEngine(), await loadKernels(), data)),
    ...laneContests(data.text.slice(0, MAX_BATCH_MIB * MIB)),
  ];
}

async function gpuContests(gpu: BenchGpu, mib: number): Promise<Contest[]> {
  const data = loadData(mib * MIB);
  const [cpu, twins] = [await loadEngine(), await loadKernels()];
  const batches = BATCH_MIB.filter((batch) => batch <= mib);
  const engine = await createGpuEngine(gpu.gpu, await loadEngine());
  return [
    ...(await firstStages(gpu, cpu, twins, data.random)),
    ...(await lz4Stages(gpu, twins, data)),
    ...(await copyContests(gpu.gpu.device, data.random, batches)),
    ...(await pipelineContests(engine, cpu, data.text, batches)),
  ];
}

/** Verifies everything once, then measures it in interleaved rounds. */
export const run: Bench = async (args) => {
  const { rounds, cpuMib, gpuMib } = parseOptions(args);
  const opened = await openBenchGpu();
  const gpu = typeof opened === "string" ? undefined : opened;
  const kind = gpu === undefined ? "none" : gpu.isSoftware ? "software" : "hardware";
  const adapter = typeof opened === "string" ? opened : opened.name;
  const residentMib = kind === "hardware" ? gpuMib.hardware : gpuMib.software;
  tell(`adapter: ${adapter}; comparing results with the CPU's`);
  const { rows, foreignPercent } = await runContests(await prepare(gpu, cpuMib, residentMib), rounds, tell);
  const aims = aimsOf(rows, kind === "hardware");
  const head: Head = { adapter, kind, rounds, residentMib, cpuMib, foreignPercent };
  gpu?.gpu.destroy();
  return {
    text: formatReport(rows, aims, head),
    data: { ...head, aims, rows },
    met: aims.every(({ verdict }) => verdict !== "NOT MET"),
  };
};
