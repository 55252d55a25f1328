/**
 * Which stages of an engine's work the GPU does, from what was measured: those with which the whole is quickest.
 *
 * @module
 */
import type { EngineFigures, EngineSpeeds, EngineStage } from "./snapshot.ts";

/** What an engine is used for. */
export type EngineWork = "send" | "receive" | "both";

const STAGES = {
  send: ["cut", "compress"],
  receive: ["decompress", "hash"],
  both: ["cut", "compress", "decompress", "hash"],
} as const satisfies Record<EngineWork, readonly EngineStage[]>;

/** All stages of a kind of work. */
export function stagesOf(work: EngineWork): readonly EngineStage[] {
  return STAGES[work];
}

/** The stages that the GPU is to do; none where it did not answer. */
export function gpuStagesOf(
  work: EngineWork,
  { cpu, gpu }: Pick<EngineFigures, "cpu" | "gpu">,
): readonly EngineStage[] {
  if (gpu === null) return [];
  if (work === "both") return [...gpuStagesOf("send", { cpu, gpu }), ...gpuStagesOf("receive", { cpu, gpu })];
  return work === "send" ? quickest(cpu, gpu) : STAGES.receive.filter((stage) => gpu[stage] > cpu[stage]);
}

/** A sender's stages follow each other on the same bytes, so what compressing costs depends on who cut. */
function quickest(cpu: EngineSpeeds, gpu: EngineSpeeds): readonly EngineStage[] {
  const splits: readonly { readonly stages: readonly EngineStage[]; readonly cost: number }[] = [
    { stages: [], cost: 1 / cpu.cut + 1 / cpu.compress },
    { stages: ["cut"], cost: 1 / gpu.cut + 1 / cpu.compress },
    { stages: ["compress"], cost: 1 / cpu.cut + 1 / gpu.compressMoved },
    { stages: STAGES.send, cost: 1 / gpu.cut + 1 / gpu.compress },
  ];
  return splits.reduce((best, split) => (split.cost < best.cost ? split : best)).stages;
}
