/**
 * Group commit: changes that arrive within a few milliseconds share one durable SQLite transaction. A commit blocks
 * the thread for one disk flush, so the pause before the next one grows with what the last one took.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { Failure } from "../../../core/failure.ts";
import type { Health } from "./health.ts";
import { isSqliteTrouble, storageFailure } from "./storage-failure.ts";

/** Shortest pause between two commits. */
const MIN_PAUSE_MS = 2;
/** Pause per millisecond of the last flush: at most a quarter of the thread's time goes into flushes. */
const PAUSE_RATIO = 3;
/** Pause between two attempts to find out what became of a commit whose flush failed. */
const SETTLE_PAUSE_MS = 500;

interface Change {
  /** Runs inside the transaction, again when that is repeated. */
  readonly apply: () => void;
  readonly grows: boolean;
  readonly resolve: () => void;
  readonly reject: (failure: Failure) => void;
}

/** Who helps when the disk does not. */
export interface CommitHelp {
  readonly health: Health;
  /** Frees reserved space; false when there was none. */
  giveUpBallast(): boolean;
}

/** A commit whose flush failed: it was refused, yet a crash now might bring it back. */
export function isInDoubt(failure: Failure): boolean {
  return failure.details["what"] === IN_DOUBT;
}

const IN_DOUBT = "in doubt";

/** A change of a batch is refused by its own `apply`. */
class Refused extends Error {}

export class GroupCommit {
  readonly #db: DatabaseSync;
  readonly #help: CommitHelp;
  readonly #begin: StatementSync;
  readonly #end: StatementSync;
  #waiting: Change[] = [];
  #timer: NodeJS.Timeout | undefined;
  #notBefore = 0;
  /** How long the last flush blocked the thread. */
  #flushMs = 0;
  /** Set while nothing can be written. */
  #inDoubt: Failure | undefined;
  #settleNotBefore = 0;

  constructor(db: DatabaseSync, help: CommitHelp) {
    this.#db = db;
    this.#help = help;
    this.#begin = db.prepare("BEGIN IMMEDIATE");
    this.#end = db.prepare("COMMIT");
  }

  /**
   * Resolves with what `apply` gave once it is durable. A Failure thrown by `apply` undoes only its own change.
   * @param grows the change brings something new: on a full disk it fails at once, while others take the reserve
   * @throws Failure `relay/full` | `relay/storage`, and what `apply` throws
   */
  submit<T>(apply: () => T, { grows = false } = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let result: T;
      const run = () => {
        result = apply();
      };
      this.#waiting.push({ apply: run, grows, resolve: () => resolve(result), reject });
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
    const settle = this.#commit(changes);
    this.#notBefore = performance.now() + Math.max(MIN_PAUSE_MS, this.#flushMs * PAUSE_RATIO);
    for (const action of settle) action();
  }

  #commit(changes: readonly Change[]): (() => void)[] {
    if (this.#inDoubt !== undefined && !this.#settle()) return rejectAll(changes, this.#inDoubt);
    try {
      return this.#attempt(changes, (change) => this.#applyOne(change));
    } catch (error) {
      if (!(error instanceof Refused)) return this.#onError(changes, storageFailure(error));
    }
    // One is refused, which is rare enough to begin again, now with a mark before each.
    this.#rollBack();
    try {
      return this.#attempt(changes, (change) => this.#applyAlone(change));
    } catch (error) {
      return this.#onError(changes, storageFailure(error));
    }
  }

  #attempt(changes: readonly Change[], apply: (change: Change) => () => void): (() => void)[] {
    this.#begin.run();
    const settle = changes.map(apply);
    const applied = performance.now();
    this.#end.run();
    this.#flushMs = performance.now() - applied;
    if (changes.some(({ grows }) => grows)) this.#help.health.worked();
    return settle;
  }

  #applyOne(change: Change): () => void {
    try {
      change.apply();
    } catch (error) {
      // SQLite has undone everything, or should.
      if (isSqliteTrouble(error) || !this.#db.isTransaction) throw error;
      throw new Refused();
    }
    return change.resolve;
  }

  #applyAlone(change: Change): () => void {
    this.#db.exec("SAVEPOINT change");
    try {
      change.apply();
      this.#db.exec("RELEASE change");
      return change.resolve;
    } catch (error) {
      if (isSqliteTrouble(error) || !this.#db.isTransaction) throw error;
      this.#db.exec("ROLLBACK TO change; RELEASE change");
      const failure = storageFailure(error);
      return () => change.reject(failure);
    }
  }

  #onError(changes: readonly Change[], failure: Failure): (() => void)[] {
    this.#help.health.failed(failure);
    // A transaction that did not fit has no end in the log: it is certainly not there.
    if (failure.code === "relay/full" && this.#rollBack()) return this.#withoutGrowth(changes, failure);
    this.#rollBack();
    const doubt = new Failure("relay/storage", { what: IN_DOUBT }, { cause: failure });
    this.#inDoubt = doubt;
    this.#settle();
    return rejectAll(changes, doubt);
  }

  /** What grows is refused; the others, which make room or are small, get the ballast's. */
  #withoutGrowth(changes: readonly Change[], failure: Failure): (() => void)[] {
    const growing = changes.filter(({ grows }) => grows);
    const others = changes.filter(({ grows }) => !grows);
    const refused = rejectAll(growing, failure);
    if (others.length === 0) return refused;
    if (growing.length > 0) return [...refused, ...this.#commit(others)];
    if (!this.#help.giveUpBallast()) return rejectAll(others, failure);
    try {
      // Into the database with the log, which is the larger of the two on a small disk.
      this.#db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // Then it stays as long as it is.
    }
    return this.#commit(others);
  }

  /**
   * After a flush that failed, nobody knows which pages the disk has, and asking again may be answered with a lie. So
   * nothing is written on top: everything that was durable before is copied from the log into the database, flushed
   * there, and the log is cut to nothing, and with it what failed. Only then the store goes on.
   */
  #settle(): boolean {
    if (performance.now() < this.#settleNotBefore) return false;
    try {
      if (this.#rollBack() && this.#db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.["busy"] === 0)
        this.#inDoubt = undefined;
    } catch {
      // Another time.
    }
    this.#settleNotBefore = this.#inDoubt === undefined ? 0 : performance.now() + SETTLE_PAUSE_MS;
    return this.#inDoubt === undefined;
  }

  /** True when no transaction is open any more. */
  #rollBack(): boolean {
    try {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
    } catch {
      // What cannot be undone leaves nothing to build on.
    }
    return !this.#db.isTransaction;
  }
}

function rejectAll(changes: readonly Change[], failure: Failure): (() => void)[] {
  return changes.map((change) => () => change.reject(failure));
}
