/**
 * Group commit: changes that arrive within a few milliseconds share one durable SQLite transaction. A commit blocks
 * the thread for one disk flush, so the pause before the next one grows with what the last one took.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { Failure } from "../../../core/failure.ts";
import { storageFailure } from "./storage-failure.ts";

/** Shortest pause between two commits. */
const MIN_PAUSE_MS = 2;
/** Pause per millisecond of the last commit: at most a quarter of the thread's time goes into flushes. */
const PAUSE_RATIO = 3;

interface Change {
  /** Runs inside the transaction. */
  readonly apply: () => void;
  readonly resolve: () => void;
  readonly reject: (failure: Failure) => void;
}

export class GroupCommit {
  readonly #db: DatabaseSync;
  #waiting: Change[] = [];
  #timer: NodeJS.Timeout | undefined;
  #notBefore = 0;
  #broken: Failure | undefined;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Resolves with what `apply` gave once it is durable. A Failure thrown by `apply` undoes only its own change. */
  submit<T>(apply: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#broken !== undefined) return reject(this.#broken);
      let result: T;
      const run = () => {
        result = apply();
      };
      this.#waiting.push({ apply: run, resolve: () => resolve(result), reject });
      this.#timer ??= setTimeout(() => this.flush(), Math.max(0, this.#notBefore - performance.now()));
    });
  }

  /** Commits everything that waits, now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const changes = this.#waiting;
    this.#waiting = [];
    if (changes.length === 0) return;
    const started = performance.now();
    const settle = this.#commit(changes);
    const ended = performance.now();
    this.#notBefore = ended + Math.max(MIN_PAUSE_MS, (ended - started) * PAUSE_RATIO);
    for (const action of settle) action();
  }

  #commit(changes: readonly Change[]): (() => void)[] {
    const settle: (() => void)[] = [];
    try {
      this.#db.exec("BEGIN IMMEDIATE");
      for (const change of changes) settle.push(this.#applyOne(change));
      this.#db.exec("COMMIT");
      return settle;
    } catch (error) {
      this.#rollBack();
      const failure = storageFailure(error);
      return changes.map((change) => () => change.reject(failure));
    }
  }

  #applyOne(change: Change): () => void {
    this.#db.exec("SAVEPOINT change");
    try {
      change.apply();
      this.#db.exec("RELEASE change");
      return change.resolve;
    } catch (error) {
      this.#db.exec("ROLLBACK TO change; RELEASE change");
      const failure = storageFailure(error);
      return () => change.reject(failure);
    }
  }

  /** A transaction that cannot even be rolled back leaves nothing to build on. */
  #rollBack(): void {
    if (!this.#db.isTransaction) return;
    try {
      this.#db.exec("ROLLBACK");
    } catch (error) {
      this.#broken = new Failure("relay/storage", { what: "rollback" }, { cause: error });
    }
  }
}
