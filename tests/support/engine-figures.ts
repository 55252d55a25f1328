/**
 * Figures of engines, as they may be measured and kept.
 *
 * @module
 */
import { CALIBRATION_VERSION } from "../../core/transfer/engine-figures.ts";
import type { EngineFigures } from "../../core/transfer/snapshot.ts";

/** Of a GPU that is better at a sender's stages and at hashing. */
export const FIGURES: EngineFigures = {
  version: CALIBRATION_VERSION,
  adapter: "maker arch",
  measuredAtMs: Date.UTC(2026, 10, 20, 12),
  cpu: { cut: 612.3, compress: 405, compressMoved: 405, decompress: 2310, hash: 1204.4 },
  gpu: { cut: 4018.7, compress: 2100, compressMoved: 1700, decompress: 1150, hash: 3300 },
};
