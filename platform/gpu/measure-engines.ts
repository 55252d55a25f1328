/**
 * How fast both engines are in each stage, on bytes like those of a transfer and as many at once as each of them is given there.
 *
 * @module
 */
import { cutSizesFor } from "../../core/chunk/cut-sizes.ts";
import type { Engine, RunRange } from "../../core/ports/engine.ts";
import { CALIBRATION_VERSION } from "../../core/transfer/engine-figures.ts";
import { stagesOf } from "../../core/transfer/engine-split.ts";
import type { EngineFigures, EngineSpeeds } from "../../core/transfer/snapshot.ts";
import { RUN_BYTES } from "../../core/units.ts";
import { mixture } from "./mixture.ts";

/** Limit of all measurements together; a GPU that has not answered by then is not the quicker one. */
const CALIBRATION_MS = 300;
/** Rounds of each engine at most; the quickest of each stage counts. */
const ROUNDS = 3;
/** A GPU that took so many times longer than the CPU in every stage of the first round will not catch up. */
const HOPELESS = 3;
/** Runs that a round decompresses and hashes, one after the other as a receiver does. */
const RECEIVED_RUNS = 3;
const SEED = 0x2545_f491;

/** Measures both engines, which must be idle, within CALIBRATION_MS; the GPU is given up when it takes longer. */
export async function measureEngines(cpu: Engine, gpu: Engine, adapter: string): Promise<EngineFigures> {
  const until = performance.now() + CALIBRATION_MS;
  const bytes = mixture(Math.max(cpu.batchBytes, gpu.batchBytes), SEED);
  const received = await receivedRuns(bytes, cpu);
  const sampleFor = ({ batchBytes }: Engine): Sample => ({ bytes: bytes.subarray(0, batchBytes), received });
  const [forCpu, forGpu] = [sampleFor(cpu), sampleFor(gpu)];
  const cpuRounds = [await measureRound(cpu, forCpu)];
  const gpuRounds: EngineSpeeds[] = [];
  // The first round of the GPU allocates its buffers, so it only counts when it is all there is.
  for (let i = 0; i <= ROUNDS; i++) {
    const round = await inTime(measureRound(gpu, forGpu), until);
    if (round === undefined) break;
    if (i === 1) gpuRounds.length = 0;
    gpuRounds.push(round);
    if (isHopeless(round, cpuRounds[0] ?? round)) break;
    if (i < ROUNDS - 1 && performance.now() < until) cpuRounds.push(await measureRound(cpu, forCpu));
    if (performance.now() >= until) break;
  }
  // The first round of the CPU ran code that was not yet optimised; it must not be what a GPU is compared with.
  if (gpuRounds.length > 0 && cpuRounds.length === 1) cpuRounds.push(await measureRound(cpu, forCpu));
  const best = gpuRounds.length === 0 ? null : bestOf(gpuRounds);
  const measuredAtMs = Date.now();
  return { version: CALIBRATION_VERSION, adapter, measuredAtMs, cpu: bestOf(cpuRounds), gpu: best };
}

/** A run as it comes to a receiver; `ends` are its chunks'. */
interface ReceivedRun {
  readonly frame: Uint8Array<ArrayBuffer>;
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly ends: Uint32Array;
}

/** What an engine is tried with. */
interface Sample {
  /** A batch of its own measure. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly received: readonly ReceivedRun[];
}

function runsOf({ length }: Uint8Array): RunRange[] {
  return Array.from({ length: Math.ceil(length / RUN_BYTES) }, (_, i) => {
    return { start: i * RUN_BYTES, end: Math.min(length, (i + 1) * RUN_BYTES) };
  });
}

async function receivedRuns(bytes: Uint8Array<ArrayBuffer>, cpu: Engine): Promise<readonly ReceivedRun[]> {
  const runs = runsOf(bytes).slice(0, RECEIVED_RUNS);
  const pieces = runs.map((run) => ({ ...run, final: true }));
  const [frames, cuts] = [await cpu.compress(bytes, runs, "lz4"), await cpu.cut(bytes, pieces, cutSizesFor(0))];
  return runs.flatMap(({ start, end }, i) => {
    const [frame, ends] = [frames[i], cuts[i]?.ends];
    return frame === undefined || ends === undefined ? [] : [{ frame, ends, plain: bytes.subarray(start, end) }];
  });
}

/** MB/s of each stage. */
async function measureRound(engine: Engine, { bytes, received }: Sample): Promise<EngineSpeeds> {
  const runs = runsOf(bytes);
  const speed = async (amount: number, work: () => Promise<unknown>): Promise<number> => {
    const began = performance.now();
    await work();
    return amount / 1000 / Math.max(0.01, performance.now() - began);
  };
  const cut = await speed(bytes.length, () =>
    engine.cut(bytes, [{ start: 0, end: bytes.length, final: true }], cutSizesFor(0)),
  );
  const compress = await speed(bytes.length, () => engine.compress(bytes, runs, "lz4"));
  // Bytes that it has not seen: a copy.
  const moved = engine.kind === "gpu" ? bytes.slice() : undefined;
  const compressMoved =
    moved === undefined ? compress : await speed(moved.length, () => engine.compress(moved, runs, "lz4"));
  const receivedBytes = received.reduce((sum, { plain }) => sum + plain.length, 0);
  const decompress = await speed(receivedBytes, async () => {
    for (const { frame, plain } of received) await engine.decompress(frame, "lz4", plain.length);
  });
  const hash = await speed(receivedBytes, async () => {
    for (const { plain, ends } of received) await engine.hash(plain, ends);
  });
  return { cut, compress, compressMoved, decompress, hash };
}

function isHopeless(gpu: EngineSpeeds, cpu: EngineSpeeds): boolean {
  return stagesOf("both").every((stage) => HOPELESS * gpu[stage] < cpu[stage]);
}

function bestOf(rounds: readonly EngineSpeeds[]): EngineSpeeds {
  const best = (stage: keyof EngineSpeeds): number => Math.max(...rounds.map((round) => round[stage]));
  return {
    cut: best("cut"),
    compress: best("compress"),
    compressMoved: best("compressMoved"),
    decompress: best("decompress"),
    hash: best("hash"),
  };
}

/** The result, or undefined when it does not come in time or fails; what comes later is nobody's. */
async function inTime<T>(result: Promise<T>, until: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.max(0, until - performance.now()));
  });
  const settled = result.catch(() => undefined);
  try {
    return await Promise.race([settled, late]);
  } finally {
    clearTimeout(timer);
  }
}
