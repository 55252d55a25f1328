import { describe, expect, it } from "vitest";
import { sequence } from "../../tests/support/fake-effort.ts";
import { DRIFT_WINDOW_MS, Drift } from "./drift.ts";

const EDGE = 3;
const PLANNED = 10_000_000;
const STEP_MS = 50;
/** One hour of samples. */
const HOUR = 72_000;

/** Factors of noise around 1 by a seed. */
type Noise = (seed: number) => () => number;

function uniform(seed: number): () => number {
  const random = sequence(Math.imul(seed, 0x9e3779b1) | 1);
  return () => random() / 2 ** 32;
}

/** Anything from -30 % to +30 %, alike. */
const even: Noise = (seed) => {
  const random = uniform(seed);
  return () => 0.7 + 0.6 * random();
};

/** A bell with a standard deviation of 15 %, so that 30 % off is two of them. */
const bell: Noise = (seed) => {
  const random = uniform(seed);
  return () => Math.max(0.1, 1 + 0.15 * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()));
};

/** One edge with samples of 50 ms. */
class Line {
  readonly drift = new Drift();
  nowMs = 0;

  constructor(plannedBytesPerSec = PLANNED) {
    this.drift.planned(EDGE, plannedBytesPerSec);
  }

  add(bytesPerSec: number) {
    this.nowMs += STEP_MS;
    return this.drift.add(EDGE, (bytesPerSec * STEP_MS) / 1000, STEP_MS, this.nowMs);
  }
}

/** Alarms in an hour of samples whose mean is `bias` times the plan. */
function alarmsInAnHour(noise: Noise, seed: number, bias: number): number {
  const line = new Line();
  const factor = noise(seed);
  let alarms = 0;
  for (let i = 0; i < HOUR; i++) {
    if (line.add(PLANNED * bias * factor()) === undefined) continue;
    alarms += 1;
    line.drift.planned(EDGE, PLANNED);
  }
  return alarms;
}

/** Samples from a change of rate to the alarm; 99 if there is none within 20. */
function samplesUntilTold(noise: Noise, seed: number, healthy: number, change: number): number {
  const line = new Line();
  const factor = noise(seed);
  for (let i = 0; i < healthy; i++) line.add(PLANNED * factor());
  for (let i = 1; i <= 20; i++) if (line.add(PLANNED * change * factor()) !== undefined) return i;
  return 99;
}

const seeds = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

describe("Drift of a healthy edge", () => {
  it("is 1, and there is no alarm at any time from the first sample on", () => {
    const line = new Line();
    const told = [];
    let off = 0;
    for (let i = 1; i <= HOUR; i++) {
      told.push(...[line.add(PLANNED)].filter((alarm) => alarm !== undefined));
      if (i >= 5) off = Math.max(off, Math.abs((line.drift.ratio(EDGE, line.nowMs) ?? 0) - 1));
    }
    expect(told).toEqual([]);
    expect(off).toBeLessThan(1e-9);
  });

  it("gives no alarm in 200 hours of samples with ±30 % noise", () => {
    const alarms = seeds(200).map((seed) => alarmsInAnHour(even, seed, 1));
    expect(alarms.reduce((a, b) => a + b)).toBe(0);
  });

  it.each([0.94, 1.06])("gives no alarm in 30 hours of that noise where the plan is wrong by 6 % too", (bias) => {
    const alarms = seeds(30).map((seed) => alarmsInAnHour(even, seed, bias));
    expect(alarms.reduce((a, b) => a + b)).toBe(0);
  });

  it.each([0.94, 1, 1.06])("gives an alarm in ten hours at most where noise knows no bounds, plan times %s", (bias) => {
    const alarms = seeds(30).map((seed) => alarmsInAnHour(bell, seed, bias));
    expect(alarms.reduce((a, b) => a + b)).toBeLessThanOrEqual(3);
  });

  it("says nothing of time that goes by: an edge that rests drifts nowhere, and is unknown until it works again", () => {
    const line = new Line();
    for (let i = 0; i < 10; i++) line.add(PLANNED);
    expect(line.drift.ratio(EDGE, line.nowMs)).toBe(1);
    line.nowMs += DRIFT_WINDOW_MS;
    expect(line.drift.ratio(EDGE, line.nowMs)).toBeUndefined();
    line.nowMs += 60_000;
    expect(line.add(PLANNED)).toBeUndefined();
    expect(line.drift.ratio(EDGE, line.nowMs)).toBeUndefined();
  });
});

