/**
 * The engine of a lane: the CPU engine at once, and the GPU for those stages in which it is there, right, and measured to be
 * faster. Every way in which a GPU fails ends on the CPU, and is told.
 *
 * @module
 */
import { type Failure, toFailure } from "../core/failure.ts";
import type { Engine } from "../core/ports/engine.ts";
import { type EngineWork, stagesOf } from "../core/transfer/engine-split.ts";
import type { EngineFigures, EngineReason, EngineStatus } from "../core/transfer/snapshot.ts";
import { MIB } from "../core/units.ts";
import { loadCpuEngine } from "./cpu-engine.ts";
import { adapterName, chooseEngine } from "./gpu/choose-engine.ts";
import { type GpuDevice, openGpu } from "./gpu/device.ts";
import { createGpuEngine } from "./gpu/gpu-engine.ts";
import { createGuardedEngine } from "./gpu/guarded-engine.ts";
import { measureEngines } from "./gpu/measure-engines.ts";
import { selfTest } from "./gpu/self-test.ts";
import { SwitchingEngine } from "./switching-engine.ts";

/** What is asked of a lane's engine. */
export interface EngineWish {
  readonly work: EngineWork;
  readonly override: "cpu" | "gpu" | undefined;
  /** Measurements of an earlier lane; null when there are none. */
  readonly figures: EngineFigures | null;
}

/** An engine that may move from one device to another between two calls. */
export interface LaneEngine {
  readonly engine: Engine;
  /** So many bytes are to be worked on: from 64 MiB on a GPU is looked for. To be called once. */
  expect(totalBytes: number): void;
}

/** Smaller inputs are through on the CPU before a GPU is open and checked. */
const GPU_WORTHWHILE_BYTES = 64 * MIB;

const ON_CPU = { kind: "cpu", gpuStages: [], adapter: null, figures: null } as const;

type OnStatus = (status: EngineStatus) => void;

/**
 * Resolves when work may begin: after the GPU is there when it was asked for by name.
 * @throws Failure `engine/failed` when not even the CPU engine can be loaded
 */
export async function loadLaneEngine(wish: EngineWish, onStatus: OnStatus): Promise<LaneEngine> {
  const { override, figures } = wish;
  const cpu = await loadCpuEngine();
  const engine = new SwitchingEngine(cpu);
  const tell = (reason: EngineReason): void => onStatus({ ...ON_CPU, reason, figures });
  if (override === "gpu") await moveToGpu(engine, cpu, wish, onStatus);
  else tell(override === "cpu" ? "forced" : "not-measured");
  const expect = (totalBytes: number): void => {
    if (override !== undefined) return;
    if (totalBytes < GPU_WORTHWHILE_BYTES) tell("small-input");
    else void moveToGpu(engine, cpu, wish, onStatus);
  };
  return { engine, expect };
}

/** Measures both engines anew, also a GPU that would never be chosen. @throws Failure `engine/failed` */
export async function measureEngine(): Promise<EngineStatus> {
  const cpu = await loadCpuEngine();
  const device = await openDevice();
  if (device === undefined) return { ...ON_CPU, reason: "no-webgpu" };
  const { info } = device;
  try {
    const gpu = await createGpuEngine(device, cpu);
    await selfTest(gpu, cpu);
    const adapter = adapterName(info);
    const figures = await measureEngines(cpu, gpu, adapter);
    const gpuChoice = { engine: gpu, info };
    const choice = await chooseEngine({ work: "both", override: undefined, gpu: gpuChoice, cpu, remembered: figures });
    return { ...choice, adapter, figures };
  } finally {
    device.destroy();
  }
}

/** Never fails: what goes wrong is told as the reason for the CPU. */
async function moveToGpu(engine: SwitchingEngine, cpu: Engine, wish: EngineWish, onStatus: OnStatus): Promise<void> {
  const { work, override, figures: remembered } = wish;
  let device: GpuDevice | undefined;
  let adapter: string | null = null;
  let figures = remembered;
  const fallBack = (reason: EngineReason): void => {
    onStatus({ ...ON_CPU, reason, adapter, figures });
    device?.destroy();
  };
  try {
    device = await openDevice();
    if (device === undefined) return fallBack("no-webgpu");
    adapter = adapterName(device.info);
    if (device.info.isFallback && override !== "gpu") return fallBack("software-gpu");
    const gpu = await createGpuEngine(device, cpu);
    await selfTest(gpu, cpu);
    const choice = await chooseEngine({ work, override, gpu: { engine: gpu, info: device.info }, cpu, remembered });
    figures = choice.figures;
    if (choice.kind === "cpu") return fallBack(choice.reason);
    const onFallback = (failure: Failure): void => fallBack(reasonOf(failure));
    // Asked for by name it does all that it can, also what this work is not counted by.
    const stages = override === "gpu" ? stagesOf("both") : choice.gpuStages;
    engine.use(createGuardedEngine(gpu, cpu, device.lost, { onFallback }), stages);
    onStatus({ ...choice, adapter, figures });
  } catch (error) {
    fallBack(reasonOf(toFailure(error, "engine/failed")));
  }
}

async function openDevice(): Promise<GpuDevice | undefined> {
  // Older browsers have no such property, whatever the types say.
  const gpu = (navigator as { readonly gpu?: GPU }).gpu;
  return gpu === undefined ? undefined : openGpu(gpu);
}

function reasonOf({ details }: Failure): EngineReason {
  if (details["what"] === "wrong-bytes") return "gpu-wrong";
  return details["what"] === "lost" ? "gpu-lost" : "gpu-failed";
}
