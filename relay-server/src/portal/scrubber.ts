/**
 * The scrubber: reads every stored object again and again, slowly, so that damage is found while its sender may still be
 * there to store the object again. It goes on where it was after a restart.
 *
 * @module
 */
import { setImmediate } from "node:timers/promises";
import { Failure } from "../../../core/failure.ts";
import type { PlacedObject, Store } from "../store/store.ts";
import type { Portals } from "./portals.ts";

/** Objects listed at a time. */
const LISTED = 64;
/** How often its place is written down; what was checked since is checked again after a crash. */
const SAVE_MS = 60_000;
/** Longest rest after one object: a small store is read more often than it has to be, and is never left alone for long. */
const MAX_REST_MS = 60_000;
/** Shortest rest that is worth a timer; shorter ones are added up. */
const MIN_REST_MS = 10;

export interface ScrubberOptions {
  readonly store: Store;
  readonly portals: Portals;
  /** Time for a pass over all objects; 0 for no scrubbing by itself. */
  readonly periodMs: number;
  readonly onChecked: (result: ScrubResult) => void;
  /** A pass over everything is done. */
  readonly onPass: (pass: ScrubPass) => void;
  /** Whatever else goes wrong. */
  readonly onBug: (error: unknown) => void;
}

/** `unreadable`: the disk gave an error instead of bytes, which says nothing about them yet. */
export type ScrubResult = "intact" | "damaged" | "unreadable";

export interface ScrubPass {
  readonly objects: number;
  readonly damaged: number;
}

export class Scrubber {
  readonly #options: ScrubberOptions;
  readonly #stop = new AbortController();
  readonly #works = new Set<Promise<unknown>>();
  #savedMs = performance.now();

  constructor(options: ScrubberOptions) {
    this.#options = options;
  }

  /** Scrubs in the background until `stop`. */
  start(): void {
    if (this.#options.periodMs > 0) void this.#track(this.#run());
  }

  /** Ends after the slice that is being read. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#works);
  }

  /** Checks every object once, at once. @throws Failure `relay/…` when the store cannot list */
  async pass(): Promise<ScrubPass> {
    const { to } = await this.#options.store.scrubRange();
    return this.#track(this.#walk(0, to, async () => {}));
  }

  async #run(): Promise<void> {
    const rest = new Rest(this.#options, this.#stop.signal);
    while (!this.#stop.signal.aborted) {
      try {
        if ((await this.#slowPass(rest)) > 0) continue;
      } catch (error) {
        this.#options.onBug(error);
      }
      await rest.long();
    }
  }

  /** Gives how many objects there were. */
  async #slowPass(rest: Rest): Promise<number> {
    const { store, onPass } = this.#options;
    const range = await store.scrubRange();
    const from = range.from < range.to ? range.from : 0;
    const pass = await this.#walk(from, range.to, async ({ place, length }) => {
      await this.#save(place, SAVE_MS);
      await rest.after(length);
    });
    if (this.#stop.signal.aborted) return pass.objects;
    await this.#save(0, 0);
    if (pass.objects > 0) onPass(pass);
    return pass.objects;
  }

  async #walk(from: number, to: number, after: (object: PlacedObject) => Promise<void>): Promise<ScrubPass> {
    const { store, onChecked } = this.#options;
    const pass = { objects: 0, damaged: 0 };
    for (let place = from; ; ) {
      // Small objects are read without waiting for anything: let others have their turn.
      await setImmediate();
      const objects = await store.objectsAfter(place, to, LISTED);
      if (objects.length === 0) return pass;
      for (const object of objects) {
        if (this.#stop.signal.aborted) return pass;
        const result = await this.#check(object);
        place = object.place;
        if (result === "gone") continue;
        onChecked(result);
        pass.objects++;
        if (result === "damaged") pass.damaged++;
        await after(object);
      }
    }
  }

  async #check({ key, kind, index }: PlacedObject): Promise<ScrubResult | "gone"> {
    try {
      return (await this.#options.portals.check(key, kind, index)) ? "intact" : "damaged";
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return error.code === "object/absent" ? "gone" : "unreadable";
    }
  }

  async #save(place: number, afterMs: number): Promise<void> {
    const now = performance.now();
    if (now - this.#savedMs < afterMs) return;
    this.#savedMs = now;
    // A disk that is full or broken is told of elsewhere.
    await this.#options.store.saveScrubPlace(place).catch(() => undefined);
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#works.add(work);
    const forget = () => void this.#works.delete(work);
    work.then(forget, forget);
    return work;
  }
}

/** Spreads a pass over its period, by bytes. */
class Rest {
  readonly #options: ScrubberOptions;
  readonly #signal: AbortSignal;
  #owedMs = 0;

  constructor(options: ScrubberOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  async after(bytes: number): Promise<void> {
    const { store, periodMs } = this.#options;
    this.#owedMs += Math.min(MAX_REST_MS, (periodMs * bytes) / Math.max(bytes, store.usage().bytes));
    if (this.#owedMs < MIN_REST_MS) return;
    await this.#sleep(this.#owedMs);
    this.#owedMs = 0;
  }

  /** When there was nothing to do. */
  async long(): Promise<void> {
    await this.#sleep(Math.min(MAX_REST_MS, this.#options.periodMs));
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#signal.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, ms).unref();
      this.#signal.addEventListener("abort", wake);
      if (this.#signal.aborted) wake();
    });
  }
}
