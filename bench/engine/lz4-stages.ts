/**
 * LZ4 on resident data: compressing, decoding what the CPU compressed, and gathering compressed blocks. Each stage runs
 * once and is compared with its CPU twin before it is timed.
 *
 * @module
 */
import { concat } from "../../core/bytes.ts";
import { LZ4_BLOCK_BYTES } from "../../core/compress/lz4-frame.ts";
import type { Kernels } from "../../kernels/loader.ts";
import { LZ4_STRIDE_WORDS } from "../../platform/gpu/lz4-blocks.ts";
import type { KernelData } from "../kernels/data.ts";
import type { Contest } from "./contest.ts";
import { DATA_NAMES, type DataName } from "./data.ts";
import type { BenchGpu } from "./gpu.ts";
import { residentSampler, type Step } from "./resident.ts";
import { assertSame, runOnce } from "./stages.ts";
import { ratioOf, type TwinBlock, twinCompress, twinDecodes } from "./twin.ts";

const WORD_BYTES = 4;
const STRIDE_BYTES = LZ4_STRIDE_WORDS * WORD_BYTES;

/** A block that became smaller. */
type PackedBlock = TwinBlock & { readonly packed: Uint8Array };

/** The stages of compression over each data set (borrowed). */
export async function lz4Stages(gpu: BenchGpu, twins: Kernels, data: KernelData): Promise<Contest[]> {
  const [contests, unpacking, gathering]: [Contest[], Contest[], Contest[]] = [[], [], []];
  for (const name of DATA_NAMES) {
    const blocks = twinCompress(twins, data[name]);
    contests.push(await compressStage(gpu, twins, name, data[name], blocks));
    if (name !== "random") unpacking.push(await decompressStage(gpu, name, data[name], blocks.filter(isPacked)));
    if (name === "text") gathering.push(await gatherStage(gpu, blocks.filter(isPacked)));
  }
  return [...contests, ...unpacking, ...gathering];
}

function isPacked(block: TwinBlock): block is PackedBlock {
  return block.packed !== undefined;
}

async function compressStage(
  { gpu: { device }, slot }: BenchGpu,
  twins: Kernels,
  name: DataName,
  plain: Uint8Array<ArrayBuffer>,
  blocks: readonly TwinBlock[],
): Promise<Contest> {
  const data = await slot.upload(`compress ${name}`, plain);
  const count = blocks.length;
  const entries = Uint32Array.from(blocks.flatMap(({ start, length }) => [start, length]));
  const table = await slot.upload(`compress ${name} blocks`, entries);
  const out = await slot.buffer("compress out", count * STRIDE_BYTES);
  const sizes = await slot.buffer("compress sizes", count * WORD_BYTES);
  const params = await slot.params("compress", [[count, LZ4_STRIDE_WORDS, 0, 0]]);
  const kernel = slot.kernels.compressLz4;
  const steps: Step[] = [{ kernel, bindings: [data, table, out, sizes, ...params], workgroups: count }];
  const [sizeBytes, packed = new Uint8Array(0)] = await runOnce(slot, steps, [
    { buffer: sizes, offset: 0, bytes: count * WORD_BYTES },
    { buffer: out, offset: 0, bytes: count * STRIDE_BYTES },
  ]);
  let packedBytes = 0;
  for (const [i, { start, length }] of blocks.entries()) {
    const size = new DataView(sizeBytes?.buffer ?? new ArrayBuffer(0)).getUint32(i * WORD_BYTES, true);
    packedBytes += Math.min(size, length);
    if (size >= length) continue;
    const block = packed.subarray(i * STRIDE_BYTES, i * STRIDE_BYTES + size);
    const isRight = twinDecodes(twins, block, plain.subarray(start, start + length));
    if (!isRight) throw new Error(`compress-lz4: block ${i} of ${name} does not decode to what went in`);
  }
  return {
    part: "stage",
    name: "compress-lz4",
    data: name,
    smaller: plain.length / packedBytes,
    smallerByCpu: ratioOf(blocks),
    sample: residentSampler(device, steps, plain.length),
  };
}

/** Decodes the packed blocks, which lie behind each other as in a frame. */
async function decompressStage(
  { gpu: { device }, slot }: BenchGpu,
  name: DataName,
  plain: Uint8Array,
  blocks: readonly PackedBlock[],
): Promise<Contest> {
  const count = blocks.length;
  let at = 0;
  const entries = blocks.flatMap(({ packed, length }, i) => {
    at += packed.length;
    return [at - packed.length, packed.length, i * LZ4_BLOCK_BYTES, length];
  });
  const data = await slot.upload(`unpack ${name}`, concat(blocks.map(({ packed }) => packed)));
  const table = await slot.upload(`unpack ${name} blocks`, Uint32Array.from(entries));
  const out = await slot.buffer("unpack out", count * LZ4_BLOCK_BYTES);
  const status = await slot.buffer("unpack status", count * WORD_BYTES);
  const params = await slot.params(`unpack ${name}`, [[count, 0, 0, 0]]);
  const kernel = slot.kernels.decompressLz4;
  const steps: Step[] = [{ kernel, bindings: [data, table, out, status, ...params], workgroups: count }];
  const [ours] = await runOnce(slot, steps, [{ buffer: out, offset: 0, bytes: count * LZ4_BLOCK_BYTES }]);
  for (const [i, { start, length }] of blocks.entries()) {
    const block = ours?.subarray(i * LZ4_BLOCK_BYTES, i * LZ4_BLOCK_BYTES + length);
    assertSame(`decompress-lz4, ${name}`, block, plain.subarray(start, start + length));
  }
  const bytes = blocks.reduce((sum, { length }) => sum + length, 0);
  return { part: "stage", name: "decompress-lz4", data: name, sample: residentSampler(device, steps, bytes) };
}

/** Moves the packed blocks from where compression leaves them. */
async function gatherStage({ gpu: { device }, slot }: BenchGpu, blocks: readonly PackedBlock[]): Promise<Contest> {
  const source = new Uint8Array(blocks.length * STRIDE_BYTES);
  let words = 0;
  const pieces = blocks.flatMap(({ packed }, i) => {
    source.set(packed, i * STRIDE_BYTES);
    const own = Math.ceil(packed.length / WORD_BYTES);
    words += own;
    return [i * LZ4_STRIDE_WORDS, words - own, own, 0];
  });
  const from = await slot.upload("gather source", source);
  const table = await slot.upload("gather pieces", Uint32Array.from(pieces));
  const target = await slot.buffer("gather target", words * WORD_BYTES);
  const params = await slot.params("gather", [[blocks.length, 0, 0, 0]]);
  const bindings = [from, table, target, ...params];
  const steps: Step[] = [{ kernel: slot.kernels.gather, bindings, workgroups: blocks.length }];
  const [ours] = await runOnce(slot, steps, [{ buffer: target, offset: 0, bytes: words * WORD_BYTES }]);
  const theirs = blocks.map(({ packed }, i) => {
    return source.subarray(i * STRIDE_BYTES, i * STRIDE_BYTES + WORD_BYTES * Math.ceil(packed.length / WORD_BYTES));
  });
  assertSame("gather", ours, concat(theirs));
  const sample = residentSampler(device, steps, words * WORD_BYTES);
  return { part: "stage", name: "gather", data: "packed text", sample };
}
