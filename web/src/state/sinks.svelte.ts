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
  #isResumableFirst = $state(false);
  #newest = 0;

  constructor(wanted: SinkChoice | null) {
    this.#wanted = wanted;
  }

  /** The available ones, the preferred one first; empty until probed. */
  get options(): readonly SinkOption[] {
    const options = this.#probed?.options.filter(({ available }) => available) ?? [];
    if (!this.#isResumableFirst) return options;
    return [...options.filter(canResume), ...options.filter((option) => !canResume(option))];
  }

  /** The available ones that go on where they stopped after an interruption. */
  get resumable(): readonly SinkOption[] {
    return this.options.filter(canResume);
  }

  /** The option that receiving will use, or null until probed. */
  get chosen(): SinkOption | null {
    return this.options.find(({ kind }) => kind === this.#wanted) ?? this.options[0] ?? null;
  }

  /** True when a download streams to the disk instead of going through memory. */
  get isStreamed(): boolean {
    return this.#probed?.streams ?? false;
  }

  /** Puts those that can resume first, after one that cannot was cut off. */
  preferResumable(isPreferred: boolean): void {
    this.#isResumableFirst = isPreferred;
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

/** A download is the browser's own: once it is broken off nothing can be added to it. */
function canResume({ kind }: SinkOption): boolean {
  return kind !== "download";
}
