/**
 * Cutting, hashing and probing on resident data. Each stage runs once and is compared with its CPU twin before it is
 * timed.
 *
 * @module
 */
import { concat } from "../../core/bytes.ts";
import { cutRule, cutSizesFor } from "../../core/chunk/cut-sizes.ts";
import type { Engine } from "../../core/ports/engine.ts";
import { KIB, MIB } from "../../core/units.ts";
import { equalBytes } from "../../core/wire/codec.ts";
import type { Kernels } from "../../kernels/loader.ts";
import type { ReadRange, Slot } from "../../platform/gpu/slot.ts";
import { cutCandidatesWorkgroups } from "../../shaders/cut-candidates.ts";
import { hashLeavesWorkgroups, leavesOf } from "../../shaders/hash-leaves.ts";
import { hashTreeWorkgroups } from "../../shaders/hash-tree.ts";
import { PROBE_WORDS } from "../../shaders/probe-entropy.ts";
import type { Contest } from "./contest.ts";
import { rangesOf } from "./data.ts";
import type { BenchGpu } from "./gpu.ts";
import { residentSampler, type Step } from "./resident.ts";
import { twinCandidates, twinProbe } from "./twin.ts";

const SLICE_BYTES = 64 * KIB;
const CANDIDATE_CAPACITY = 2 ** 16;
const WORD_BYTES = 4;
const CV_BYTES = 32;
const HASH_BYTES = 32;

/** Runs the steps once and gives what they leave in the ranges, fresh. */
export function runOnce(
  slot: Slot,
  steps: readonly Step[],
  ranges: readonly ReadRange[],
  clear: readonly ReadRange[] = [],
): Promise<Uint8Array<ArrayBuffer>[]> {
  return slot.read(
    clear,
    (add) => {
      for (const { kernel, bindings, workgroups } of steps) add(kernel, bindings, workgroups);
    },
    ranges,
    (views) => views.map((view) => view.slice()),
  );
}

/** @throws Error when a stage's result is not its twin's */
export function assertSame(what: string, ours: Uint8Array | undefined, theirs: Uint8Array): void {
  if (ours === undefined || !equalBytes(ours, theirs)) throw new Error(`${what}: not what the CPU gives`);
}

/** The stages before compression, over `bytes` (borrowed). */
export async function firstStages(
  { gpu: { device }, slot }: BenchGpu,
  cpu: Engine,
  twins: Kernels,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Contest[]> {
  const data = await slot.upload("stages data", bytes);
  const contest = (name: string, steps: readonly Step[]): Contest => {
    return { part: "stage", name, data: "random", sample: residentSampler(device, steps, bytes.length) };
  };
  return [
    contest("cut-candidates", await cutSteps(slot, data, bytes)),
    contest("hash, 64 KiB slices", await hashSteps(slot, data, cpu, bytes)),
    contest("probe-entropy, 1 MiB ranges", await probeSteps(slot, data, twins, bytes)),
  ];
}

async function cutSteps(slot: Slot, data: GPUBuffer, bytes: Uint8Array): Promise<Step[]> {
  const rule = cutRule(cutSizesFor(0));
  const length = (1 + CANDIDATE_CAPACITY) * WORD_BYTES;
  const found = await slot.buffer("stages found", length);
  const block = [0, bytes.length, CANDIDATE_CAPACITY, 0, rule.looseBits, rule.strictBits, 0, 0];
  const params = await slot.params("stages cut", [block]);
  const workgroups = cutCandidatesWorkgroups(bytes.length);
  const steps = [{ kernel: slot.kernels.cutCandidates, bindings: [data, found, ...params], workgroups }];
  const whole = { buffer: found, offset: 0, bytes: length };
  const [view] = await runOnce(slot, steps, [whole], [whole]);
  const words = new Uint32Array(view?.buffer ?? new ArrayBuffer(0));
  const ours = words.subarray(1, 1 + Math.min(CANDIDATE_CAPACITY, words[0] ?? 0)).sort();
  assertSame("cut-candidates", bytesOf(ours), bytesOf(twinCandidates(bytes, rule)));
  return steps;
}

async function hashSteps(slot: Slot, data: GPUBuffer, cpu: Engine, bytes: Uint8Array): Promise<Step[]> {
  const ranges = rangesOf(bytes.length, SLICE_BYTES);
  const ofSlice = leavesOf(SLICE_BYTES);
  const slices = ranges.flatMap(({ start, end }, i) => [start, end - start, i * ofSlice, 0]);
  const leaves = ranges.reduce((sum, { start, end }) => sum + leavesOf(end - start), 0);
  const table = await slot.upload("stages slices", Uint32Array.from(slices));
  const cvs = await slot.buffer("stages cvs", leaves * CV_BYTES);
  const digests = await slot.buffer("stages digests", ranges.length * HASH_BYTES);
  const leafParams = await slot.params("stages leaf", [[ranges.length, leaves, 0, 0]]);
  const treeParams = await slot.params("stages tree", [[ranges.length, 0, 0, 0]]);
  const { hashLeaves, hashTree } = slot.kernels;
  const steps = [
    { kernel: hashLeaves, bindings: [data, table, cvs, ...leafParams], workgroups: hashLeavesWorkgroups(leaves) },
    { kernel: hashTree, bindings: [table, cvs, digests, ...treeParams], workgroups: hashTreeWorkgroups(ranges.length) },
  ];
  const [ours] = await runOnce(slot, steps, [{ buffer: digests, offset: 0, bytes: ranges.length * HASH_BYTES }]);
  const ends = Uint32Array.from(ranges, ({ end }) => end);
  assertSame("hash", ours, await cpu.hash(bytes, ends));
  return steps;
}

async function probeSteps(slot: Slot, data: GPUBuffer, twins: Kernels, bytes: Uint8Array): Promise<Step[]> {
  const ranges = rangesOf(bytes.length, MIB);
  const table = await slot.upload(
    "stages ranges",
    Uint32Array.from(ranges.flatMap(({ start, end }) => [start, end - start])),
  );
  const length = ranges.length * PROBE_WORDS * WORD_BYTES;
  const probes = await slot.buffer("stages probes", length);
  const params = await slot.params("stages probe", [[ranges.length, 0, 0, 0]]);
  const bindings = [data, table, probes, ...params];
  const steps = [{ kernel: slot.kernels.probeEntropy, bindings, workgroups: ranges.length }];
  const [ours] = await runOnce(slot, steps, [{ buffer: probes, offset: 0, bytes: length }]);
  const theirs = ranges.map(({ start, end }) => bytesOf(twinProbe(twins, bytes.subarray(start, end))));
  assertSame("probe-entropy", ours, concat(theirs));
  return steps;
}

/** The same bytes. */
function bytesOf(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}
