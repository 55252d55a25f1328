/**
 * A rate limit that is a rate: what passed in any time is at most that time's worth and one burst. Pure: time is given.
 *
 * @module
 */
import { assert } from "../failure.ts";

/** Starts full; times do not go back. */
export class TokenBucket {
  readonly bytesPerSec: number;
  readonly burstBytes: number;
  #bytes: number;
  #atMs: number | undefined;

  /** @param burstBytes what may pass at once; nothing larger ever does */
  constructor(bytesPerSec: number, burstBytes: number) {
    assert(bytesPerSec > 0 && burstBytes > 0, "a limit lets something pass");
    this.bytesPerSec = bytesPerSec;
    this.burstBytes = burstBytes;
    this.#bytes = burstBytes;
  }

  /** Takes the bytes if they are there. @returns whether they may pass now */
  take(bytes: number, nowMs: number): boolean {
    if (this.waitMs(bytes, nowMs) > 0) return false;
    this.#bytes -= bytes;
    return true;
  }

  /** Milliseconds until so many bytes may pass: 0 now, Infinity never. */
  waitMs(bytes: number, nowMs: number): number {
    const passedMs = Math.max(0, nowMs - (this.#atMs ?? nowMs));
    this.#atMs = Math.max(nowMs, this.#atMs ?? nowMs);
    this.#bytes = Math.min(this.burstBytes, this.#bytes + (passedMs * this.bytesPerSec) / 1000);
    if (bytes > this.burstBytes) return Number.POSITIVE_INFINITY;
    return Math.max(0, ((bytes - this.#bytes) * 1000) / this.bytesPerSec);
  }
}
