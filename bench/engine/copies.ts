/**
 * What moving bytes to the device and back costs by itself: nothing that does more can be quicker.
 *
 * @module
 */
import { MIB } from "../../core/units.ts";
import { type Contest, repeated, type Subject } from "./contest.ts";
import { assertSame } from "./stages.ts";

/** What the bytes of one call have: their own buffers, so that two calls do not wait for each other. */
class Lane {
  readonly #device: GPUDevice;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #onDevice: GPUBuffer;
  readonly #mapped: GPUBuffer;

  constructor(device: GPUDevice, bytes: Uint8Array<ArrayBuffer>) {
    const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
    this.#device = device;
    this.#bytes = bytes;
    this.#onDevice = device.createBuffer({ size: bytes.length, usage: STORAGE | COPY_SRC | COPY_DST });
    this.#mapped = device.createBuffer({ size: bytes.length, usage: MAP_READ | COPY_DST });
  }

  async upload(): Promise<void> {
    this.#device.queue.writeBuffer(this.#onDevice, 0, this.#bytes);
    this.#device.queue.submit([this.#device.createCommandEncoder().finish()]);
    await this.#device.queue.onSubmittedWorkDone();
  }

  /** Until the processor may read the bytes; reading them is not part of it. */
  async readback(check = false): Promise<void> {
    const encoder = this.#device.createCommandEncoder();
    encoder.copyBufferToBuffer(this.#onDevice, 0, this.#mapped, 0, this.#bytes.length);
    this.#device.queue.submit([encoder.finish()]);
    await this.#mapped.mapAsync(GPUMapMode.READ);
    if (check) assertSame("copy", new Uint8Array(this.#mapped.getMappedRange()), this.#bytes);
    this.#mapped.unmap();
  }

  both(check = false): Promise<void> {
    this.#device.queue.writeBuffer(this.#onDevice, 0, this.#bytes);
    return this.readback(check);
  }
}

/** Upload alone, readback alone, and both of the same bytes, one call in flight and two. `bytes` are borrowed. */
export async function copyContests(
  device: GPUDevice,
  bytes: Uint8Array<ArrayBuffer>,
  mebibytes: readonly number[],
): Promise<Contest[]> {
  const contests: Contest[] = [];
  for (const mib of mebibytes) {
    const length = mib * MIB;
    const lanes = [new Lane(device, bytes.slice(0, length)), new Lane(device, bytes.slice(-length))];
    for (const lane of lanes) await lane.both(true);
    for (const inFlight of [1, 2]) {
      const own = lanes.slice(0, inFlight);
      const contest = (name: string, call: (lane: Lane) => Promise<void>): void => {
        const subject: Subject = { part: "copy", name, mib, inFlight };
        const calls = own.map((lane) => () => call(lane));
        contests.push({ ...subject, sample: (leastMs) => repeated(calls, length, leastMs) });
      };
      contest("upload", (lane) => lane.upload());
      contest("readback", (lane) => lane.readback());
      contest("upload + readback", (lane) => lane.both());
    }
  }
  return contests;
}
