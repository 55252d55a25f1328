/**
 * The speed of a transfer and when it ends, honestly: measured between the last times that something arrived, the plan's
 * speed until enough is measured, and unknown rather than wrong while nothing moves. Pure: time is given.
 *
 * The speed is bytes between two arrivals by the time between them, never by the time since the start. On a constant rate the
 * end is told to within 10 % (or 0.2 s) after two seconds, and to within 15 % (0.3 s) five seconds after the rate has changed,
 * where something arrives each second.
 *
 * @module
 */
import { assert } from "../failure.ts";

/** Arrivals further back say nothing, except the last few of a slow transfer. */
export const RATE_WINDOW_MS = 3_000;
const MIN_ARRIVALS = 3;
/** Less than this between the first and the last arrival is no measure. */
const MIN_SPAN_MS = 500;
/** The plan's speed fades within this time of measuring. */
const PLAN_FADE_MS = 2_000;
/** Nothing has moved for this long, and for so many of the usual gaps: it is unknown when it will. */
const STALL_MS = 3_000;
const STALL_GAPS = 4;
/** Arrivals closer than this are one. */
const GRAIN_MS = 20;

interface Arrival {
  /** When it began, and when the last of it was there. */
  readonly fromMs: number;
  readonly atMs: number;
  readonly bytes: number;
}

/** One transfer. Times are of one clock and do not go back. */
export class Eta {
  /** Bytes ascend. The first arrival is where measuring begins: what came before it took a round trip, not time for bytes. */
  #arrivals: Arrival[] = [];
  /** What was done when it began. */
  #begin: Arrival | undefined;
  #plannedBytesPerSec: number | undefined;
  #foundBytes = 0;

  /** What the plan counts on, bytes per second, > 0; undefined without a plan. */
  planned(bytesPerSec: number | undefined): void {
    assert(bytesPerSec === undefined || bytesPerSec > 0, "a plan moves something");
    this.#plannedBytesPerSec = bytesPerSec;
  }

  /** Bytes that are done and did not arrive now (they were there before): they say nothing about speed. */
  found(bytes: number): void {
    this.#foundBytes += bytes;
  }

  /** Tells how many bytes are done; any number of times, also while nothing changes. */
  done(doneBytes: number, nowMs: number): void {
    const bytes = doneBytes - this.#foundBytes;
    this.#begin ??= { fromMs: nowMs, atMs: nowMs, bytes };
    const last = this.#arrivals.at(-1);
    if (bytes <= (last ?? this.#begin).bytes) return;
    const isSame = last !== undefined && nowMs - last.fromMs < GRAIN_MS;
    if (isSame) this.#arrivals.pop();
    this.#arrivals.push({ fromMs: isSame ? last.fromMs : nowMs, atMs: nowMs, bytes });
    const old = nowMs - RATE_WINDOW_MS;
    while (this.#arrivals.length > MIN_ARRIVALS && (this.#arrivals[0]?.atMs ?? nowMs) < old) this.#arrivals.shift();
  }

  /** It is paused, or the way was lost: what was measured before says nothing about what comes. */
  interrupted(): void {
    this.#arrivals = [];
    this.#begin = undefined;
  }

  /** Bytes per second; 0 while nothing moves or too little is measured. */
  bytesPerSec(nowMs: number): number {
    return this.#measure(nowMs)?.bytesPerSec ?? 0;
  }

  /** Milliseconds until the rest is done, ≥ 0; null while that is unknown. */
  leftMs(leftBytes: number, nowMs: number): number | null {
    if (leftBytes <= 0) return 0;
    const planned = this.#plannedBytesPerSec;
    const measured = this.#measure(nowMs);
    if (measured === undefined) {
      const isStalled = this.#begin === undefined || this.#isStalled(nowMs);
      return isStalled || planned === undefined ? null : (leftBytes * 1000) / planned;
    }
    const share = planned === undefined ? 1 : Math.min(1, measured.spanMs / PLAN_FADE_MS);
    const bytesPerSec = share * measured.bytesPerSec + (1 - share) * (planned ?? 0);
    // What is on its way since the last arrival is not counted in bytes yet.
    return Math.max(0, (leftBytes * 1000) / bytesPerSec - Math.min(measured.quietMs, this.#gapMs));
  }

  /** Between two arrivals, on average; 0 before there are two. */
  get #gapMs(): number {
    const spanMs = (this.#arrivals.at(-1)?.atMs ?? 0) - (this.#arrivals[0]?.atMs ?? 0);
    return spanMs / Math.max(1, this.#arrivals.length - 1);
  }

  #isStalled(nowMs: number): boolean {
    const quietMs = nowMs - ((this.#arrivals.at(-1) ?? this.#begin)?.atMs ?? nowMs);
    return quietMs > STALL_MS && quietMs > STALL_GAPS * this.#gapMs;
  }

  #measure(nowMs: number): { bytesPerSec: number; spanMs: number; quietMs: number } | undefined {
    const first = this.#arrivals[0];
    const last = this.#arrivals.at(-1);
    if (first === undefined || last === undefined || this.#isStalled(nowMs)) return undefined;
    const spanMs = last.atMs - first.atMs;
    if (spanMs < MIN_SPAN_MS) return undefined;
    // What is later than usual makes it slower than it was.
    const quietMs = nowMs - last.atMs;
    const lateMs = Math.max(0, quietMs - this.#gapMs);
    return { bytesPerSec: ((last.bytes - first.bytes) * 1000) / (spanMs + lateMs), spanMs, quietMs };
  }
}