describe("Drift of an edge that changes", () => {
  it("is told within five samples when the rate halves or doubles", () => {
    for (const healthy of [0, 5, 20, 1000]) {
      expect(samplesUntilTold(() => () => 1, 1, healthy, 0.5)).toBeLessThanOrEqual(5);
      expect(samplesUntilTold(() => () => 1, 1, healthy, 2)).toBeLessThanOrEqual(5);
    }
  });

  it("is told within five samples in noise of ±30 %, but for one time in two hundred, and always within seven", () => {
    const counts = seeds(2000).flatMap((seed) => [
      samplesUntilTold(even, seed, 5 + (seed % 200), 0.5),
      samplesUntilTold(bell, seed, 5 + (seed % 200), 0.5),
    ]);
    expect(counts.filter((count) => count > 5).length / counts.length).toBeLessThanOrEqual(1 / 200);
    expect(Math.max(...counts)).toBeLessThanOrEqual(7);
  });

  it("is told after a while when the rate falls by a fifth or a quarter only", () => {
    for (const change of [0.8, 0.75]) {
      const line = new Line();
      for (let i = 0; i < 200; i++) line.add(PLANNED);
      let samples = 1;
      while (line.add(PLANNED * change) === undefined) samples += 1;
      expect(samples).toBeLessThanOrEqual(55);
    }
  });

  it("tells the edge, how far it is off, and the rate of its last samples", () => {
    const line = new Line();
    for (let i = 0; i < 50; i++) line.add(PLANNED);
    let alarm = line.add(PLANNED / 2);
    for (let i = 0; i < 4; i++) alarm ??= line.add(PLANNED / 2);
    expect(alarm?.edge).toBe(EDGE);
    expect(alarm?.ratio).toBeCloseTo(0.5 + 0.5 * 0.7 ** 3);
    expect(alarm?.bytesPerSec).toBeCloseTo(PLANNED / 2);
  });

  it("is told once, and again only after a new plan that turns out wrong too", () => {
    const line = new Line();
    let alarms = 0;
    for (let i = 0; i < 1000; i++) if (line.add(PLANNED / 2) !== undefined) alarms += 1;
    expect(alarms).toBe(1);
    line.drift.planned(EDGE, PLANNED / 2);
    for (let i = 0; i < 1000; i++) expect(line.add(PLANNED / 2)).toBeUndefined();
    for (let i = 0; i < 5; i++) if (line.add(PLANNED / 5) !== undefined) alarms += 1;
    expect(alarms).toBe(2);
  });

  it("needs five samples in five seconds", () => {
    const line = new Line();
    for (let i = 0; i < 100; i++) {
      line.nowMs += 1300;
      expect(line.add(PLANNED / 4)).toBeUndefined();
    }
    const early = new Line();
    for (let i = 1; i <= 5; i++) expect(early.add(PLANNED / 4) !== undefined).toBe(i === 5);
  });

  it("does not mix edges, and knows nothing of edges without a plan", () => {
    const line = new Line();
    line.drift.planned(4, PLANNED);
    for (let i = 0; i < 50; i++) {
      line.add(PLANNED);
      line.drift.add(4, (PLANNED * STEP_MS) / 4000, STEP_MS, line.nowMs);
      expect(line.drift.add(5, 1, STEP_MS, line.nowMs)).toBeUndefined();
    }
    expect(line.drift.ratio(EDGE, line.nowMs)).toBe(1);
    expect(line.drift.ratio(4, line.nowMs)).toBeCloseTo(0.25);
    expect(line.drift.ratio(5, line.nowMs)).toBeUndefined();
    line.drift.forget(4);
    expect(line.drift.ratio(4, line.nowMs)).toBeUndefined();
  });

  it("refuses samples and plans without bytes or time", () => {
    const drift = new Drift();
    expect(() => drift.planned(0, 0)).toThrow("assertion failed");
    expect(() => drift.add(0, 0, 1, 0)).toThrow("assertion failed");
    expect(() => drift.add(0, 1, 0, 0)).toThrow("assertion failed");
  });
});
