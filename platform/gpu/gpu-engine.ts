/**
 * The GPU engine: cutting, hashing and LZ4 on the device behind the engine port, everything else on a CPU engine. Cuts and
 * hashes equal the CPU's. Two calls may be in work at a time, each in a slot of its own; more wait.
 *
 * @module
 */
import { MAX_BATCH_BYTES } from "../../core/chunk/cut-sizes.ts";
import { assert } from "../../core/failure.ts";
import type { Codec, CutResult, CutSizes, Engine, FileHasher, Piece, RunRange } from "../../core/ports/engine.ts";
import { KIB, MAX_CHUNK_BYTES, MIB } from "../../core/units.ts";
import { GpuBuffers } from "./buffers.ts";
import { compressRuns } from "./compress-stage.ts";
import { cutBatch } from "./cut-stage.ts";
import { decompressFrame } from "./decompress-stage.ts";
import type { GpuDevice } from "./device.ts";
import { DispatchSize } from "./dispatch-size.ts";
import { compileEngineKernels } from "./engine-kernels.ts";
import { hashSlices } from "./hash-stage.ts";
import { Slot } from "./slot.ts";

/** Bytes with which a call is quickest: enough that the round trips weigh little. */
const BATCH_BYTES = 16 * MIB;
/** Below these the processor is done before the device has begun. */
const MIN_HASH_BYTES = 512 * KIB;
const MIN_EXPAND_BYTES = 512 * KIB;
const SLOTS = 2;

/** An engine over the device, whose shaders are compiled before it is given. `cpu` does what the device does not. */
export async function createGpuEngine(device: GpuDevice, cpu: Engine): Promise<Engine> {
  const kernels = await compileEngineKernels(device);
  const buffers = new GpuBuffers(device.device);
  const slots = Array.from({ length: SLOTS }, (_, i) => new Slot(device.device, buffers, kernels, `slot ${i}`));
  return new GpuEngine(slots, cpu);
}

/** A slot with the calls that wait for it. */
interface Place {
  readonly slot: Slot;
  waiting: number;
  /** When it was last given a call, as a count of calls. */
  used: number;
  last: Promise<unknown>;
  /** The buffer whose bytes it will hold once its calls are done. */
  holds: ArrayBufferLike | undefined;
}

class GpuEngine implements Engine {
  readonly kind = "gpu";
  readonly batchBytes = BATCH_BYTES;
  readonly #cpu: Engine;
  readonly #places: readonly Place[];
  readonly #size = new DispatchSize();
  #calls = 0;

  constructor(slots: readonly Slot[], cpu: Engine) {
    this.#cpu = cpu;
    this.#places = slots.map((slot) => ({
      slot,
      waiting: 0,
      used: 0,
      last: Promise.resolve(),
      holds: undefined,
    }));
  }

  async cut(bytes: Uint8Array<ArrayBuffer>, pieces: readonly Piece[], sizes: CutSizes): Promise<readonly CutResult[]> {
    assert(bytes.length <= MAX_BATCH_BYTES, "a batch is at most MAX_BATCH_BYTES");
    assertInOrder(pieces, bytes.length);
    const place = this.#placeOf(bytes);
    const results = await this.#at(place, (slot) => cutBatch(slot, bytes, pieces, sizes));
    return results ?? this.#cpu.cut(bytes, pieces, sizes);
  }

  async hash(bytes: Uint8Array, ends: Uint32Array): Promise<Uint8Array<ArrayBuffer>> {
    const isOurs = bytes.length >= MIN_HASH_BYTES && bytes.length <= MAX_BATCH_BYTES && ends.length > 0;
    if (!isOurs) return this.#cpu.hash(bytes, ends);
    const starts = new Uint32Array(ends.length);
    starts.set(ends.subarray(0, -1), 1);
    assert(
      ends.every((end, i) => end >= (starts[i] ?? 0) && end <= bytes.length),
      "slices lie in the bytes, in order",
    );
    const place = this.#idlest();
    place.holds = undefined;
    return this.#at(place, async (slot) => {
      const data = await slot.hold(bytes);
      slot.forget();
      return hashSlices(slot, data, starts, ends);
    });
  }

  async compress(
    bytes: Uint8Array<ArrayBuffer>,
    runs: readonly RunRange[],
    codec: Exclude<Codec, "none">,
  ): Promise<readonly (Uint8Array<ArrayBuffer> | undefined)[]> {
    if (codec !== "lz4" || bytes.length > MAX_BATCH_BYTES) return this.#cpu.compress(bytes, runs, codec);
    for (const { start, end } of runs) {
      assert(start >= 0 && end >= start && end <= bytes.length, "runs lie in the bytes");
      assert(end - start <= MAX_CHUNK_BYTES, "a run is at most MAX_CHUNK_BYTES");
    }
    const place = this.#placeOf(bytes);
    return this.#at(place, (slot) => compressRuns(slot, this.#size, bytes, runs));
  }

  async decompress(
    bytes: Uint8Array,
    codec: Exclude<Codec, "none">,
    plainBytes: number,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const isOurs = codec === "lz4" && plainBytes >= MIN_EXPAND_BYTES && plainBytes <= MAX_CHUNK_BYTES;
    if (!isOurs || !Number.isInteger(plainBytes)) return this.#cpu.decompress(bytes, codec, plainBytes);
    return this.#at(this.#idlest(), (slot) => decompressFrame(slot, bytes, plainBytes));
  }

  createFileHasher(): FileHasher {
    return this.#cpu.createFileHasher();
  }

  /** The one place that holds the buffer or will: were there two, one of them might hold what the buffer was before. */
  #placeOf({ buffer }: Uint8Array<ArrayBuffer>): Place {
    const place = this.#places.find(({ holds }) => holds === buffer) ?? this.#idlest();
    place.holds = buffer;
    return place;
  }

  /** The place with the fewest calls; of several the one that was used longest ago, so that held bytes stay. */
  #idlest(): Place {
    const [first, ...others] = this.#places;
    assert(first !== undefined, "there is a slot");
    return others.reduce((best, place) => {
      if (place.waiting !== best.waiting) return place.waiting < best.waiting ? place : best;
      return place.used < best.used ? place : best;
    }, first);
  }

  async #at<T>(place: Place, work: (slot: Slot) => Promise<T>): Promise<T> {
    place.waiting += 1;
    place.used = ++this.#calls;
    const result = place.last.then(() => work(place.slot));
    // Not the result itself, which would be kept until the next call.
    place.last = result.then(
      () => {},
      () => {},
    );
    try {
      return await result;
    } finally {
      place.waiting -= 1;
    }
  }
}

function assertInOrder(pieces: readonly Piece[], length: number): void {
  let at = 0;
  for (const { start, end } of pieces) {
    assert(start >= at && end >= start && end <= length, "pieces follow each other in the bytes");
    at = end;
  }
}
