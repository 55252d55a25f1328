/**
 * One object that is fetched, from one edge or from several at once: the first that has it gives it.
 *
 * @module
 */
import type { RangeSet } from "../chunk/range-set.ts";
import { type Deferred, deferred } from "../edge/deferred.ts";
import { Failure } from "../failure.ts";
import type { ObjectKind, SealedObject } from "../wire/object.ts";

/** One try at one edge. It ends once, at once when it is stopped, whenever the edge itself answers. */
export class Attempt {
  readonly edge: number;
  readonly startedMs: number;
  readonly #stop = new AbortController();
  readonly #onEnd: () => void;
  #isOver = false;
  /** The edge was told to count it as work. */
  isCounted = false;
  /** What is wrong with its bytes is the link's to repeat. */
  isRaw = false;
  /** Bytes of it that came, as far as the edge tells. */
  cameBytes = 0;
  /** When the object's last byte was there. */
  cameMs: number | undefined;

  constructor(edge: number, startedMs: number, onEnd: (attempt: Attempt) => void) {
    this.edge = edge;
    this.startedMs = startedMs;
    this.#onEnd = () => onEnd(this);
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** It came to its end, or is wanted no more. @returns false where it had ended before */
  end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#stop.abort();
    this.#onEnd();
    return true;
  }
}

/** One object that somebody waits for. */
export class FetchJob {
  readonly kind: ObjectKind;
  readonly index: number;
  readonly accept: (object: SealedObject) => Promise<unknown>;
  /** By edge. */
  readonly attempts = new Map<number, Attempt>();
  /** The dispatcher says where it is fetched; otherwise everybody who may have it is asked. */
  isOrdered = false;
  /** Copies that were not what they should be. */
  faults = 0;
  readonly #done: Deferred<unknown> = deferred<unknown>();
  #isDone = false;

  constructor(kind: ObjectKind, index: number, accept: (object: SealedObject) => Promise<unknown>) {
    this.kind = kind;
    this.index = index;
    this.accept = accept;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /** What `accept` made of it. @throws Failure */
  get result(): Promise<unknown> {
    return this.#done.promise;
  }

  /** True while an edge was asked for this pack, has it, and not all of it came. @param held what the edge holds */
  isOwedBy(edge: number, held: RangeSet): boolean {
    const attempt = this.attempts.get(edge);
    if (this.kind !== "pack" || attempt === undefined || attempt.cameMs !== undefined) return false;
    return attempt.isCounted || held.has(this.index);
  }

  /** Ends it with what `accept` made; all attempts end. */
  resolve(value: unknown): void {
    this.#finish();
    this.#done.resolve(value);
  }

  reject(reason: Failure = new Failure("cancelled")): void {
    this.#finish();
    this.#done.reject(reason);
  }

  #finish(): void {
    this.#isDone = true;
    for (const attempt of this.attempts.values()) attempt.end();
    this.attempts.clear();
  }
}
