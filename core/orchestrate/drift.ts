/**
 * Finds edges whose measured rate leaves the plan. What counts is work done while the edge was busy, never time that went by.
 * Pure: time is given.
 *
 * Shown is an average (α 0.3) of measured ÷ planned rate. Alarms come from two tests of the Page-Hinkley kind on the
 * logarithm of that quotient, each to both sides. A small bias of the plan (its rates were measured on a noisy line) is learnt
 * and taken off, up to 20 %, so that only a change adds up:
 *
 * - *quick*: δ 25 %, λ 0.9, and the average must be 30 % off: a rate that halves is found within five samples;
 * - *patient*: δ 5 %, λ 6: a rate that falls by a fifth is found within some fifty.
 *
 * On a line with noise of ±30 % around its planned rate, 200 hours of samples (one each 50 ms) gave no alarm; where the noise
 * is a bell with a deviation of 15 %, whose tails know no bounds, three in 180 hours. A halved rate was told within five
 * samples 998 times in a thousand, and always within seven. An alarm is told once for each plan.
 *
 * @module
 */
import { assert } from "../failure.ts";

/** Share of a new sample in the average. */
export const DRIFT_ALPHA = 0.3;
/** No edge is judged with fewer samples than this in that time. */
export const DRIFT_MIN_SAMPLES = 5;
export const DRIFT_WINDOW_MS = 5_000;
/** How far the average must be off for the quick test. */
export const DRIFT_THRESHOLD = 0.3;

const QUICK = { delta: 0.25, lambda: 0.9 };
/** So many samples in a row must say it: after a pause of this machine one alone may say anything. */
const QUICK_SAMPLES = 3;
const PATIENT = { delta: 0.05, lambda: 6 };
/** The bias that is taken off at most, and how many samples without any it begins with. */
const MAX_BIAS = 0.2;
const BIAS_PRIOR_SAMPLES = 20;
/** No single sample counts for more than a factor of eight. */
const MAX_LOG = Math.log(8);

/** An edge that leaves its plan. */
export interface DriftAlarm {
  readonly edge: number;
  /** Measured ÷ planned rate, averaged: 0.5 is half as fast as planned. */
  readonly ratio: number;
  /** Mean of the samples since the change began, five at the most: what to plan with (`Bandwidth.restart`). */
  readonly bytesPerSec: number;
}

/** What has added up to one side. */
class Sums {
  #quick = 0;
  #patient = 0;
  /** Samples since the quick sum left 0: where a change was found, so long ago it began. */
  run = 0;

  add(shift: number): void {
    this.#quick = Math.max(0, this.#quick + shift - QUICK.delta);
    this.run = this.#quick > 0 ? this.run + 1 : 0;
    this.#patient = Math.max(0, this.#patient + shift - PATIENT.delta);
  }

  get isQuick(): boolean {
    return this.#quick > QUICK.lambda && this.run >= QUICK_SAMPLES;
  }

  get isPatient(): boolean {
    return this.#patient > PATIENT.lambda;
  }
}

/** One edge since its plan. */
class EdgeDrift {
  readonly plannedBytesPerSec: number;
  #ratio: number | undefined;
  /** The last samples, in a ring: they say nothing about the bias, a change may have begun in them. */
  readonly #logs = new Float64Array(DRIFT_MIN_SAMPLES);
  readonly #atMs = new Float64Array(DRIFT_MIN_SAMPLES);
  #samples = 0;
  /** Sum of those before. */
  #biasSum = 0;
  readonly #slower = new Sums();
  readonly #faster = new Sums();
  isTold = false;

  constructor(plannedBytesPerSec: number) {
    this.plannedBytesPerSec = plannedBytesPerSec;
  }

  /** undefined while there are too few recent samples. */
  ratio(nowMs: number): number | undefined {
    const oldestMs = this.#atMs[this.#samples % DRIFT_MIN_SAMPLES] ?? 0;
    const isKnown = this.#samples >= DRIFT_MIN_SAMPLES && nowMs - oldestMs <= DRIFT_WINDOW_MS;
    return isKnown ? this.#ratio : undefined;
  }

  /** @returns whether the edge has left its plan */
  add(sample: number, nowMs: number): boolean {
    const log = Math.min(MAX_LOG, Math.max(-MAX_LOG, Math.log(sample)));
    const before = Math.max(0, this.#samples - DRIFT_MIN_SAMPLES);
    const bias = this.#biasSum / (before + BIAS_PRIOR_SAMPLES);
    const knownBias = Math.min(MAX_BIAS, Math.max(-MAX_BIAS, bias));
    const slot = this.#samples % DRIFT_MIN_SAMPLES;
    this.#biasSum += this.#logs[slot] ?? 0;
    this.#logs[slot] = log;
    this.#atMs[slot] = nowMs;
    this.#samples += 1;
    this.#ratio = this.#ratio === undefined ? sample : this.#ratio + DRIFT_ALPHA * (sample - this.#ratio);
    this.#slower.add(knownBias - log);
    this.#faster.add(log - knownBias);
    if (this.ratio(nowMs) === undefined) return false;
    const isFar = Math.abs(this.#ratio / Math.exp(knownBias) - 1) >= DRIFT_THRESHOLD;
    const isQuick = isFar && (this.#slower.isQuick || this.#faster.isQuick);
    return isQuick || this.#slower.isPatient || this.#faster.isPatient;
  }

  /** Mean rate since the change, or of the last samples where it came slowly. */
  get recentBytesPerSec(): number {
    const run = Math.max(this.#slower.run, this.#faster.run);
    const count = run === 0 ? DRIFT_MIN_SAMPLES : Math.min(run, DRIFT_MIN_SAMPLES);
    let sum = 0;
    for (let back = 1; back <= count; back++) sum += this.#logs[(this.#samples - back) % DRIFT_MIN_SAMPLES] ?? 0;
    const mean = sum / count;
    return this.plannedBytesPerSec * Math.exp(mean);
  }
}

/** The drift of all edges of one transfer and direction. */
export class Drift {
  readonly #edges = new Map<number, EdgeDrift>();

  /** A plan counts on this rate of an edge from now on: what was measured against the old one is forgotten, alarms are re-armed. */
  planned(edge: number, bytesPerSec: number): void {
    assert(bytesPerSec > 0, "a plan counts on edges that carry something");
    this.#edges.set(edge, new EdgeDrift(bytesPerSec));
  }

  /** The edge is in no plan any more. */
  forget(edge: number): void {
    this.#edges.delete(edge);
  }

  /** Measured ÷ planned rate, averaged; undefined without a plan or enough recent samples. */
  ratio(edge: number, nowMs: number): number | undefined {
    return this.#edges.get(edge)?.ratio(nowMs);
  }

  /**
   * Counts what an edge carried while it was busy (see edge/busy-meter.ts).
   *
   * @returns the alarm, the first time since the plan that there is cause for one
   */
  add(edge: number, bytes: number, busyMs: number, nowMs: number): DriftAlarm | undefined {
    assert(bytes > 0 && busyMs > 0, "a sample is bytes in time");
    const drift = this.#edges.get(edge);
    if (drift === undefined) return undefined;
    const hasLeft = drift.add((bytes * 1000) / busyMs / drift.plannedBytesPerSec, nowMs);
    if (!hasLeft || drift.isTold) return undefined;
    drift.isTold = true;
    return { edge, ratio: drift.ratio(nowMs) ?? 1, bytesPerSec: drift.recentBytesPerSec };
  }
}
