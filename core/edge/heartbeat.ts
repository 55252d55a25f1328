/**
 * Signs of life of one connection: asked for regularly, and its end when they stay away.
 *
 * @module
 */
import type { Clock } from "../ports/clock.ts";
import { HEARTBEAT_MS, LINK_SILENCE_MS } from "../units.ts";

/** Beats until `end`. */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  #heardMs: number;

  /**
   * @param ask sends a question that the other end answers
   * @param onSilence is called once when nothing was heard for LINK_SILENCE_MS
   */
  constructor(clock: Clock, ask: () => void, onSilence: () => void) {
    this.#clock = clock;
    this.#heardMs = clock.now();
    this.#run(ask, onSilence).catch(() => {}); // ended
  }

  /** Clock time of the last sign of life. */
  get heardMs(): number {
    return this.#heardMs;
  }

  /** Something came, or went. */
  heard(): void {
    this.#heardMs = this.#clock.now();
  }

  /** Leaves no timer. */
  end(): void {
    this.#stop.abort();
  }

  async #run(ask: () => void, onSilence: () => void): Promise<void> {
    for (;;) {
      await this.#clock.sleep(HEARTBEAT_MS, this.#stop.signal);
      if (this.#clock.now() - this.#heardMs > LINK_SILENCE_MS) return onSilence();
      ask();
    }
  }
}
