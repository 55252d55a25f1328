/**
 * An engine that uses the GPU for as long as it can be trusted. A sample of every answer is compared with the CPU's; after
 * any failure, wrong byte or silence the same call is done again on the CPU, and so is every later one. Calls change
 * nothing but what they return, so nothing is lost or done twice.
 *
 * @module
 */
import { deferred } from "../../core/edge/deferred.ts";
import { Failure, toFailure } from "../../core/failure.ts";
import type { Codec, CutResult, CutSizes, Engine, FileHasher, Piece, RunRange } from "../../core/ports/engine.ts";
import { checkCompressed, checkCut, checkDecompressed, checkHashed, type Draw } from "./spot-check.ts";

/** A call that takes longer will not come back. */
const CALL_LIMIT_MS = 10_000;

/** An engine that may have changed from the GPU to the CPU. */
export interface GuardedEngine extends Engine {
  /** Why the GPU is no longer used; undefined while it is. */
  readonly reason: Failure | undefined;
}

/** How a guarded engine watches. */
export interface GuardOptions {
  /** Told once, when the CPU takes over. */
  readonly onFallback?: (reason: Failure) => void;
  /** CALL_LIMIT_MS unless told otherwise. */
  readonly limitMs?: number;
  /** Picks what is checked: a number from 0 to below 1. */
  readonly draw?: Draw;
}

/** Guards `gpu`; `lost` is its device's. Both engines belong to the guarded one from now on. */
export function createGuardedEngine(
  gpu: Engine,
  cpu: Engine,
  lost: Promise<Failure>,
  options: GuardOptions = {},
): GuardedEngine {
  return new Guarded(gpu, cpu, lost, options);
}

class Guarded implements GuardedEngine {
  readonly #gpu: Engine;
  readonly #cpu: Engine;
  /** Ends the calls in work on the GPU. A race with the device's promise would keep every result for as long as it lives. */
  readonly #abandon = new Set<(reason: Failure) => void>();
  readonly #options: GuardOptions;
  readonly #draw: Draw;
  #reason: Failure | undefined;

  constructor(gpu: Engine, cpu: Engine, lost: Promise<Failure>, options: GuardOptions) {
    this.#gpu = gpu;
    this.#cpu = cpu;
    this.#options = options;
    this.#draw = options.draw ?? Math.random;
    void lost.then((failure) => this.#fallBack(failure));
  }

  get reason(): Failure | undefined {
    return this.#reason;
  }

  get kind(): "cpu" | "gpu" {
    return this.#reason === undefined ? this.#gpu.kind : "cpu";
  }

  get batchBytes(): number {
    return (this.#reason === undefined ? this.#gpu : this.#cpu).batchBytes;
  }

  cut(bytes: Uint8Array<ArrayBuffer>, pieces: readonly Piece[], sizes: CutSizes): Promise<readonly CutResult[]> {
    return this.#guard(
      (engine) => engine.cut(bytes, pieces, sizes),
      (results) => checkCut(this.#cpu, bytes, pieces, sizes, results, this.#draw),
    );
  }

  hash(bytes: Uint8Array, ends: Uint32Array): Promise<Uint8Array<ArrayBuffer>> {
    return this.#guard(
      (engine) => engine.hash(bytes, ends),
      (hashes) => checkHashed(this.#cpu, bytes, ends, hashes, this.#draw),
    );
  }

  compress(
    bytes: Uint8Array<ArrayBuffer>,
    runs: readonly RunRange[],
    codec: Exclude<Codec, "none">,
  ): Promise<readonly (Uint8Array<ArrayBuffer> | undefined)[]> {
    return this.#guard(
      (engine) => engine.compress(bytes, runs, codec),
      // Only LZ4 comes from the device.
      async (frames) => codec === "lz4" && (await checkCompressed(this.#cpu, bytes, runs, frames, this.#draw)),
    );
  }

  decompress(bytes: Uint8Array, codec: Exclude<Codec, "none">, plainBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.#guard(
      (engine) => engine.decompress(bytes, codec, plainBytes),
      async (plain) => codec === "lz4" && (await checkDecompressed(this.#cpu, bytes, plainBytes, plain, this.#draw)),
    );
  }

  createFileHasher(): FileHasher {
    return this.#cpu.createFileHasher();
  }

  async #guard<T>(call: (engine: Engine) => Promise<T>, check: (result: T) => Promise<unknown>): Promise<T> {
    if (this.#reason !== undefined) return call(this.#cpu);
    let reason: Failure;
    try {
      const result = await this.#inTime(call(this.#gpu));
      await check(result);
      return result;
    } catch (error) {
      reason = toFailure(error, "engine/failed");
    }
    // Malformed input is no fault of the GPU's, if the CPU, which now decides, finds the same.
    if (reason.code !== "chunk/mismatch") this.#fallBack(reason);
    const result = await call(this.#cpu);
    if (reason.code === "chunk/mismatch") this.#fallBack(new Failure("engine/failed", { what: "wrong-bytes" }));
    return result;
  }

  /** The result, unless it takes too long or the GPU is given up; what comes later is nobody's. */
  async #inTime<T>(result: Promise<T>): Promise<T> {
    const { promise, resolve, reject } = deferred<T>();
    const limitMs = this.#options.limitMs ?? CALL_LIMIT_MS;
    const timer = setTimeout(() => reject(new Failure("engine/failed", { what: "late" })), limitMs);
    this.#abandon.add(reject);
    result.then(resolve, reject);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#abandon.delete(reject);
    }
  }

  #fallBack(reason: Failure): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    for (const abandon of this.#abandon) abandon(reason);
    this.#options.onFallback?.(reason);
  }
}
