/**
 * What was measured of the engines, as it is kept from one page to the next: anybody may have written there since.
 *
 * @module
 */
import { stagesOf } from "./engine-split.ts";
import type { EngineFigures, EngineSpeeds } from "./snapshot.ts";

/** Counts up whenever an engine, or how it is measured, changes so much that what was measured before means nothing. */
export const CALIBRATION_VERSION = 2;

/** Kept figures, or null when they are none, or of another version. */
export function readFigures(value: unknown): EngineFigures | null {
  if (typeof value !== "object" || value === null) return null;
  const { version, adapter, measuredAtMs, cpu, gpu } = value as Partial<EngineFigures>;
  if (version !== CALIBRATION_VERSION || typeof adapter !== "string" || !Number.isFinite(measuredAtMs)) return null;
  if (!areSpeeds(cpu) || (gpu !== null && !areSpeeds(gpu))) return null;
  return { version, adapter, measuredAtMs: Number(measuredAtMs), cpu, gpu };
}

function areSpeeds(value: unknown): value is EngineSpeeds {
  if (typeof value !== "object" || value === null) return false;
  const speeds = value as Partial<EngineSpeeds>;
  return [...stagesOf("both"), "compressMoved" as const].every((stage) => {
    const speed = speeds[stage];
    return typeof speed === "number" && Number.isFinite(speed) && speed > 0;
  });
}
