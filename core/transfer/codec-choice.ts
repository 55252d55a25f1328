/**
 * Which codec the next batch should try, from what was measured in this transfer: what each codec costs and saves, what
 * the rest of the engine costs, and what the path carries while it is the one that is waited for.
 *
 * @module
 */
import { type CodecRate, chooseCodec } from "../compress/choose-codec.ts";
import type { Codec } from "../ports/engine.ts";

/** Weight of the newest batch. */
const ALPHA = 0.2;
/** Before anything was measured: bytes per second and ratios of one ordinary core on ordinary data. */
const LZ4_PRIOR: CodecRate = { bytesPerSecond: 450e6, ratio: 1.5 };
const ZSTD_PRIOR: CodecRate = { bytesPerSecond: 250e6, ratio: 1.9 };
const ENGINE_PRIOR = 500e6;
/** Zstandard's ratio beside LZ4's on the same data, while only LZ4 was tried. */
const ZSTD_GAIN = 1.25;

/** What one batch cost; bytes are of new chunks only. */
export interface CodecSample {
  readonly codec: Codec;
  readonly plainBytes: number;
  readonly storedBytes: number;
  readonly scanMs: number;
  readonly compressMs: number;
}

/** The measurements of one send. */
export class CodecChoice {
  #lz4 = LZ4_PRIOR;
  #zstd = ZSTD_PRIOR;
  #zstdTried = false;
  #engineBytesPerSecond = ENGINE_PRIOR;
  /** Unknown, and so unlimited, until the network was waited for. */
  #pathBytesPerSecond = Number.POSITIVE_INFINITY;

  get current(): Codec {
    return chooseCodec({
      pathBytesPerSecond: this.#pathBytesPerSecond,
      engineBytesPerSecond: this.#engineBytesPerSecond,
      lz4: this.#lz4,
      zstd: this.#zstd,
    });
  }

  record({ codec, plainBytes, storedBytes, scanMs, compressMs }: CodecSample): void {
    if (plainBytes === 0) return;
    this.#engineBytesPerSecond = blend(this.#engineBytesPerSecond, rate(plainBytes, scanMs));
    if (codec === "none") return;
    const seen = { bytesPerSecond: rate(plainBytes, compressMs), ratio: plainBytes / Math.max(1, storedBytes) };
    if (codec === "lz4") this.#lz4 = blendRates(this.#lz4, seen);
    else this.#zstd = blendRates(this.#zstd, seen);
    this.#zstdTried ||= codec === "zstd";
    if (!this.#zstdTried) this.#zstd = { ...this.#zstd, ratio: 1 + (this.#lz4.ratio - 1) * ZSTD_GAIN };
  }

  /** The network was the one to wait for while `bytes` were acknowledged in `ms`. */
  networkBound(bytes: number, ms: number): void {
    const seen = rate(bytes, ms);
    this.#pathBytesPerSecond = Number.isFinite(this.#pathBytesPerSecond) ? blend(this.#pathBytesPerSecond, seen) : seen;
  }

  /** The network kept up: it carries at least this, so the estimate is let go upwards. */
  networkFree(): void {
    this.#pathBytesPerSecond *= 1 + ALPHA;
  }
}

function rate(bytes: number, ms: number): number {
  return (bytes * 1000) / Math.max(0.1, ms);
}

function blend(old: number, seen: number): number {
  return old + ALPHA * (seen - old);
}

function blendRates(old: CodecRate, seen: CodecRate): CodecRate {
  return { bytesPerSecond: blend(old.bytesPerSecond, seen.bytesPerSecond), ratio: blend(old.ratio, seen.ratio) };
}
