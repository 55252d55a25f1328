/**
 * Which codec the next batch should try, from what was measured in this transfer: what each codec costs and saves, what
 * the rest of the engine costs, and what the path carries while it is the one that is waited for.
 *
 * Costs are those of the quickest batch of late. A slower one was disturbed, by the other threads of this very transfer
 * where there are few cores, and a codec is not to blame for what fewer bytes on the wire would ease.
 *
 * @module
 */
import { type CodecRate, chooseCodec } from "../compress/choose-codec.ts";
import type { Codec } from "../ports/engine.ts";

/** Weight of the newest batch. */
const ALPHA = 0.2;
/** Weight of a batch that was slower than the quickest. */
const SLOWER_ALPHA = 0.02;
/** Growth of the path's estimate with each pack that did not wait for it: twice as much after 24 packs. */
const FREE_GROWTH = 1.03;
/** Before anything was measured: bytes per second and ratios of one ordinary core on ordinary data. */
const LZ4_PRIOR: CodecCost = { bytesPerSecond: 450e6, share: 1, ratio: 1.5 };
const ZSTD_PRIOR: CodecCost = { bytesPerSecond: 250e6, share: 1, ratio: 1.9 };
const ENGINE_PRIOR = 500e6;
/** Zstandard's ratio beside LZ4's on the same data, while only LZ4 was tried. */
const ZSTD_GAIN = 1.25;

interface CodecCost extends CodecRate {
  /** Share of the bytes that were worth compressing; the others are passed over after a glance. */
  readonly share: number;
}

/** What one batch cost; bytes are of new chunks only. */
export interface CodecSample {
  readonly codec: Codec;
  readonly plainBytes: number;
  /** Of these, bytes that were compressed and not stored as they are. */
  readonly shrunkBytes: number;
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
      lz4: effective(this.#lz4),
      zstd: effective(this.#zstd),
    });
  }

  record({ codec, plainBytes, shrunkBytes, storedBytes, scanMs, compressMs }: CodecSample): void {
    if (plainBytes === 0) return;
    this.#engineBytesPerSecond = quickest(this.#engineBytesPerSecond, rate(plainBytes, scanMs));
    if (codec === "none") return;
    const old = codec === "lz4" ? this.#lz4 : this.#zstd;
    const seen: CodecCost = {
      bytesPerSecond:
        shrunkBytes === 0 ? old.bytesPerSecond : quickest(old.bytesPerSecond, rate(shrunkBytes, compressMs)),
      share: blend(old.share, shrunkBytes / plainBytes),
      ratio: blend(old.ratio, plainBytes / Math.max(1, storedBytes)),
    };
    if (codec === "lz4") this.#lz4 = seen;
    else this.#zstd = seen;
    this.#zstdTried ||= codec === "zstd";
    if (!this.#zstdTried)
      this.#zstd = { ...this.#zstd, share: this.#lz4.share, ratio: 1 + (this.#lz4.ratio - 1) * ZSTD_GAIN };
  }

  /** The network was the one to wait for while `bytes` were acknowledged in `ms`. */
  networkBound(bytes: number, ms: number): void {
    // Times are blended, not rates, so that one estimate that was far too high is forgotten soon.
    const [old, seen] = [this.#pathBytesPerSecond, rate(bytes, ms)];
    this.#pathBytesPerSecond = old === Number.POSITIVE_INFINITY ? seen : 1 / blend(1 / old, 1 / seen);
  }

  /** The network kept up: it carries at least this, so the estimate is let go upwards. */
  networkFree(): void {
    this.#pathBytesPerSecond *= FREE_GROWTH;
  }
}

function effective({ bytesPerSecond, share, ratio }: CodecCost): CodecRate {
  return { bytesPerSecond: bytesPerSecond / Math.max(0.01, share), ratio };
}

function rate(bytes: number, ms: number): number {
  return (bytes * 1000) / Math.max(0.1, ms);
}

function blend(old: number, seen: number): number {
  return old + ALPHA * (seen - old);
}

function quickest(old: number, seen: number): number {
  return seen > old ? seen : old + SLOWER_ALPHA * (seen - old);
}
