/**
 * Which codec moves a run fastest. Compression and sending overlap, so a codec is as fast as the slower of the two; the
 * cheapest codec wins where that makes no difference.
 *
 * @module
 */
import type { Codec } from "../ports/engine.ts";
import { looksIncompressible, type Probe } from "./entropy.ts";

/** What was measured of one codec. */
export interface CodecRate {
  /** Plain bytes per second that the engine compresses, over all its lanes. */
  readonly bytesPerSecond: number;
  /** Plain bytes for each compressed byte, at least 1. */
  readonly ratio: number;
}

/** What the choice depends on. */
export interface CodecSituation {
  /** Of this run or of data like it; undefined when nothing was looked at yet. */
  readonly probe?: Probe;
  /** What the path carries. */
  readonly pathBytesPerSecond: number;
  /** What the engine does beside compressing (reading, cutting, hashing, sealing), as plain bytes per second. */
  readonly engineBytesPerSecond: number;
  readonly lz4: CodecRate;
  readonly zstd: CodecRate;
}

/** A codec that costs more must be faster by this share. */
const HYSTERESIS = 1.05;

/** The codec with the highest plain bytes per second end to end; `none` when the probe says that nothing will shrink. */
export function chooseCodec({ probe, pathBytesPerSecond, engineBytesPerSecond, lz4, zstd }: CodecSituation): Codec {
  if (probe !== undefined && looksIncompressible(probe)) return "none";
  const speed = ({ bytesPerSecond, ratio }: CodecRate): number => {
    const engine = 1 / (1 / engineBytesPerSecond + 1 / bytesPerSecond);
    return Math.min(engine, pathBytesPerSecond * Math.max(1, ratio));
  };
  let best: Codec = "none";
  let fastest = Math.min(engineBytesPerSecond, pathBytesPerSecond);
  for (const [codec, rate] of [
    ["lz4", lz4],
    ["zstd", zstd],
  ] as const) {
    if (speed(rate) <= fastest * HYSTERESIS) continue;
    best = codec;
    fastest = speed(rate);
  }
  return best;
}
