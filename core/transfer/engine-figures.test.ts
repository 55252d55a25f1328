import { expect, it } from "vitest";
import { FIGURES } from "../../tests/support/engine-figures.ts";
import { CALIBRATION_VERSION, readFigures } from "./engine-figures.ts";

it("believes only figures that are whole, and of this version", () => {
  expect(readFigures(structuredClone(FIGURES))).toEqual(FIGURES);
  expect(readFigures({ ...FIGURES, gpu: null })?.gpu).toBeNull();
  const { gpu: _, ...without } = FIGURES;
  const { hash: _hash, ...unhashed } = FIGURES.cpu;
  for (const bad of [
    null,
    undefined,
    7,
    [1],
    {},
    without,
    { ...FIGURES, version: CALIBRATION_VERSION - 1 },
    { ...FIGURES, adapter: 5 },
    { ...FIGURES, measuredAtMs: "now" },
    { ...FIGURES, cpu: unhashed },
    { ...FIGURES, cpu: null },
    { ...FIGURES, gpu: { ...FIGURES.cpu, cut: Number.NaN } },
    { ...FIGURES, gpu: { ...FIGURES.cpu, compressMoved: 0 } },
  ]) {
    expect(readFigures(bad)).toBeNull();
  }
});
