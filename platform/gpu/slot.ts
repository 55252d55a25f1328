/**
 * One of the engine's places of work on the device: it has buffers of its own and does one call at a time, while the calls
 * of another slot fill the device's pauses. It knows which bytes it still holds, so that they are not uploaded twice.
 *
 * @module
 */
import { assert, Failure } from "../../core/failure.ts";
import type { GpuBuffers } from "./buffers.ts";
import type { EngineKernels } from "./engine-kernels.ts";
import { type Binding, dispatch, type Kernel } from "./pipelines.ts";

/** GPUMapMode.READ; Node has no such global. */
const MAP_MODE_READ = 1;
const WORD_BYTES = 4;
/** Bytes that the offset of a bound range is a multiple of, on every adapter. */
const BINDING_ALIGNMENT = 256;
const ALIGNMENT_WORDS = BINDING_ALIGNMENT / WORD_BYTES;

/** Bytes of a buffer to be read back: whole words, from a whole word on. */
export interface ReadRange {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly bytes: number;
}

/** Adds one dispatch to the commands. */
export type AddDispatch = (kernel: Kernel, bindings: readonly Binding[], workgroups: number) => void;

/** The part of a buffer of the page that a slot holds. */
interface Held {
  readonly buffer: ArrayBufferLike;
  readonly start: number;
  readonly end: number;
}

/** One slot of a device. */
export class Slot {
  readonly #device: GPUDevice;
  readonly #buffers: GpuBuffers;
  readonly #name: string;
  readonly kernels: EngineKernels;
  #held: Held | undefined;
  /** What the error scopes of the commands since the last read say. */
  #errors: Promise<GPUError | null>[] = [];

  constructor(device: GPUDevice, buffers: GpuBuffers, kernels: EngineKernels, name: string) {
    this.#device = device;
    this.#buffers = buffers;
    this.kernels = kernels;
    this.#name = name;
  }

  /** The slot's buffer for `purpose`; what it held is gone when it had to grow. */
  buffer(purpose: string, bytes: number): Promise<GPUBuffer> {
    return this.#buffers.named(`${this.#name} ${purpose}`, bytes);
  }

  /** Uploads `bytes` (borrowed until this resolves) to the slot's buffer for `purpose`, readable for the padding behind. */
  async upload(purpose: string, bytes: Uint8Array | Uint32Array<ArrayBuffer>): Promise<GPUBuffer> {
    const { buffer, byteOffset, byteLength } = bytes;
    const to = await this.buffer(purpose, byteLength);
    const whole = byteLength - (byteLength % WORD_BYTES);
    if (whole > 0) this.#device.queue.writeBuffer(to, 0, buffer as ArrayBuffer, byteOffset, whole);
    if (whole < byteLength) {
      const last = new Uint8Array(WORD_BYTES);
      last.set(new Uint8Array(buffer, byteOffset + whole, byteLength - whole));
      this.#device.queue.writeBuffer(to, whole, last);
    }
    return to;
  }

  /** Uploads uniform blocks, each at an offset that may be bound. */
  async params(purpose: string, blocks: readonly (readonly number[])[]): Promise<readonly Binding[]> {
    const words = new Uint32Array(blocks.length * ALIGNMENT_WORDS);
    for (const [i, block] of blocks.entries()) words.set(block, i * ALIGNMENT_WORDS);
    const buffer = await this.upload(`${purpose} params`, words);
    return blocks.map(({ length }, i) => ({
      buffer,
      offset: i * BINDING_ALIGNMENT,
      size: length * WORD_BYTES,
    }));
  }

  /** Uploads the bytes that calls share, and remembers them. */
  async hold(bytes: Uint8Array): Promise<GPUBuffer> {
    this.#held = undefined;
    const data = await this.upload("data", bytes);
    this.#held = { buffer: bytes.buffer, start: bytes.byteOffset, end: bytes.byteOffset + bytes.byteLength };
    return data;
  }

