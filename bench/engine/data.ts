/**
 * The bytes of the engine bench: those of the kernels bench, repeated or cut to the length that is asked for.
 *
 * @module
 */
import type { RunRange } from "../../core/ports/engine.ts";
import type { KernelData } from "../kernels/data.ts";

/** Its names. */
export const DATA_NAMES = ["text", "code", "random"] as const;
export type DataName = (typeof DATA_NAMES)[number];

/** `length` bytes of each data set, fresh. */
export function sizedData({ text, code, random }: KernelData, length: number): KernelData {
  return { text: repeatedTo(text, length), code: repeatedTo(code, length), random: repeatedTo(random, length) };
}

/** `bytes` over and over, `length` bytes in all, fresh: LZ4 blocks and hashes look no further back than 64 KiB. */
export function repeatedTo(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  for (let at = 0; at < length; at += bytes.length) whole.set(bytes.subarray(0, length - at), at);
  return whole;
}

/** Ranges of `size` bytes that follow each other; the last is what is left. */
export function rangesOf(length: number, size: number): RunRange[] {
  return Array.from({ length: Math.ceil(length / size) }, (_, i) => {
    return { start: i * size, end: Math.min(length, (i + 1) * size) };
  });
}
