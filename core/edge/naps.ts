/**
 * Waits that an event may cut short: the browser is online again, or everything ends.
 *
 * @module
 */
import type { Clock } from "../ports/clock.ts";

/** All waits of one link. */
export class Naps {
  readonly #clock: Clock;
  #alarm = new AbortController();
  #isOver = false;
  #wakes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How often everybody was woken; whoever was busy meanwhile sees that a wait would have ended. */
  get wakes(): number {
    return this.#wakes;
  }

  /**
   * Waits for `ms`, or until everybody is woken. Never rejects.
   * @param sinceWakes `wakes` at some time before: there is no waiting when it has changed since
   */
  async take(ms: number, sinceWakes: number = this.#wakes): Promise<void> {
    if (sinceWakes === this.#wakes) await this.#clock.sleep(ms, this.#alarm.signal).catch(() => {});
  }

  /** Ends all waits. */
  wake(): void {
    if (this.#isOver) return;
    this.#wakes += 1;
    const alarm = this.#alarm;
    this.#alarm = new AbortController();
    alarm.abort();
  }

  /** Ends all waits, and each later one at once. */
  end(): void {
    this.#isOver = true;
    this.#alarm.abort();
  }
}
