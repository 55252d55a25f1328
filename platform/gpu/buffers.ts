/**
 * Device memory that is kept and used again: one buffer for each purpose, which grows in steps, and a small ring of
 * buffers that the processor may read. All of it together stays under one cap.
 *
 * @module
 */
import { assert, Failure } from "../../core/failure.ts";
import { MIB } from "../../core/units.ts";
import { DATA_PADDING_BYTES } from "../../shaders/descriptor.ts";

/**
 * Most device memory of one engine. Two batches of 24 MiB in work need for each: their bytes (32), LZ4 blocks (32), gathered
 * blocks (32) and tables (8); and 32 to be read back, with
 * some smaller ones that are kept.
 */
const MAX_GPU_BYTES = 320 * MIB;

/** Buffers that the processor reads from: each slot has one in use at a time, of a small or a large size. */
const READBACK_RING = 4;
/** Smallest buffer. */
const MIN_BYTES = 4096;
/** Behind every buffer: more than DATA_PADDING_BYTES, so that whatever is uploaded has its padding. */
const EXTRA_BYTES = 8 * DATA_PADDING_BYTES;

// The numbers of GPUBufferUsage; Node has no such global.
const MAP_READ = 0x01;
const COPY_SRC = 0x04;
const COPY_DST = 0x08;
const UNIFORM = 0x40;
const STORAGE = 0x80;

/** The buffers of one device. */
export class GpuBuffers {
  readonly #device: GPUDevice;
  readonly #maxBytes: number;
  readonly #named = new Map<string, GPUBuffer>();
  readonly #ring: GPUBuffer[] = [];
  readonly #taken = new Set<GPUBuffer>();
  #bytes = 0;

  constructor(device: GPUDevice, maxBytes: number = MAX_GPU_BYTES) {
    this.#device = device;
    this.#maxBytes = maxBytes;
  }

  /** Bytes allocated now. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * The buffer of this name with at least `bytes` bytes, and EXTRA_BYTES behind them; what it held is gone when it had to
   * grow. For storage and uniforms, copied from and to. Two calls for one name must not overlap.
   * @throws Failure `engine/failed` when there is no memory
   */
  async named(name: string, bytes: number): Promise<GPUBuffer> {
    const old = this.#named.get(name);
    if (old !== undefined && old.size >= bytes + EXTRA_BYTES) return old;
    if (old !== undefined) this.#free(old);
    this.#named.delete(name);
    const fresh = await this.#allocate(name, bytes, STORAGE | UNIFORM | COPY_SRC | COPY_DST);
    this.#named.set(name, fresh);
    return fresh;
  }

  /** A buffer of at least `bytes` bytes that can be mapped; `release` gives it back. @throws Failure `engine/failed` */
  async takeReadback(bytes: number): Promise<GPUBuffer> {
    const free = this.#ring.filter((buffer) => !this.#taken.has(buffer)).sort((a, b) => a.size - b.size);
    let found = free.find(({ size }) => size >= bytes);
    if (found === undefined) {
      const smallest = free[0];
      if (smallest !== undefined && this.#ring.length >= READBACK_RING) this.#drop(smallest);
      found = await this.#allocate("readback", bytes, MAP_READ | COPY_DST);
      this.#ring.push(found);
    }
    this.#taken.add(found);
    return found;
  }

  /** Ends the use of a buffer of `takeReadback`; `isGood` is false when it may still be mapped. */
  releaseReadback(buffer: GPUBuffer, isGood: boolean): void {
    this.#taken.delete(buffer);
    if (!isGood) this.#drop(buffer);
  }

  /** Gives everything back. */
  destroy(): void {
    for (const buffer of [...this.#named.values(), ...this.#ring]) this.#free(buffer);
    this.#named.clear();
    this.#ring.length = 0;
    this.#taken.clear();
  }

  #drop(buffer: GPUBuffer): void {
    const at = this.#ring.indexOf(buffer);
    if (at < 0) return;
    this.#ring.splice(at, 1);
    this.#free(buffer);
  }

  #free(buffer: GPUBuffer): void {
    this.#bytes -= buffer.size;
    buffer.destroy();
  }

  async #allocate(label: string, bytes: number, usage: number): Promise<GPUBuffer> {
    const size = sizeClass(bytes) + EXTRA_BYTES;
    assert(size % 4 === 0, "buffers are whole words");
    if (this.#bytes + size > this.#maxBytes) {
      for (const buffer of this.#ring.filter((kept) => !this.#taken.has(kept))) this.#drop(buffer);
    }
    if (this.#bytes + size > this.#maxBytes) throw noMemory(size);
    this.#bytes += size;
    this.#device.pushErrorScope("out-of-memory");
    const buffer = this.#device.createBuffer({ label, size, usage });
    const error = await this.#device.popErrorScope();
    if (!error) return buffer;
    this.#free(buffer);
    throw noMemory(size);
  }
}

/** At most a quarter larger than `bytes`: batches are a little over 16 MiB, for which a power of two would be twice as much. */
function sizeClass(bytes: number): number {
  const step = Math.max(MIN_BYTES, 2 ** (Math.floor(Math.log2(Math.max(1, bytes))) - 2));
  return Math.ceil(Math.max(1, bytes) / step) * step;
}

function noMemory(bytes: number): Failure {
  return new Failure("engine/failed", { what: "memory", bytes });
}
