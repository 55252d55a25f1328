/**
 * The records of one journal: sealed each for its place, and made durable in the order in which they came. Whatever comes
 * while a write runs shares the next one.
 *
 * @module
 */
import { Failure } from "../../core/failure.ts";
import type { Journal } from "../../core/ports/journal.ts";
import { type JournalKind, recordRange, withDatabase } from "./database.ts";
import { openAt, sealAt } from "./sealed.ts";

/** Records read from the database at a time. */
const READ_RECORDS = 64;

interface Waiting {
  readonly number: number;
  readonly sealed: Promise<Uint8Array>;
  readonly stored: PromiseWithResolvers<void>;
}

export class RecordLog implements Journal {
  readonly #kind: JournalKind;
  readonly #portal: string;
  readonly #sealKey: CryptoKey;
  #next: number;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #failure: Failure | undefined;

  /** @param next number of the next record */
  constructor(kind: JournalKind, portal: string, sealKey: CryptoKey, next: number) {
    this.#kind = kind;
    this.#portal = portal;
    this.#sealKey = sealKey;
    this.#next = next;
  }

  append(record: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const number = this.#next++;
    const sealed = sealAt(this.#sealKey, this.#place(number), record);
    sealed.catch(() => {}); // met by the write
    const stored = Promise.withResolvers<void>();
    this.#waiting.push({ number, sealed, stored });
    this.#writing ??= this.#writeAll();
    return stored.promise;
  }

  async *records(): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    let expected = 0;
    for (;;) {
      const range = recordRange(this.#kind, this.#portal, expected);
      const rows = await withDatabase((db) => db.getAll("records", range, READ_RECORDS));
      for (const { number, sealed } of rows) {
        if (number !== expected) throw new Failure("journal/damaged", { what: "gap" });
        yield await openAt(this.#sealKey, this.#place(number), sealed);
        expected += 1;
      }
      if (rows.length < READ_RECORDS) return;
    }
  }

  /** Resolves when nothing is being written. */
  async settle(): Promise<void> {
    await this.#writing;
  }

  /** Takes nothing more. */
  end(): void {
    this.#failure ??= new Failure("transfer/elsewhere");
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const waiting = this.#waiting.splice(0);
      try {
        await this.#write(waiting);
        for (const { stored } of waiting) stored.resolve();
      } catch (error) {
        const failure = error instanceof Failure ? error : new Failure("journal/damaged", {}, { cause: error });
        // A record that is missing makes every later one useless.
        this.#failure ??= failure;
        for (const { stored } of [...waiting, ...this.#waiting.splice(0)]) stored.reject(failure);
      }
    }
    this.#writing = undefined;
  }

  async #write(waiting: readonly Waiting[]): Promise<void> {
    const rows = await Promise.all(waiting.map(async ({ number, sealed }) => ({ number, sealed: await sealed })));
    await withDatabase(async (db) => {
      const { store, done } = db.transaction("records", "readwrite", { durability: "strict" });
      for (const row of rows) void store.add({ kind: this.#kind, portal: this.#portal, ...row });
      await done;
    });
  }

  #place(number: number): string {
    return `record/${this.#kind}/${this.#portal}/${number}`;
  }
}
