/**
 * The engine of a lane: the CPU engine at once, and the GPU where it is there, right, and measured to be faster. Every way
 * in which a GPU fails ends on the CPU, and is told.
 *
 * @module
 */
import { type Failure, toFailure } from "../core/failure.ts";
import type { Engine } from "../core/ports/engine.ts";
import type { EngineFigures, EngineReason, EngineStatus } from "../core/transfer/snapshot.ts";
import { MIB } from "../core/units.ts";
import { loadCpuEngine } from "./cpu-engine.ts";
import { adapterName, chooseEngine, measureEngines } from "./gpu/choose-engine.ts";
import { type GpuDevice, openGpu } from "./gpu/device.ts";
import { createGpuEngine } from "./gpu/gpu-engine.ts";
import { createGuardedEngine } from "./gpu/guarded-engine.ts";
import { selfTest } from "./gpu/self-test.ts";
import { SwitchingEngine } from "./switching-engine.ts";

/** What is asked of a lane's engine. */
export interface EngineWish {
  readonly override: "cpu" | "gpu" | undefined;
  /** Measurements of an earlier lane; null when there are none. */
  readonly figures: EngineFigures | null;
}

/** An engine that may move from one device to another between two calls. */
export interface LaneEngine {
  readonly engine: Engine;
  /**
   * So many bytes are going to be cut, which decides whether looking for a GPU is worth while. Resolves when work may
   * begin: after the GPU is there when it was asked for by name, else at once.
   */
  expect(totalBytes: number): Promise<void>;
}

/** Smaller inputs are through on the CPU before a GPU is open and checked. */
const GPU_WORTHWHILE_BYTES = 64 * MIB;

type OnStatus = (status: EngineStatus) => void;

/** @throws Failure `engine/failed` when not even the CPU engine can be loaded */
export async function loadLaneEngine({ override, figures }: EngineWish, onStatus: OnStatus): Promise<LaneEngine> {
  const cpu = await loadCpuEngine();
  const engine = new SwitchingEngine(cpu);
  const tell = (reason: EngineReason): void => onStatus({ kind: "cpu", reason, adapter: null, figures });
  if (override === "gpu") await moveToGpu(engine, cpu, { override, figures }, onStatus);
  else tell(override === "cpu" ? "forced" : "not-measured");
  const expect = async (totalBytes: number): Promise<void> => {
    if (override !== undefined) return;
    if (totalBytes < GPU_WORTHWHILE_BYTES) tell("small-input");
    else void moveToGpu(engine, cpu, { override, figures }, onStatus);
  };
  return { engine, expect };
}

/** Measures both engines anew, also a GPU that would never be chosen. @throws Failure `engine/failed` */
export async function measureEngine({ override }: EngineWish): Promise<EngineStatus> {
  const cpu = await loadCpuEngine();
  const device = await openDevice();
  if (device === undefined) return { kind: "cpu", reason: "no-webgpu", adapter: null, figures: null };
  const { info } = device;
  try {
    const gpu = await createGpuEngine(device, cpu);
    await selfTest(gpu, cpu);
    const figures = await measureEngines(cpu, gpu, adapterName(info));
    const choice = await chooseEngine({ override, gpu: { engine: gpu, info }, cpu, remembered: figures });
    return { kind: choice.kind, reason: choice.reason, adapter: adapterName(info), figures };
  } finally {
    device.destroy();
  }
}

/** Never fails: what goes wrong is told as the reason for the CPU. */
async function moveToGpu(engine: SwitchingEngine, cpu: Engine, wish: EngineWish, onStatus: OnStatus): Promise<void> {
  const { override, figures: remembered } = wish;
  let device: GpuDevice | undefined;
  let adapter: string | null = null;
  let figures = remembered;
  const fallBack = (reason: EngineReason): void => {
    onStatus({ kind: "cpu", reason, adapter, figures });
    device?.destroy();
  };
  try {
    device = await openDevice();
    if (device === undefined) return fallBack("no-webgpu");
    adapter = adapterName(device.info);
    if (device.info.isFallback && override !== "gpu") return fallBack("software-gpu");
    const gpu = await createGpuEngine(device, cpu);
    await selfTest(gpu, cpu);
    const choice = await chooseEngine({ override, gpu: { engine: gpu, info: device.info }, cpu, remembered });
    figures = choice.figures;
    if (choice.kind === "cpu") return fallBack(choice.reason);
    const onFallback = (failure: Failure): void => fallBack(reasonOf(failure));
    engine.use(createGuardedEngine(gpu, cpu, device.lost, { onFallback }));
    onStatus({ kind: "gpu", reason: choice.reason, adapter, figures });
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
