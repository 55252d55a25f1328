/**
 * A second way to connect beside a first one that is slow: opened after a head start, or when it is asked for.
 *
 * @module
 */
import type { Clock } from "../ports/clock.ts";
import type { Connected } from "./connect.ts";

/** Opens at most one connection, once. */
export class Reserve {
  readonly #connect: (stop: AbortSignal) => Promise<Connected>;
  readonly #stop = new AbortController();
  /** Aborted when the head start is over. */
  readonly #begun = new AbortController();
  readonly #signal: AbortSignal;
  readonly #onAbort = () => this.drop();
  #opening: Promise<Connected> | undefined;

  /** @param headStartMs undefined waits until it is asked for */
  constructor(
    connect: (stop: AbortSignal) => Promise<Connected>,
    headStartMs: number | undefined,
    clock: Clock,
    signal: AbortSignal,
  ) {
    this.#connect = connect;
    this.#signal = signal;
    signal.addEventListener("abort", this.#onAbort, { once: true });
    if (headStartMs === undefined) return;
    clock.sleep(headStartMs, this.#begun.signal).then(
      () => void this.open(),
      () => {},
    );
  }

  /** Gives the connection, opened now if it is not yet. @throws Failure */
  open(): Promise<Connected> {
    if (this.#opening === undefined) {
      this.#begun.abort();
      this.#opening = this.#connect(this.#stop.signal);
      this.#opening.catch(() => {}); // met by whoever opens it in earnest
    }
    return this.#opening;
  }

  /** It is not needed. */
  drop(): void {
    this.#begun.abort();
    this.#stop.abort();
    this.#opening?.then(
      ({ link }) => link.close(),
      () => {},
    );
  }

  /** Forgets the signal. */
  release(): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
  }
}
