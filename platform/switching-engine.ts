/**
 * An engine that can be exchanged between two calls: work begins on the CPU at once, and goes on where measurements say.
 *
 * @module
 */
import type { Codec, CutResult, CutSizes, Engine, FileHasher, Piece, RunRange } from "../core/ports/engine.ts";

export class SwitchingEngine implements Engine {
  #current: Engine;

  constructor(first: Engine) {
    this.#current = first;
  }

  get kind(): "cpu" | "gpu" {
    return this.#current.kind;
  }
  get batchBytes(): number {
    return this.#current.batchBytes;
  }

  /** Gives every later call to `engine`. */
  use(engine: Engine): void {
    this.#current = engine;
  }

  cut(bytes: Uint8Array<ArrayBuffer>, pieces: readonly Piece[], sizes: CutSizes): Promise<readonly CutResult[]> {
    return this.#current.cut(bytes, pieces, sizes);
  }

  hash(bytes: Uint8Array, ends: Uint32Array): Promise<Uint8Array<ArrayBuffer>> {
    return this.#current.hash(bytes, ends);
  }

  compress(
    bytes: Uint8Array<ArrayBuffer>,
    runs: readonly RunRange[],
    codec: Exclude<Codec, "none">,
  ): Promise<readonly (Uint8Array<ArrayBuffer> | undefined)[]> {
    return this.#current.compress(bytes, runs, codec);
  }

  decompress(bytes: Uint8Array, codec: Exclude<Codec, "none">, plainBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.#current.decompress(bytes, codec, plainBytes);
  }

  createFileHasher(): FileHasher {
    return this.#current.createFileHasher();
  }
}
