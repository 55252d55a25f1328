/**
 * Decides by measurement whether a transfer that runs over WebTransport should move to TCP: after enough bytes on the
 * one, the same number of bytes is moved over the other, and TCP stays only if it was much faster. Pure.
 *
 * @module
 */
import { MIB } from "../units.ts";

/** Bytes moved on each path before it is judged. */
export const TRIAL_BYTES = 24 * MIB;
/** TCP must be this many times faster; WebTransport is kept otherwise, for its behaviour on lossy lines. */
export const MUCH_FASTER = 1.5;

/** What the trial wants next, or has decided. */
export type TrialStep = "measure-first" | "try-second" | "keep-first" | "keep-second";

/** Goodput of one path from its first completed object on; the first completion pays for connecting and filling. */
class Meter {
  #firstMs: number | undefined;
  #bytes = 0;

  /** @returns true when enough was moved */
  add(bytes: number, nowMs: number): boolean {
    if (this.#firstMs === undefined) this.#firstMs = nowMs;
    else this.#bytes += bytes;
    return this.#bytes >= TRIAL_BYTES && nowMs > this.#firstMs;
  }

  bytesPerMs(nowMs: number): number {
    return this.#bytes / Math.max(1, nowMs - (this.#firstMs ?? nowMs));
  }
}

/** One comparison of two paths; a fresh one for each connection. */
export class PathTrial {
  readonly #meters = { first: new Meter(), second: new Meter() };
  #step: TrialStep = "measure-first";
  #firstRate = 0;

  get step(): TrialStep {
    return this.#step;
  }

  /** Counts a completed object. @returns the step from now on */
  record(path: "first" | "second", bytes: number, nowMs: number): TrialStep {
    if (this.#step === "measure-first" && path === "first" && this.#meters.first.add(bytes, nowMs)) {
      this.#firstRate = this.#meters.first.bytesPerMs(nowMs);
      this.#step = "try-second";
    } else if (this.#step === "try-second" && path === "second" && this.#meters.second.add(bytes, nowMs)) {
      const faster = this.#meters.second.bytesPerMs(nowMs) >= MUCH_FASTER * this.#firstRate;
      this.#step = faster ? "keep-second" : "keep-first";
    }
    return this.#step;
  }

  /** The second path could not be connected. */
  giveUp(): void {
    this.#step = "keep-first";
  }
}
