/**
 * Whether the disk under the store works: every failure is counted, and whoever watches is told when it begins and when
 * it is over.
 *
 * @module
 */
import type { Failure } from "../../../core/failure.ts";

/** What can be wrong with the disk. */
export type StoreTrouble = "relay/full" | "relay/storage";

/** Who wants to know. */
export interface HealthWatcher {
  /** Something could not be stored. */
  onStoreFailure?(trouble: StoreTrouble): void;
  /** Storing begins to fail in this way, or works again. */
  onStoreHealth?(trouble: StoreTrouble | undefined): void;
}

export class Health {
  readonly #watcher: HealthWatcher;
  #trouble: StoreTrouble | undefined;

  constructor(watcher: HealthWatcher) {
    this.#watcher = watcher;
  }

  /** Something failed; failures that are not of the disk count for nothing. */
  failed({ code }: Failure): void {
    if (code !== "relay/full" && code !== "relay/storage") return;
    this.#watcher.onStoreFailure?.(code);
    this.#become(code);
  }

  /** Something new was stored. */
  worked(): void {
    this.#become(undefined);
  }

  #become(trouble: StoreTrouble | undefined): void {
    if (this.#trouble === trouble) return;
    this.#trouble = trouble;
    this.#watcher.onStoreHealth?.(trouble);
  }
}
