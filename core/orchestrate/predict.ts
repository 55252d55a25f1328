/**
 * Which packs will be wanted next. Packs go by their number in the transfer, which follows the order of the files; nothing is
 * read into hashes. Pure: time is given.
 *
 * Four things are looked for: a file that somebody has open, packs asked for one after the other (forwards or backwards), the
 * file after the one that is read, and packs that are asked for far more often than others. Random access has none of them,
 * and then nothing is predicted.
 *
 * @module
 */
import { assert } from "../failure.ts";

/** Accesses that are looked at: this many, none older. */
export const MAX_ACCESSES = 10_000;
export const ACCESS_WINDOW_MS = 60_000;
/** Packs in a row that make a sequence. */
export const MIN_SEQUENTIAL = 5;
/** Accesses that make a pack hot, if that is also so many times what each pack would have by chance. */
export const MIN_HOT = 10;
const HOT_FACTOR = 4;
/** How far ahead of a sequence or a reader is looked. */
export const LOOK_AHEAD_PACKS = 10;

/** The first pack is as sure as that; each one after it a little less, at least the last figure. */
const SURE = { open: 0.95, hot: 0.95, sequential: 0.9, nextFile: 0.7 };
const LESS_SURE_EACH = 0.03;
const LEAST_SURE = 0.5;

/** Packs of one file: `start` to `end` (excluded), by number. */
export interface PackSpan {
  readonly start: number;
  readonly end: number;
}

/** A pack that will be wanted, and why that is believed. */
export interface Prediction {
  readonly pack: number;
  /** 0 to 1. */
  readonly confidence: number;
  readonly why: "open" | "sequential" | "next-file" | "hot";
}

/** What one receiver does. */
export class Predictor {
  readonly #packs: number;
  readonly #files: readonly PackSpan[];
  #accesses: { readonly pack: number; readonly atMs: number }[] = [];
  readonly #counts = new Map<number, number>();
  #open: { readonly span: PackSpan; at: number } | undefined;
  /** The last pack, how many were in a row, and which way; repeats of it change nothing. */
  #last = -1;
  #run = 0;
  #step = 0;

  /**
   * @param packs packs of the transfer
   * @param files spans of its files, in their order, starts ascending; files may share packs
   */
  constructor(packs: number, files: readonly PackSpan[]) {
    assert(
      files.every(({ start, end }, i) => start >= (files[i - 1]?.start ?? 0) && start <= end && end <= packs),
      "files are made of packs, in order",
    );
    this.#packs = packs;
    this.#files = files;
  }

  /** Somebody opened a file, and reads at its pack `at`; undefined: closed it. */
  opened(span: PackSpan | undefined, at = span?.start ?? 0): void {
    this.#open = span && { span, at };
  }

  /** A pack was asked for. */
  accessed(pack: number, nowMs: number): void {
    assert(pack >= 0 && pack < this.#packs, "packs are numbered");
    this.#accesses.push({ pack, atMs: nowMs });
    this.#counts.set(pack, (this.#counts.get(pack) ?? 0) + 1);
    this.#forget(nowMs);
    if (this.#open !== undefined && pack >= this.#open.span.start && pack < this.#open.span.end) this.#open.at = pack;
    const step = pack - this.#last;
    if (step === 0) return;
    const isOn = Math.abs(step) === 1 && this.#last >= 0;
    this.#run = isOn && (step === this.#step || this.#run === 1) ? this.#run + 1 : isOn ? 2 : 1;
    this.#step = isOn ? step : 0;
    this.#last = pack;
  }

  /** Packs that will be wanted, the surest first, none twice; empty where no pattern is seen. */
  predict(nowMs: number): Prediction[] {
    this.#forget(nowMs);
    const best = new Map<number, Prediction>();
    const say = (pack: number, step: number, why: Prediction["why"], sure: number) => {
      const confidence = Math.max(LEAST_SURE, sure - LESS_SURE_EACH * step);
      if (pack < 0 || pack >= this.#packs || confidence <= (best.get(pack)?.confidence ?? 0)) return;
      best.set(pack, { pack, confidence, why });
    };
    if (this.#open !== undefined) {
      const { span, at } = this.#open;
      for (let step = 0; step < LOOK_AHEAD_PACKS && at + step < span.end; step++)
        say(at + step, step, "open", SURE.open);
      if (at + LOOK_AHEAD_PACKS >= span.end) this.#sayNextFile(span.end - 1, say);
    }
    const isRecent = this.#accesses.at(-1)?.pack === this.#last;
    if (isRecent && this.#run >= MIN_SEQUENTIAL) {
      for (let step = 1; step <= LOOK_AHEAD_PACKS; step++) {
        say(this.#last + step * this.#step, step - 1, "sequential", SURE.sequential);
      }
    }
    const byChance = this.#accesses.length / this.#packs;
    for (const [pack, count] of this.#counts) {
      if (count >= MIN_HOT && count >= HOT_FACTOR * byChance) say(pack, 0, "hot", SURE.hot);
    }
    return [...best.values()].sort((a, b) => b.confidence - a.confidence || a.pack - b.pack);
  }

  /** The file that begins after a pack, or in it. */
  #sayNextFile(lastPack: number, say: (pack: number, step: number, why: "next-file", sure: number) => void): void {
    let low = 0;
    for (let high = this.#files.length; low < high; ) {
      const middle = (low + high) >>> 1;
      if ((this.#files[middle]?.start ?? 0) < lastPack) low = middle + 1;
      else high = middle;
    }
    // Small files may lie in the pack that is read.
    let next = this.#files[low];
    while (next !== undefined && next.end <= lastPack + 1) next = this.#files[++low];
    if (next === undefined) return;
    const from = Math.max(next.start, lastPack + 1);
    for (let step = 0; step < LOOK_AHEAD_PACKS && from + step < next.end; step++) {
      say(from + step, step, "next-file", SURE.nextFile);
    }
  }

  #forget(nowMs: number): void {
    let old = 0;
    while (
      old < this.#accesses.length - MAX_ACCESSES ||
      nowMs - (this.#accesses[old]?.atMs ?? nowMs) > ACCESS_WINDOW_MS
    ) {
      const { pack } = this.#accesses[old] ?? { pack: -1 };
      const count = (this.#counts.get(pack) ?? 1) - 1;
      if (count === 0) this.#counts.delete(pack);
      else this.#counts.set(pack, count);
      old += 1;
    }
    if (old > 0) this.#accesses.splice(0, old);
  }
}
