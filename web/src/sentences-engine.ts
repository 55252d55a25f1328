/**
 * Sentences for people about engines. A new word of a snapshot does not compile until it has its words here.
 *
 * @module
 */
import { type EngineWork, stagesOf } from "../../core/transfer/engine-split.ts";
import type { EngineFigures, EngineReason, EngineStage, EngineStatus } from "../../core/transfer/snapshot.ts";
import type { EngineSetting } from "./lib/engine-setting.ts";

export const ENGINE_NAMES = { cpu: "CPU", gpu: "GPU" } as const satisfies Record<EngineStatus["kind"], string>;

/** Follows "<engine> engine: " in one sentence. */
const REASONS = {
  forced: "it was asked for by name",
  "no-webgpu": "this browser offers no GPU",
  "software-gpu": "this browser's GPU is only imitated by the processor",
  "small-input": "there is too little to do for it to be worth while to ask the GPU",
  "not-measured": "the GPU was not measured yet",
  "measured-faster": "it was measured to be faster here",
  "gpu-failed": "the GPU could not do the work",
  "gpu-lost": "the GPU was lost on the way",
  "gpu-wrong": "the GPU gave wrong bytes, which were noticed and done again",
} as const satisfies Record<EngineReason, string>;

/** In place of `forced` on the dashboard, which knows who asks. */
const ASKERS = { address: "this page's address asks for it", setting: "the setting below asks for it" } as const;

export const ENGINE_STAGES = {
  cut: "Cut and hash",
  compress: "Compress (LZ4)",
  decompress: "Decompress (LZ4)",
  hash: "Verify",
} as const satisfies Record<EngineStage, string>;

const DOING = {
  cut: "cutting and hashing",
  compress: "compressing",
  decompress: "decompressing",
  hash: "verifying",
} as const satisfies Record<EngineStage, string>;

export const ENGINE_SETTINGS = { auto: "Automatic", gpu: "GPU", cpu: "CPU" } as const satisfies Record<
  EngineSetting,
  string
>;

const LIST = new Intl.ListFormat("en", { type: "conjunction" });

/** "CPU engine: this browser offers no GPU." */
export function engineSentence({ kind, gpuStages, reason, figures }: EngineStatus, work: "send" | "receive"): string {
  const stages = stagesOf(work);
  const speeds = figures && stages.map((stage) => `${DOING[stage]} ${speedsOf(figures, stage)}`).join(", ");
  return `${choice(kind, gpuStages, work, REASONS[reason])}${speeds === null ? "" : ` (${speeds})`}.`;
}

/** The dashboard's sentence for the engine; `asker` is who asks where an engine is asked for by name. */
export function chosenEngineSentence({ kind, gpuStages, reason }: EngineStatus, asker: "address" | "setting"): string {
  return `${choice(kind, gpuStages, "both", reason === "forced" ? ASKERS[asker] : REASONS[reason])}.`;
}

/** Only what was measured is divided between both. */
function choice(kind: "cpu" | "gpu", gpuStages: readonly EngineStage[], work: EngineWork, why: string): string {
  const onCpu = stagesOf(work).filter((stage) => !gpuStages.includes(stage));
  if (kind === "cpu" || onCpu.length === 0) return `${ENGINE_NAMES[kind]} engine: ${why}`;
  const doing = (stages: readonly EngineStage[]) => LIST.format(stages.map((stage) => DOING[stage]));
  return `GPU for ${doing(gpuStages)}; CPU for ${doing(onCpu)}: each was measured to be faster there`;
}

/** "GPU 4,000 MB/s, CPU 600 MB/s" */
function speedsOf({ cpu, gpu }: EngineFigures, stage: EngineStage): string {
  const speed = (megabytes: number) => `${Math.round(megabytes).toLocaleString("en")}\u00a0MB/s`;
  return `GPU ${gpu === null ? "too slow to tell" : speed(gpu[stage])}, CPU ${speed(cpu[stage])}`;
}
