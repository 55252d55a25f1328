/**
 * An engine whose stages can be given to another one between two calls: work begins on the CPU at once, and goes on where
 * measurements say.
 *
 * @module
 */
import type { Codec, CutResult, CutSizes, Engine, FileHasher, Piece, RunRange } from "../core/ports/engine.ts";
import type { EngineStage } from "../core/transfer/snapshot.ts";

export class SwitchingEngine implements Engine {
  readonly #first: Engine;
  #other: { readonly engine: Engine; readonly stages: readonly EngineStage[] } | undefined;

  constructor(first: Engine) {
    this.#first = first;
  }

  get kind(): "cpu" | "gpu" {
    return (this.#other?.engine ?? this.#first).kind;
  }

  /** Whoever cuts or compresses more at once has its measure; the other takes any. */
  get batchBytes(): number {
    return Math.max(this.#at("cut").batchBytes, this.#at("compress").batchBytes);
  }

  /** Gives every later call of these stages to `engine`; the first one goes on with the others. */
  use(engine: Engine, stages: readonly EngineStage[]): void {
    this.#other = { engine, stages };
  }

  cut(bytes: Uint8Array<ArrayBuffer>, pieces: readonly Piece[], sizes: CutSizes): Promise<readonly CutResult[]> {
    return this.#at("cut").cut(bytes, pieces, sizes);
  }

  hash(bytes: Uint8Array, ends: Uint32Array): Promise<Uint8Array<ArrayBuffer>> {
    return this.#at("hash").hash(bytes, ends);
  }

  compress(
    bytes: Uint8Array<ArrayBuffer>,
    runs: readonly RunRange[],
    codec: Exclude<Codec, "none">,
  ): Promise<readonly (Uint8Array<ArrayBuffer> | undefined)[]> {
    return this.#at("compress").compress(bytes, runs, codec);
  }

  decompress(bytes: Uint8Array, codec: Exclude<Codec, "none">, plainBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.#at("decompress").decompress(bytes, codec, plainBytes);
  }

  createFileHasher(): FileHasher {
    return this.#first.createFileHasher();
  }

  #at(stage: EngineStage): Engine {
    return this.#other?.stages.includes(stage) ? this.#other.engine : this.#first;
  }
}
