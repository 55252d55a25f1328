/**
 * What was measured of this browser's engines, kept for the next transfer.
 *
 * @module
 */
import { readFigures } from "../../../core/transfer/engine-figures.ts";
import type { EngineFigures } from "../../../core/transfer/snapshot.ts";

const KEY = "engine-figures";

/** The last figures, or null; whether they are this adapter's is for the engine to say. */
export function rememberedFigures(): EngineFigures | null {
  try {
    return readFigures(JSON.parse(localStorage.getItem(KEY) ?? "null"));
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
