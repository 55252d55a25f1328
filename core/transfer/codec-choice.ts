/**
 * Which codec the next batch should try, from what the send waits for: Zstandard while the network is the bottleneck
 * and the engine has time, LZ4 while the engine holds the network up.
 *
 * @module
 */
import type { Codec } from "../ports/engine.ts";

/** Weight of the newest observation. */
const ALPHA = 0.1;
/** Share of waiting time spent on the network above which Zstandard pays, and below which it is left again. */
const NETWORK_BOUND = 0.9;
const ENGINE_BOUND = 0.5;

export class CodecChoice {
  #networkMs = 0;
  #engineMs = 0;
  #codec: Codec = "lz4";

  get current(): Codec {
    return this.#codec;
  }

  waitedForNetwork(ms: number): void {
    this.#networkMs += ALPHA * (ms - this.#networkMs);
    this.#choose();
  }

  waitedForEngine(ms: number): void {
    this.#engineMs += ALPHA * (ms - this.#engineMs);
    this.#choose();
  }

  #choose(): void {
    const total = this.#networkMs + this.#engineMs;
    if (total < 1) return;
    const share = this.#networkMs / total;
    if (share > NETWORK_BOUND) this.#codec = "zstd";
    else if (share < ENGINE_BOUND) this.#codec = "lz4";
  }
}
