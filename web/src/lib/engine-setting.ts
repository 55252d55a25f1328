/**
 * Which engine the user wants, kept in this browser, and what follows from it together with the page's address and with
 * what was measured.
 *
 * @module
 */
import { gpuStagesOf, stagesOf } from "../../../core/transfer/engine-split.ts";
import type { EngineFigures, EngineStatus } from "../../../core/transfer/snapshot.ts";
import type { Overrides } from "../../../workers/transfer/api.ts";

/** `auto` leaves the choice to the measurement. */
export type EngineSetting = "auto" | NonNullable<Overrides["engine"]>;

const KEY = "engine";

/** What is asked for cannot be had for these reasons, so the CPU does the work. */
const OUT_OF_REACH: readonly EngineStatus["reason"][] = ["no-webgpu", "gpu-failed", "gpu-lost", "gpu-wrong"];

/** The kept setting; `auto` where there is none, or none that is known. */
export function rememberedSetting(): EngineSetting {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "cpu" || kept === "gpu" ? kept : "auto";
  } catch {
    // storage is forbidden
    return "auto";
  }
}

/** Keeps the setting for every page that is opened from now on. */
export function rememberSetting(setting: EngineSetting): void {
  try {
    if (setting === "auto") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, setting);
  } catch {
    // it holds for this page only
  }
}

/** The address's overrides; where they name no engine, the setting does. */
export function withSetting(overrides: Overrides, setting: EngineSetting): Overrides {
  return overrides.engine !== undefined || setting === "auto" ? overrides : { ...overrides, engine: setting };
}

/** What large transfers choose by themselves, from the figures alone; null when nothing was measured. */
export function automaticEngine(figures: EngineFigures | null): EngineStatus {
  if (figures === null) return { kind: "cpu", gpuStages: [], reason: "not-measured", adapter: null, figures };
  const gpuStages = gpuStagesOf("both", figures);
  const kind = gpuStages.length > 0 ? "gpu" : "cpu";
  return { kind, gpuStages, reason: "measured-faster", adapter: figures.adapter, figures };
}

/** What the choice becomes when an engine is asked for by name. */
export function askedEngine(automatic: EngineStatus, asked: Overrides["engine"]): EngineStatus {
  if (asked === undefined) return automatic;
  if (asked === "gpu" && OUT_OF_REACH.includes(automatic.reason)) return automatic;
  return { ...automatic, kind: asked, gpuStages: asked === "gpu" ? stagesOf("both") : [], reason: "forced" };
}
