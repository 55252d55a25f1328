import { describe, expect, it } from "vitest";
import { MIB } from "../units.ts";
import { PathTrial, TRIAL_BYTES } from "./path-trial.ts";

/** Moves packs over both paths, each at its speed in bytes per millisecond, as the trial directs. */
function race(first: number, second: number): { step: string; firstBytes: number; secondBytes: number } {
  const trial = new PathTrial();
  let nowMs = 0;
  const moved = { first: 0, second: 0 };
  for (let pack = 0; pack < 100 && !trial.step.startsWith("keep"); pack++) {
    const path = trial.step === "try-second" ? "second" : "first";
    nowMs += (4 * MIB) / (path === "first" ? first : second);
    moved[path] += 4 * MIB;
    trial.record(path, 4 * MIB, nowMs);
  }
  return { step: trial.step, firstBytes: moved.first, secondBytes: moved.second };
}

describe("the trial of the second path", () => {
  it("[EDGE-4] moves to it only when it is at least 1.5 times faster", () => {
    expect(race(10_000, 14_900).step).toBe("keep-first");
    expect(race(10_000, 15_100).step).toBe("keep-second");
    expect(race(10_000, 100_000).step).toBe("keep-second");
    expect(race(10_000, 1_000).step).toBe("keep-first");
  });

  it("[EDGE-4] begins after enough bytes and ends after as many", () => {
    const { firstBytes, secondBytes } = race(10_000, 10_000);
    expect(firstBytes).toBe(TRIAL_BYTES + 4 * MIB);
    expect(secondBytes).toBe(TRIAL_BYTES + 4 * MIB);
  });

  it("[EDGE-4] does not begin in a short transfer, and ends for good when there is no second path", () => {
    const trial = new PathTrial();
    for (let pack = 0; pack < 6; pack++) expect(trial.record("first", 4 * MIB, 10 * pack)).toBe("measure-first");
    expect(trial.record("second", 100 * MIB, 100)).toBe("measure-first");
    expect(trial.record("first", 4 * MIB, 60)).toBe("try-second");
    trial.giveUp();
    expect(trial.record("second", 100 * MIB, 70)).toBe("keep-first");
    expect(trial.step).toBe("keep-first");
  });

  it("[EDGE-4] ignores the first path's last objects while the second is measured", () => {
    const trial = new PathTrial();
    for (let pack = 0; pack < 7; pack++) trial.record("first", 4 * MIB, 10 * pack);
    expect(trial.step).toBe("try-second");
    for (let pack = 0; pack < 20; pack++) expect(trial.record("first", 4 * MIB, 100 + pack)).toBe("try-second");
  });
});
