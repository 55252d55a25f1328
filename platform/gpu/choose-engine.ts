/**
 * CPU or GPU: measured once per device and remembered by the caller. The GPU is chosen only when cutting and compressing
 * together are quicker on it than on one CPU engine.
 *
 * @module
 */
import { cutSizesFor } from "../../core/chunk/cut-sizes.ts";
import type { Engine, RunRange } from "../../core/ports/engine.ts";
import type { EngineFigures, EngineReason, EngineSpeeds } from "../../core/transfer/snapshot.ts";
import { MIB, RUN_BYTES } from "../../core/units.ts";
import type { GpuInfo } from "./device.ts";
import { mixture } from "./mixture.ts";

/** Counts up whenever an engine changes so much that what was measured before means nothing. */
export const CALIBRATION_VERSION = 1;
/** Bytes of one measurement. */
const CALIBRATION_BYTES = 8 * MIB;
/** Limit of all measurements together; a GPU that has not answered by then is not the quicker one. */
const CALIBRATION_MS = 300;
/** Rounds of each engine at most; the quickest counts. */
const ROUNDS = 3;
/** A GPU that took so many times longer than the CPU in the first round will not catch up. */
const HOPELESS = 3;
const SEED = 0x2545_f491;

/** Which engine, and why. */
export interface EngineDecision {
  readonly kind: "cpu" | "gpu";
  readonly reason: Extract<EngineReason, "forced" | "no-webgpu" | "software-gpu" | "measured-faster">;
}

/** A decision, and what was measured: null when nothing was. */
export interface EngineChoice extends EngineDecision {
  readonly figures: EngineFigures | null;
}

/** What the choice is between. */
export interface EngineChoiceInput {
  /** What the user or the address asks for; "gpu" counts only where there is one. */
  readonly override: "cpu" | "gpu" | undefined;
  readonly gpu: { readonly engine: Engine; readonly info: GpuInfo } | undefined;
  readonly cpu: Engine;
  /** The figures of an earlier choice, or anything else: only figures of this version and adapter count. */
  readonly remembered: unknown;
}

/** The adapter's name in figures. */
export function adapterName({ vendor, architecture, description }: GpuInfo): string {
  return [vendor, architecture, description].filter((word) => word !== "").join(" ");
}

/** Decides, and measures first where that is needed: then both engines must be idle. */
export async function chooseEngine({ override, gpu, cpu, remembered }: EngineChoiceInput): Promise<EngineChoice> {
  const known = gpu && readFigures(remembered, adapterName(gpu.info));
  const early = decideEarly(override, gpu?.info);
  if (early !== undefined) return { ...early, figures: known ?? null };
  if (gpu === undefined) return { ...NO_GPU, figures: null };
  const figures = known ?? (await measureEngines(cpu, gpu.engine, adapterName(gpu.info)));
  return { ...decideByFigures(figures), figures };
}

const NO_GPU: EngineDecision = { kind: "cpu", reason: "no-webgpu" };

/** What needs no measurement; `info` is undefined where there is no GPU. */
export function decideEarly(
  override: "cpu" | "gpu" | undefined,
  info: GpuInfo | undefined,
): EngineDecision | undefined {
  if (override === "cpu") return { kind: "cpu", reason: "forced" };
  if (info === undefined) return NO_GPU;
  if (override === "gpu") return { kind: "gpu", reason: "forced" };
  return info.isFallback ? { kind: "cpu", reason: "software-gpu" } : undefined;
}

/** What the measurements say. */
export function decideByFigures({ cpu, gpu }: EngineFigures): EngineDecision {
  const isFaster = gpu !== null && bothSpeed(gpu) > bothSpeed(cpu);
  return { kind: isFaster ? "gpu" : "cpu", reason: "measured-faster" };
}

/** The speed of bytes that are cut and then compressed. */
function bothSpeed({ cut, compress }: EngineSpeeds): number {
  return 1 / (1 / cut + 1 / compress);
}

/** Stored figures, or undefined when they are none, or of another version or adapter. */
export function readFigures(value: unknown, adapter: string): EngineFigures | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { version, adapter: measured, measuredAtMs, cpu, gpu } = value as Partial<EngineFigures>;
  if (version !== CALIBRATION_VERSION || measured !== adapter || typeof measuredAtMs !== "number") return undefined;
  if (!areSpeeds(cpu) || (gpu !== null && !areSpeeds(gpu))) return undefined;
  return { version, adapter, measuredAtMs, cpu, gpu };
}

function areSpeeds(value: unknown): value is EngineSpeeds {
  if (typeof value !== "object" || value === null) return false;
  const { cut, compress } = value as Partial<EngineSpeeds>;
  return [cut, compress].every((speed) => typeof speed === "number" && Number.isFinite(speed) && speed > 0);
}

/** Milliseconds of one round. */
interface Round {
  readonly cutMs: number;
  readonly compressMs: number;
}

/** Measures both engines, which must be idle, within CALIBRATION_MS; the GPU is given up when it takes longer. */
export async function measureEngines(cpu: Engine, gpu: Engine, adapter: string): Promise<EngineFigures> {
  const bytes = mixture(CALIBRATION_BYTES, SEED);
  const until = performance.now() + CALIBRATION_MS;
  const cpuRounds = [await measureRound(cpu, bytes)];
  const gpuRounds: Round[] = [];
  // The first round of the GPU allocates its buffers, so it only counts when it is all there is.
  for (let i = 0; i <= ROUNDS; i++) {
    const round = await inTime(measureRound(gpu, bytes), until);
    if (round === undefined) break;
    if (i === 1) gpuRounds.length = 0;
    gpuRounds.push(round);
    if (totalMs(round) > HOPELESS * totalMs(cpuRounds[0] ?? round)) break;
    if (i < ROUNDS - 1 && performance.now() < until) cpuRounds.push(await measureRound(cpu, bytes));
    if (performance.now() >= until) break;
  }
  // The first round of the CPU ran code that was not yet optimised; it must not be what a GPU is compared with.
  if (gpuRounds.length > 0 && cpuRounds.length === 1) cpuRounds.push(await measureRound(cpu, bytes));
  const best = gpuRounds.length === 0 ? null : bestSpeeds(gpuRounds);
  const measuredAtMs = Date.now();
  return { version: CALIBRATION_VERSION, adapter, measuredAtMs, cpu: bestSpeeds(cpuRounds), gpu: best };
}

function totalMs({ cutMs, compressMs }: Round): number {
  return cutMs + compressMs;
}

function bestSpeeds(rounds: readonly Round[]): EngineSpeeds {
  const speed = (ms: readonly number[]): number => CALIBRATION_BYTES / 1000 / Math.max(0.01, Math.min(...ms));
  return { cut: speed(rounds.map(({ cutMs }) => cutMs)), compress: speed(rounds.map(({ compressMs }) => compressMs)) };
}

async function measureRound(engine: Engine, bytes: Uint8Array<ArrayBuffer>): Promise<Round> {
  const runs = Array.from({ length: Math.ceil(bytes.length / RUN_BYTES) }, (_, i): RunRange => {
    return { start: i * RUN_BYTES, end: Math.min(bytes.length, (i + 1) * RUN_BYTES) };
  });
  const began = performance.now();
  await engine.cut(bytes, [{ start: 0, end: bytes.length, final: true }], cutSizesFor(0));
  const between = performance.now();
  await engine.compress(bytes, runs, "lz4");
  return { cutMs: between - began, compressMs: performance.now() - between };
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
