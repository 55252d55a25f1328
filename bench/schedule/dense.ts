/**
 * The dense form on a GPU: each pack is a row of its own with a bit for each edge. Costs and the best edges of all rows,
 * with everything resident. Only a hardware adapter's time is a figure; a software one shows that the answers are right.
 *
 * @module
 */
import { bestEdgesOfAll, edgeTerms } from "../../core/schedule/cost.ts";
import { type EdgeView, WEIGHT_ONE } from "../../core/schedule/model.ts";
import { MIB } from "../../core/units.ts";
import { adapterName } from "../../platform/gpu/choose-engine.ts";
import { type GpuDevice, openGpu } from "../../platform/gpu/device.ts";
import { compileKernels, dispatch } from "../../platform/gpu/pipelines.ts";
import { bestEdgesShader } from "../../shaders/best-edges.ts";
import { edgeCosts, edgeWords } from "../../shaders/edge-costs.ts";
import { sequence } from "../../tests/support/fake-effort.ts";
import { testGpu } from "../../tests/support/gpu.ts";
import { median } from "../lib/stats.ts";

const PACK_BYTES = 4 * MIB;
const BEST = 4;
/** Rows of one part: its holders are one binding, which every device takes. */
const PART_BYTES = 128 * MIB;
/** Rows whose answers are compared with the processor's. */
const COMPARED_ROWS = 1_000;
const ROUNDS = 9;
/** Enough to see that the answers are right. */
const SOFTWARE_ROWS = 1_000;

/** What was measured, or why nothing was. */
export interface DenseSample {
  readonly adapter: string;
  readonly isSoftware: boolean;
  readonly rows: number;
  readonly edges: number;
  /** Of all rows: costs and the best 4 edges of each, by the clock on the wall, from submission to the end. */
  readonly medianMs: number;
}

/** @param rows packs, of which a software adapter does a thousand. @throws Error where an answer is wrong */
export async function measureDense(rows: number, edges: number): Promise<DenseSample | string> {
  let gpu: GpuDevice | undefined;
  try {
    gpu = await openGpu(await testGpu());
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  if (gpu === undefined) return "the driver has no adapter";
  const { isFallback } = gpu.info;
  const count = isFallback ? Math.min(rows, SOFTWARE_ROWS) : rows;
  try {
    const medianMs = await measure(gpu.device, count, edges);
    return { adapter: adapterName(gpu.info), isSoftware: isFallback, rows: count, edges, medianMs };
  } finally {
    gpu.destroy();
  }
}

async function measure(device: GPUDevice, rows: number, edges: number): Promise<number> {
  const kernels = await compileKernels(device, { costs: edgeCosts, best: bestEdgesShader(BEST) });
  const words = Math.ceil(edges / 32);
  const draw = sequence(11);
  const terms = edgeTerms(Array.from({ length: edges }, () => randomEdge(draw)));
  const upload = (data: Uint32Array<ArrayBuffer>, usage: number): GPUBuffer => {
    const buffer = device.createBuffer({ size: data.byteLength, usage: usage | GPUBufferUsage.COPY_DST });
    device.queue.writeBuffer(buffer, 0, data);
    return buffer;
  };
  const { STORAGE, UNIFORM, COPY_SRC } = GPUBufferUsage;
  const edgeBuffer = upload(edgeWords(terms), STORAGE);
  const sizes = upload(Uint32Array.of(PACK_BYTES), STORAGE);
  const costs = device.createBuffer({ size: 4 * edges, usage: STORAGE });
  const costParams = upload(Uint32Array.of(edges, 1, 0, 0), UNIFORM);
  const partRows = Math.min(rows, Math.floor(PART_BYTES / (4 * words)));
  // Each part has the same holders in memory of its own, so that no cache serves two.
  const holders = randomHolders(partRows, edges, words, draw);
  const sizeOf = upload(new Uint32Array(partRows), STORAGE);
  const parts = Array.from({ length: Math.ceil(rows / partRows) }, (_, part) => {
    const own = Math.min(partRows, rows - part * partRows);
    return {
      rows: own,
      holders: upload(holders, STORAGE),
      best: device.createBuffer({ size: 4 * BEST * own, usage: STORAGE | COPY_SRC }),
      params: upload(Uint32Array.of(own, edges, 0, 0), UNIFORM),
    };
  });
  const samples: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    const pairs = Math.ceil(edges / edgeCosts.workgroupInvocations);
    dispatch(device, pass, kernels.costs, [edgeBuffer, sizes, costs, costParams], pairs);
    for (const part of parts)
      dispatch(device, pass, kernels.best, [costs, sizeOf, part.holders, part.best, part.params], part.rows);
    pass.end();
    const commands = encoder.finish();
    await device.queue.onSubmittedWorkDone();
    const began = performance.now();
    device.queue.submit([commands]);
    await device.queue.onSubmittedWorkDone();
    // The first round warms the device up.
    if (round > 0) samples.push(performance.now() - began);
  }
  const last = parts.at(-1);
  if (last === undefined) throw new Error("no rows");
  const compared = Math.min(COMPARED_ROWS, last.rows);
  const found = await readWords(device, last.best, compared * BEST);
  const classes = Array.from({ length: compared }, (_, row) => ({
    packs: 1,
    packBytes: PACK_BYTES,
    edges: holdersOf(holders.subarray(row * words, (row + 1) * words)),
    priority: 0,
    deadlineMs: Number.POSITIVE_INFINITY,
  }));
  const expected = bestEdgesOfAll(terms, classes, BEST);
  if (expected.some((edge, i) => found[i] !== edge)) throw new Error("the GPU found other edges than the processor");
  return median(samples);
}

function randomEdge(draw: () => number): EdgeView {
  return {
    bytesPerSec: 1e6 * (1 + (draw() % 100)),
    rttUs: draw() % 200_000,
    backlogBytes: draw() % 10_000_000,
    maxActive: 8,
    weight: WEIGHT_ONE,
  };
}

/** 3 to 8 holders of each row. */
function randomHolders(rows: number, edges: number, words: number, draw: () => number): Uint32Array<ArrayBuffer> {
  const holders = new Uint32Array(rows * words);
  for (let row = 0; row < rows; row++)
    for (let left = 3 + (draw() % 6); left > 0; left--) {
      const edge = draw() % edges;
      const word = row * words + (edge >>> 5);
      holders[word] = (holders[word] ?? 0) | (1 << (edge & 31));
    }
  return holders;
}

function holdersOf(bits: Uint32Array): Uint16Array {
  const edges: number[] = [];
  for (const [word, value] of bits.entries())
    for (let bit = 0; bit < 32; bit++) if ((value >>> bit) & 1) edges.push(32 * word + bit);
  return Uint16Array.from(edges);
}

async function readWords(device: GPUDevice, source: GPUBuffer, words: number): Promise<Uint32Array> {
  const target = device.createBuffer({ size: 4 * words, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(source, 0, target, 0, 4 * words);
  device.queue.submit([encoder.finish()]);
  await target.mapAsync(GPUMapMode.READ);
  const read = new Uint32Array(target.getMappedRange().slice(0));
  target.destroy();
  return read;
}
