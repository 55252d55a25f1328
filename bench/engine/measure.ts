/**
 * The whole measurement, the same in Node and in a worker of a browser: opens the device, compares every result with the
 * CPU's, and runs the rounds.
 *
 * @module
 */
import type { Engine } from "../../core/ports/engine.ts";
import { MIB } from "../../core/units.ts";
import type { Kernels } from "../../kernels/loader.ts";
import { createGpuEngine } from "../../platform/gpu/gpu-engine.ts";
import type { KernelData } from "../kernels/data.ts";
import { type Contest, type Row, runContests } from "./contest.ts";
import { copyContests } from "./copies.ts";
import { cpuContests } from "./cpu.ts";
import { sizedData } from "./data.ts";
import { type BenchGpu, openBenchGpu } from "./gpu.ts";
import { lz4Stages } from "./lz4-stages.ts";
import type { EngineBenchOptions } from "./options.ts";
import { BATCH_MIB, MAX_BATCH_MIB, pipelineContests } from "./pipeline.ts";
import { firstStages } from "./stages.ts";

/** How much is measured, and how often. */
export type Extent = Pick<EngineBenchOptions, "rounds" | "cpuMib" | "gpuMib">;

/** What differs by where it runs. */
export interface Host {
  findGpu(): Promise<GPU | undefined>;
  /** Fresh ones. */
  loadEngine(): Promise<Engine>;
  loadKernels(): Promise<Kernels>;
  /** Data sets of any length; borrowed. */
  loadData(): Promise<KernelData>;
  /** Others at the CPU engine's work, on one thread; `data` is borrowed. */
  peers(engine: Engine, data: KernelData): Promise<Contest[]>;
  /** The CPU engine on several threads. */
  threads(bytes: Uint8Array<ArrayBuffer>): Contest[];
  /** Says how far it is. */
  tell(line: string): void;
  /** Called when all is compared, and the rounds begin. */
  began(): void;
  /** Called when the rounds are over, while everything that took part still runs. */
  ended(): void;
}

/** What came out. */
export interface Findings {
  /** The browser that it ran in; absent for Node. */
  readonly browser?: string;
  /** The adapter's name, or why there is none. */
  readonly adapter: string;
  readonly kind: "hardware" | "software" | "none";
  /** MiB of each data set on the device. */
  readonly residentMib: number;
  readonly rows: readonly Row[];
}

/** Verifies everything once, then measures it in interleaved rounds. */
export async function measure(host: Host, { rounds, cpuMib, gpuMib }: Extent): Promise<Findings> {
  const opened = await openBenchGpu(host.findGpu);
  const gpu = typeof opened === "string" ? undefined : opened;
  const kind = gpu === undefined ? "none" : gpu.isSoftware ? "software" : "hardware";
  const adapter = typeof opened === "string" ? opened : opened.name;
  const residentMib = kind === "hardware" ? gpuMib.hardware : gpuMib.software;
  host.tell(`adapter: ${adapter}; comparing results with the CPU's`);
  const base = await host.loadData();
  const data = sizedData(base, cpuMib * MIB);
  const engine = await host.loadEngine();
  const contests = [
    ...(gpu === undefined ? [] : await gpuContests(host, gpu, base, residentMib)),
    ...(await cpuContests(engine, await host.loadKernels(), data, await host.peers(engine, data))),
    ...host.threads(data.text.slice(0, MAX_BATCH_MIB * MIB)),
  ];
  host.began();
  const rows = await runContests(contests, rounds, host.tell);
  host.ended();
  gpu?.gpu.destroy();
  return { adapter, kind, residentMib, rows };
}

async function gpuContests(host: Host, gpu: BenchGpu, base: KernelData, mib: number): Promise<Contest[]> {
  const data = sizedData(base, mib * MIB);
  const [cpu, twins] = [await host.loadEngine(), await host.loadKernels()];
  const batches = BATCH_MIB.filter((batch) => batch <= mib);
  const engine = await createGpuEngine(gpu.gpu, await host.loadEngine());
  return [
    ...(await firstStages(gpu, cpu, twins, data.random)),
    ...(await lz4Stages(gpu, twins, data)),
    ...(await copyContests(gpu.gpu.device, data.random, batches)),
    ...(await pipelineContests(engine, cpu, data.text, batches)),
  ];
}
