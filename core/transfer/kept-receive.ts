/**
 * The part of a receive that outlives its tab: what an earlier run left, and when what was written is made durable and
 * written down.
 *
 * @module
 */
import type { Clock } from "../ports/clock.ts";
import type { Journal } from "../ports/journal.ts";
import type { ResumableSink, Sink, SinkFound, SinkPlan } from "../ports/sink.ts";
import { MIB } from "../units.ts";
import { ReceiveLog, readPast } from "./receive-journal.ts";

/** Bytes between two marks: a crash costs those since the last mark that is in the journal, at most twice as many. */
const MARK_BYTES = 16 * MIB;
/** Milliseconds between two marks, where bytes come slowly. */
const MARK_MS = 2_000;

/** A journal for a receive. */
export interface KeepOptions {
  readonly journal: Journal;
  /** Continue what it says, rather than begin. */
  readonly resume: boolean;
  /** Called once, when the journal takes nothing more; the receive goes on and cannot be continued later. */
  readonly onTrouble: (failure: unknown) => void;
}

/** One receive with a journal into a sink that can be continued. */
export class KeptReceive {
  readonly #sink: ResumableSink;
  readonly #clock: Clock;
  readonly #options: KeepOptions;
  readonly #log: ReceiveLog;
  #found: SinkFound = { placed: new Set(), bytes: new Map() };
  #lastFound = -1;
  #isBegun = false;
  #unmarkedBytes = 0;
  #markedAtMs = 0;
  #noted: Promise<void> = Promise.resolve();

  /** Undefined for a sink that cannot be continued. */
  static over(sink: Sink, options: KeepOptions | undefined, clock: Clock): KeptReceive | undefined {
    return options !== undefined && isResumable(sink) ? new KeptReceive(sink, options, clock) : undefined;
  }

  private constructor(sink: ResumableSink, options: KeepOptions, clock: Clock) {
    this.#sink = sink;
    this.#clock = clock;
    this.#options = options;
    this.#log = new ReceiveLog(options.journal, options.onTrouble);
  }

  /** True while journal and sink say enough to continue from. */
  get canContinue(): boolean {
    return (this.#isBegun || this.#options.resume) && !this.#log.isBroken;
  }

  /** True when an earlier run wrote something. */
  get isResumed(): boolean {
    return this.#options.resume;
  }

  /** The last entry of which an earlier run left anything; behind it everything is new. -1 when there is none. */
  get lastFound(): number {
    return this.#lastFound;
  }

  /** Begins the sink, or has it look for what is there. @throws Failure `journal/damaged` | `sink/…` */
  async begin(plan: SinkPlan): Promise<void> {
    if (this.#options.resume)
      this.#found = await this.#sink.resume(plan, await readPast(this.#options.journal), this.#log);
    else await this.#sink.begin(plan, this.#log);
    for (const numbers of [this.#found.placed, this.#found.bytes.keys()])
      for (const number of numbers) this.#lastFound = Math.max(this.#lastFound, number);
    this.#isBegun = true;
    this.#markedAtMs = this.#clock.now();
  }

  /** True when the entry stands under its name already. */
  isPlaced(entry: number): boolean {
    return this.#found.placed.has(entry);
  }

  /** Bytes of an entry that are there already. */
  bytesOf(entry: number): number {
    return this.#found.bytes.get(entry) ?? 0;
  }

  /** Bytes were written of an entry that is open; now and then they are made durable and written down. @throws Failure */
  async wrote(entry: number, bytes: number): Promise<void> {
    this.#unmarkedBytes += bytes;
    const now = this.#clock.now();
    if (this.#unmarkedBytes < MARK_BYTES && now - this.#markedAtMs < MARK_MS) return;
    this.#unmarkedBytes = 0;
    this.#markedAtMs = now;
    await this.#noted;
    if (this.#log.isBroken) return;
    const durable = await this.#sink.flush();
    // The next mark waits for this one, writing does not.
    if (durable > 0) this.#noted = this.#log.bytes(entry, durable);
  }

  /** Lets go and keeps what is there. Never throws. */
  suspend(): Promise<void> {
    return this.#sink.suspend();
  }
}

function isResumable(sink: Sink): sink is ResumableSink {
  return "resume" in sink;
}
