/**
 * Timing of shaders on data that already lies on the device: so many dispatches in one submission that starting it
 * weighs little, by the clock on the wall and, where the device can, by its own.
 *
 * @module
 */
import { type Binding, dispatch, type Kernel } from "../../platform/gpu/pipelines.ts";
import { gridFor } from "../../shaders/descriptor.ts";
import { megabytesPerSecond } from "../lib/stats.ts";
import type { Sample } from "./contest.ts";

/** One dispatch of a stage. */
export interface Step {
  readonly kernel: Kernel;
  readonly bindings: readonly Binding[];
  readonly workgroups: number;
}

/** Aims a little longer than asked, so that the next try is seldom too short as well. */
const MARGIN = 1.25;
const TIMESTAMP_BYTES = 8;

/** The device's clock around one pass; undefined where it has none. */
class Timestamps {
  readonly #set: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #mapped: GPUBuffer;

  constructor(device: GPUDevice) {
    const { QUERY_RESOLVE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
    const size = 2 * TIMESTAMP_BYTES;
    this.#set = device.createQuerySet({ type: "timestamp", count: 2 });
    this.#resolved = device.createBuffer({ size, usage: QUERY_RESOLVE | COPY_SRC });
    this.#mapped = device.createBuffer({ size, usage: MAP_READ | COPY_DST });
  }

  get writes(): GPUComputePassTimestampWrites {
    return { querySet: this.#set, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 };
  }

  resolve(encoder: GPUCommandEncoder): void {
    encoder.resolveQuerySet(this.#set, 0, 2, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#mapped, 0, this.#mapped.size);
  }

  /** Milliseconds of the pass; undefined when the clock was set back meanwhile. */
  async read(): Promise<number | undefined> {
    await this.#mapped.mapAsync(GPUMapMode.READ);
    const [began = 0n, ended = 0n] = new BigUint64Array(this.#mapped.getMappedRange().slice(0));
    this.#mapped.unmap();
    return ended > began ? Number(ended - began) / 1e6 : undefined;
  }
}

/** Gives the speed of a stage: its steps over `bytes` bytes, again and again. */
export function residentSampler(
  device: GPUDevice,
  steps: readonly Step[],
  bytes: number,
): (leastMs: number) => Promise<Sample> {
  const clock = device.features.has("timestamp-query") ? new Timestamps(device) : undefined;
  let times = 1;
  return async (leastMs) => {
    for (;;) {
      const commands = encode(device, steps, times, clock);
      const began = performance.now();
      device.queue.submit([commands]);
      await device.queue.onSubmittedWorkDone();
      const wallMs = performance.now() - began;
      const deviceMs = await clock?.read();
      const speed = (ms: number): number => megabytesPerSecond(bytes * times, ms);
      if (wallMs >= leastMs) return { wall: speed(wallMs), device: deviceMs && speed(deviceMs) };
      times = Math.ceil((times * MARGIN * leastMs) / Math.max(1, wallMs));
    }
  };
}

/**
 * Each step `times` times in a row, which takes as long as all steps in turn: no shader's time depends on what an earlier
 * dispatch left, but for a list of candidates that is full from some time on.
 */
function encode(
  device: GPUDevice,
  steps: readonly Step[],
  times: number,
  clock: Timestamps | undefined,
): GPUCommandBuffer {
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass(clock && { timestampWrites: clock.writes });
  for (const { kernel, bindings, workgroups } of steps) {
    dispatch(device, pass, kernel, bindings, workgroups);
    for (let i = 1; i < times; i++) pass.dispatchWorkgroups(...gridFor(workgroups));
  }
  pass.end();
  clock?.resolve(encoder);
  return encoder.finish();
}
