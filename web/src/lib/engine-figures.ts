/**
 * What was measured of this browser's engines, kept for the next transfer.
 *
 * @module
 */
import type { EngineFigures } from "../../../core/transfer/snapshot.ts";

const KEY = "engine-figures";

/** The last figures, or null; whether they still fit the adapter and the version is for the engine to say. */
export function rememberedFigures(): EngineFigures | null {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "null") as EngineFigures | null;
  } catch {
    // storage is forbidden, or somebody else wrote there
    return null;
  }
}

export function rememberFigures(figures: EngineFigures): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(figures));
  } catch {
    // measured again next time
  }
}
