/**
 * CPU or GPU, stage by stage: measured once per device and remembered by the caller. The GPU does a stage only where that is
 * quicker than on one CPU engine.
 *
 * @module
 */
import type { Engine } from "../../core/ports/engine.ts";
import { type EngineWork, gpuStagesOf, stagesOf } from "../../core/transfer/engine-split.ts";
import type { EngineFigures, EngineReason, EngineStatus } from "../../core/transfer/snapshot.ts";
import type { GpuInfo } from "./device.ts";
import { measureEngines } from "./measure-engines.ts";

/** Which engine, and why. */
export interface EngineDecision extends Pick<EngineStatus, "kind" | "gpuStages"> {
  readonly reason: Extract<EngineReason, "forced" | "no-webgpu" | "software-gpu" | "measured-faster">;
}

/** A decision, and what was measured: null when nothing was. */
export interface EngineChoice extends EngineDecision {
  readonly figures: EngineFigures | null;
}

/** What the choice is between. */
export interface EngineChoiceInput {
  readonly work: EngineWork;
  /** What the user or the address asks for; "gpu" counts only where there is one. */
  readonly override: "cpu" | "gpu" | undefined;
  readonly gpu: { readonly engine: Engine; readonly info: GpuInfo } | undefined;
  readonly cpu: Engine;
  /** The figures of an earlier choice; those of another adapter do not count. */
  readonly remembered: EngineFigures | null;
}

/** The adapter's name in figures. */
export function adapterName({ vendor, architecture, description }: GpuInfo): string {
  return [vendor, architecture, description].filter((word) => word !== "").join(" ");
}

/** Decides, and measures first where that is needed: then both engines must be idle. */
export async function chooseEngine({ work, override, gpu, cpu, remembered }: EngineChoiceInput): Promise<EngineChoice> {
  const known = gpu !== undefined && remembered?.adapter === adapterName(gpu.info) ? remembered : null;
  const early = decideEarly(work, override, gpu?.info);
  if (early !== undefined) return { ...early, figures: known };
  if (gpu === undefined) return { ...NO_GPU, figures: null };
  const figures = known ?? (await measureEngines(cpu, gpu.engine, adapterName(gpu.info)));
  return { ...decideByFigures(work, figures), figures };
}

const ON_CPU = { kind: "cpu", gpuStages: [] } as const;
const NO_GPU: EngineDecision = { ...ON_CPU, reason: "no-webgpu" };

/** What needs no measurement; `info` is undefined where there is no GPU. */
export function decideEarly(
  work: EngineWork,
  override: "cpu" | "gpu" | undefined,
  info: GpuInfo | undefined,
): EngineDecision | undefined {
  if (override === "cpu") return { ...ON_CPU, reason: "forced" };
  if (info === undefined) return NO_GPU;
  if (override === "gpu") return { kind: "gpu", gpuStages: stagesOf(work), reason: "forced" };
  return info.isFallback ? { ...ON_CPU, reason: "software-gpu" } : undefined;
}

/** What the measurements say. */
export function decideByFigures(work: EngineWork, figures: EngineFigures): EngineDecision {
  const gpuStages = gpuStagesOf(work, figures);
  return { kind: gpuStages.length > 0 ? "gpu" : "cpu", gpuStages, reason: "measured-faster" };
}
