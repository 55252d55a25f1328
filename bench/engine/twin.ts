/**
 * The CPU twins of the shaders, for comparing results.
 *
 * @module
 */
import type { CutRule } from "../../core/chunk/cut-sizes.ts";
import { gearFinder } from "../../core/chunk/gear.ts";
import { STRICT_CANDIDATE } from "../../core/chunk/select-cuts.ts";
import { LZ4_BLOCK_BYTES } from "../../core/compress/lz4-frame.ts";
import { MIB } from "../../core/units.ts";
import { equalBytes } from "../../core/wire/codec.ts";
import type { Kernels } from "../../kernels/loader.ts";
import { PROBE_WORDS } from "../../shaders/probe-entropy.ts";
import { rangesOf } from "./data.ts";

/** Positions before it can be no cut; the shader leaves them out. */
const FIRST_CANDIDATE = 31;

/** A block of 64 KiB (or what is left of the data), and its compressed bytes; undefined when it did not become smaller. */
export interface TwinBlock {
  readonly start: number;
  readonly length: number;
  readonly packed: Uint8Array | undefined;
}

/** All loose candidates, strict ones marked, sorted by the marked word. */
export function twinCandidates(bytes: Uint8Array, { looseBits, strictBits }: CutRule): Uint32Array {
  const find = gearFinder(bytes);
  const found: number[] = [];
  for (let at = find(FIRST_CANDIDATE, bytes.length, looseBits); at >= 0; at = find(at + 1, bytes.length, looseBits)) {
    found.push(find(at, at + 1, strictBits) === at ? at + STRICT_CANDIDATE : at);
  }
  return Uint32Array.from(found).sort();
}

/** The probe of one range: u32[PROBE_WORDS]. */
export function twinProbe({ call, bytes, input, table }: Kernels, range: Uint8Array): Uint32Array {
  bytes.set(range, input);
  call.probeEntropy(input, range.length, table);
  return new Uint32Array(bytes.slice(table, table + 4 * PROBE_WORDS).buffer);
}

/** Every block of the bytes, compressed. */
export function twinCompress(kernels: Kernels, plain: Uint8Array): TwinBlock[] {
  const { call, bytes, input, output, table, lz4SlotBytes } = kernels;
  const view = new DataView(bytes.buffer);
  return rangesOf(plain.length, MIB).flatMap((run) => {
    bytes.set(plain.subarray(run.start, run.end), input);
    call.compressLz4(input, run.end - run.start, output, table);
    return rangesOf(run.end - run.start, LZ4_BLOCK_BYTES).map(({ start, end }, i): TwinBlock => {
      const size = view.getUint32(table + 4 * i, true);
      const at = output + i * lz4SlotBytes;
      const packed = size === 0 ? undefined : bytes.slice(at, at + size);
      return { start: run.start + start, length: end - start, packed };
    });
  });
}

/** Whether the compressed block decodes to `plain`. */
export function twinDecodes({ call, bytes, input, output }: Kernels, packed: Uint8Array, plain: Uint8Array): boolean {
  bytes.set(packed, input);
  if (call.decompressLz4(input, packed.length, output, plain.length) === 0) return false;
  return equalBytes(bytes.subarray(output, output + plain.length), plain);
}

/** Plain bytes for each compressed byte, stored blocks included. */
export function ratioOf(blocks: readonly TwinBlock[]): number {
  const sum = (sizes: readonly number[]): number => sizes.reduce((all, size) => all + size, 0);
  return sum(blocks.map(({ length }) => length)) / sum(blocks.map(({ packed, length }) => packed?.length ?? length));
}
