/**
 * LZ4 on the device: all runs are probed at once, the blocks of those that look compressible are compressed, and only
 * what became smaller is read back, packed without gaps.
 *
 * @module
 */
import { isWorthwhile, looksIncompressible } from "../../core/compress/entropy.ts";
import { LZ4_BLOCK_BYTES, type Lz4Block, writeLz4Frame } from "../../core/compress/lz4-frame.ts";
import type { RunRange } from "../../core/ports/engine.ts";
import { PROBE_WORDS, sampledBytes } from "../../shaders/probe-entropy.ts";
import type { DispatchSize } from "./dispatch-size.ts";
import { type Block, compressBlocks, LZ4_STRIDE_WORDS } from "./lz4-blocks.ts";
import type { Slot } from "./slot.ts";

/** Blocks whose output has room at once; a batch of 24 MiB in runs of the usual size has some 420. */
const PART_BLOCKS = 512;
const WORD_BYTES = 4;
const PIECE_WORDS = 4;

/** A run to be compressed: its number in the call, and its place in the bytes. */
interface Job {
  readonly index: number;
  readonly start: number;
  readonly end: number;
}

/** Frames of the runs that became smaller (see Engine.compress), fresh; `bytes` are uploaded unless the slot holds them. */
export async function compressRuns(
  slot: Slot,
  size: DispatchSize,
  bytes: Uint8Array<ArrayBuffer>,
  runs: readonly RunRange[],
): Promise<(Uint8Array<ArrayBuffer> | undefined)[]> {
  const frames: (Uint8Array<ArrayBuffer> | undefined)[] = runs.map(() => undefined);
  const jobs = runs
    .map(({ start, end }, index): Job => ({ index, start, end }))
    .filter(({ start, end }) => end > start);
  if (jobs.length === 0) return frames;
  const { data, base } = await slot.find(bytes);
  const compressible = await probe(slot, data, base, jobs);
  for (let first = 0; first < compressible.length; ) {
    let count = 0;
    let blocks = 0;
    for (; first + count < compressible.length; count++) {
      blocks += blockCount(compressible[first + count]);
      if (count > 0 && blocks > PART_BLOCKS) break;
    }
    const part = compressible.slice(first, first + count);
    const packed = await compressPart(slot, size, data, base, bytes, part);
    for (const [i, { index }] of part.entries()) frames[index] = packed[i];
    first += count;
  }
  return frames;
}

function blockCount(job: Job | undefined): number {
  return job === undefined ? 0 : Math.ceil((job.end - job.start) / LZ4_BLOCK_BYTES);
}

/** The jobs that are worth trying. */
async function probe(slot: Slot, data: GPUBuffer, base: number, jobs: readonly Job[]): Promise<readonly Job[]> {
  const ranges = await slot.upload(
    "ranges",
    Uint32Array.from(jobs.flatMap(({ start, end }) => [base + start, end - start])),
  );
  const probeBytes = jobs.length * PROBE_WORDS * WORD_BYTES;
  const probes = await slot.buffer("probes", probeBytes);
  const params = await slot.params("probe", [[jobs.length, 0, 0, 0]]);
  return slot.read(
    [],
    (add) => add(slot.kernels.probeEntropy, [data, ranges, probes, ...params], jobs.length),
    [{ buffer: probes, offset: 0, bytes: probeBytes }],
    ([view]) => {
      const words = new Uint32Array(view?.buffer ?? new ArrayBuffer(0), view?.byteOffset, jobs.length * PROBE_WORDS);
      return jobs.filter(({ start, end }, i) => {
        const own = words.subarray(i * PROBE_WORDS, (i + 1) * PROBE_WORDS);
        const histogram = own.subarray(0, PROBE_WORDS - 1);
        const repeats = own[PROBE_WORDS - 1] ?? 0;
        return !looksIncompressible({ histogram, repeats, sampledBytes: sampledBytes(end - start) });
      });
    },
  );
}

/** The frame of each job, or undefined when nothing is gained. */
async function compressPart(
  slot: Slot,
  size: DispatchSize,
  data: GPUBuffer,
  base: number,
  bytes: Uint8Array<ArrayBuffer>,
  jobs: readonly Job[],
): Promise<(Uint8Array<ArrayBuffer> | undefined)[]> {
  const blocks = jobs.map(blocksOf);
  const out = await slot.buffer("lz4", blocks.flat().length * LZ4_STRIDE_WORDS * WORD_BYTES);
  const sizes = await compressBlocks(slot, size, data, base, out, blocks.flat());

  // What is not smaller stays behind: a block that is to be stored, and every block of a run that gains too little.
  const pieces: number[] = [];
  let words = 0;
  let number = 0;
  const placed = jobs.map((job, i) => {
    const own = blocks[i] ?? [];
    const first = number;
    number += own.length;
    const packedBytes = own.reduce((sum, { length }, k) => sum + Math.min(length, sizes[first + k] ?? length), 0);
    if (!isWorthwhile(job.end - job.start, packedBytes)) return undefined;
    return own.map(({ start, length }, k) => {
      const packed = sizes[first + k] ?? length;
      if (packed >= length) return { start, length, stored: true };
      pieces.push((first + k) * LZ4_STRIDE_WORDS, words, Math.ceil(packed / WORD_BYTES), 0);
      words += Math.ceil(packed / WORD_BYTES);
      return { start: (words - Math.ceil(packed / WORD_BYTES)) * WORD_BYTES, length: packed, stored: false };
    });
  });
  const frames = (packed: Uint8Array): (Uint8Array<ArrayBuffer> | undefined)[] =>
    jobs.map(({ start, end }, i) => {
      const frame = placed[i]?.map(
        (block): Lz4Block => ({
          bytes: (block.stored ? bytes : packed).subarray(block.start, block.start + block.length),
          stored: block.stored,
        }),
      );
      const written = frame && writeLz4Frame(frame);
      return written && isWorthwhile(end - start, written.length) ? written : undefined;
    });
  if (words === 0) return frames(new Uint8Array(0));

  const table = await slot.upload("gather pieces", Uint32Array.from(pieces));
  const gathered = await slot.buffer("gathered", words * WORD_BYTES);
  const count = pieces.length / PIECE_WORDS;
  const params = await slot.params("gather", [[count, 0, 0, 0]]);
  return slot.read(
    [],
    (add) => add(slot.kernels.gather, [out, table, gathered, ...params], count),
    [{ buffer: gathered, offset: 0, bytes: words * WORD_BYTES }],
    ([view]) => frames(view ?? new Uint8Array(0)),
  );
}

function blocksOf({ start, end }: Job): readonly Block[] {
  return Array.from({ length: Math.ceil((end - start) / LZ4_BLOCK_BYTES) }, (_, i) => {
    const from = start + i * LZ4_BLOCK_BYTES;
    return { start: from, length: Math.min(LZ4_BLOCK_BYTES, end - from) };
  });
}
