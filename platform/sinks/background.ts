/**
 * Bounded work in the background: closing small files overlaps with receiving the next ones. The first error is kept and
 * thrown by the next call, so that none is lost.
 *
 * @module
 */
export class Background {
  readonly #limit: number;
  readonly #running = new Set<Promise<void>>();
  #failed: { readonly error: unknown } | undefined;

  /** At most `limit` pieces of work run at once. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Starts `work`, waiting first while `limit` others run. @throws what earlier work threw */
  async start(work: () => Promise<void>): Promise<void> {
    while (this.#running.size >= this.#limit) await Promise.race(this.#running);
    this.check();
    const running: Promise<void> = work().then(
      () => void this.#running.delete(running),
      (error: unknown) => {
        this.#running.delete(running);
        this.#failed ??= { error };
      },
    );
    this.#running.add(running);
  }

  /** @throws what earlier work threw */
  check(): void {
    if (this.#failed !== undefined) throw this.#failed.error;
  }

  /** Resolves when nothing runs. Never throws; see `check`. */
  async settle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