  /** The held bytes' buffer and where in it `bytes` begins; uploads them when they are not part of what is held. */
  async find(bytes: Uint8Array): Promise<{ readonly data: GPUBuffer; readonly base: number }> {
    const end = bytes.byteOffset + bytes.byteLength;
    const held = this.#held;
    if (held !== undefined && bytes.buffer === held.buffer && bytes.byteOffset >= held.start && end <= held.end) {
      return { data: await this.buffer("data", 0), base: bytes.byteOffset - held.start };
    }
    return { data: await this.hold(bytes), base: 0 };
  }

  /** Says that the bytes held may no longer be what they were. */
  forget(): void {
    this.#held = undefined;
  }

  /** Starts commands; their errors are thrown by the next `read`. */
  submit(clear: readonly ReadRange[], encode: (add: AddDispatch) => void): void {
    this.#submit((encoder) => this.#encode(encoder, clear, encode));
  }

  /**
   * Starts commands and waits for what they leave in `ranges`.
   *
   * @param clear filled with zeros first
   * @param use   gets a view of each range, good until it returns
   * @throws Failure `engine/failed` when the device fails
   */
  async read<T>(
    clear: readonly ReadRange[],
    encode: (add: AddDispatch) => void,
    ranges: readonly ReadRange[],
    use: (views: readonly Uint8Array<ArrayBuffer>[]) => T,
  ): Promise<T> {
    const total = ranges.reduce((sum, { bytes }) => sum + bytes, 0);
    const target = await this.#buffers.takeReadback(total);
    let isGood = false;
    try {
      this.#submit((encoder) => {
        this.#encode(encoder, clear, encode);
        let at = 0;
        for (const { buffer, offset, bytes } of ranges) {
          assert(bytes % WORD_BYTES === 0 && offset % WORD_BYTES === 0, "what is read back is whole words");
          if (bytes > 0) encoder.copyBufferToBuffer(buffer, offset, target, at, bytes);
          at += bytes;
        }
      });
      await this.#checkErrors(target.mapAsync(MAP_MODE_READ, 0, Math.max(WORD_BYTES, total)));
      const mapped = target.getMappedRange(0, Math.max(WORD_BYTES, total));
      let at = 0;
      const views = ranges.map(({ bytes }) => {
        at += bytes;
        return new Uint8Array(mapped, at - bytes, bytes);
      });
      try {
        return use(views);
      } finally {
        target.unmap();
        isGood = true;
      }
    } catch (error) {
      throw error instanceof Failure ? error : new Failure("engine/failed", { what: "device" }, { cause: error });
    } finally {
      this.#buffers.releaseReadback(target, isGood);
    }
  }

  /** Milliseconds until everything that was started is done. */
  async timeUntilDone(since: number): Promise<number> {
    await this.#device.queue.onSubmittedWorkDone();
    return performance.now() - since;
  }

  #encode(encoder: GPUCommandEncoder, clear: readonly ReadRange[], encode: (add: AddDispatch) => void): void {
    for (const { buffer, offset, bytes } of clear) encoder.clearBuffer(buffer, offset, bytes);
    const pass = encoder.beginComputePass();
    encode((kernel, bindings, workgroups) => {
      if (workgroups > 0) dispatch(this.#device, pass, kernel, bindings, workgroups);
    });
    pass.end();
  }

  #submit(record: (encoder: GPUCommandEncoder) => void): void {
    this.#device.pushErrorScope("validation");
    try {
      const encoder = this.#device.createCommandEncoder();
      record(encoder);
      this.#device.queue.submit([encoder.finish()]);
    } finally {
      const errors = this.#device.popErrorScope();
      // Whoever reads next hears of it; where nobody does, the device is gone and that is known.
      errors.catch(() => {});
      this.#errors.push(errors);
    }
  }

  /** The device's own words come before those of the read that failed because of them. */
  async #checkErrors(mapping: Promise<undefined>): Promise<void> {
    const scopes = this.#errors;
    this.#errors = [];
    const [mapped, ...errors] = await Promise.allSettled([mapping, ...scopes]);
    for (const error of errors) {
      if (error.status === "rejected") throw error.reason;
      if (error.value) throw new Failure("engine/failed", { what: "command" }, { cause: error.value });
    }
    if (mapped.status === "rejected") throw mapped.reason;
  }
}
