/**
 * The ways to save that this browser really has, and which one is chosen.
 *
 * @module
 */
import { type ProbedSinks, probeSinks, type SinkChoice, type SinkOption } from "../lib/probe-sinks.ts";

export class Sinks {
  /** `?sink=` of the address, or what the user chose. */
  #wanted = $state<SinkChoice | null>(null);
  #probed = $state.raw<ProbedSinks | null>(null);
  #newest = 0;

  constructor(wanted: SinkChoice | null) {
    this.#wanted = wanted;
  }

  /** The available ones, the preferred one first; empty until probed. */
  get options(): readonly SinkOption[] {
    return this.#probed?.options.filter(({ available }) => available) ?? [];
  }

  /** The option that receiving will use, or null until probed. */
  get chosen(): SinkOption | null {
    return this.options.find(({ kind }) => kind === this.#wanted) ?? this.options[0] ?? null;
  }

  /** True when a download streams to the disk instead of going through memory. */
  get isStreamed(): boolean {
    return this.#probed?.streams ?? false;
  }

  choose(kind: SinkChoice): void {
    this.#wanted = kind;
  }

  /** Tries them all, anew when it is known that there is only one file. */
  async probe(files: "one" | "several"): Promise<void> {
    this.#newest += 1;
    const mine = this.#newest;
    const probed = await probeSinks(files);
    if (mine === this.#newest) this.#probed = probed;
  }
}
