/**
 * What a receiver writes down: which entries are about to get their names, and how many bytes of the open file are durable.
 * A name is written before it is given, so that after a crash every file of this transfer is known as its own.
 *
 * @module
 */
import { Failure, type FailureCode } from "../failure.ts";
import type { Journal } from "../ports/journal.ts";
import type { SinkLog, SinkPast } from "../ports/sink.ts";
import { MAX_ENTRIES, MAX_PATH_BYTES, MIB } from "../units.ts";
import { asArray, asFields, asInteger, asString } from "../wire/check.ts";
import { decodeCanonical, encodeCanonical, MAX_ITEMS } from "../wire/codec.ts";

const RECORD_VERSION = 1;
/** Far above any record: what gathers while one is being written. */
const LIMITS = { maxBytes: 64 * MIB, malformed: "journal/damaged", tooLarge: "journal/damaged" } as const;

/** UTF-16 units of a path in the target: a name may have got a number. */
const MAX_TARGET_PATH = 2 * MAX_PATH_BYTES;

/** After these nothing can be continued: there is nothing more to get, what came is forged, or the user said so. */
const FINAL: ReadonlySet<FailureCode> = new Set<FailureCode>([
  "cancelled",
  "portal/unknown",
  "portal/expired",
  "portal/closed",
  "object/absent",
  "object/conflict",
  "link/wrong-secret",
  "password/wrong",
  "pack/forged",
  "manifest/malformed",
  "manifest/limit",
  "chunk/mismatch",
  "transfer/truncated",
  "path/rejected",
  "sink/unsupported",
]);

/** True when a receive that failed so may be continued later. */
export function mayContinue(code: FailureCode): boolean {
  return !FINAL.has(code);
}

interface Notes {
  readonly placed: number[];
  /** Entry, path, … */
  readonly paths: (number | string)[];
  /** Path, name, … */
  readonly folders: string[];
  /** Entry, bytes, … */
  readonly bytes: number[];
}

function noNotes(): Notes {
  return { placed: [], paths: [], folders: [], bytes: [] };
}

/** The log of one receive, over its journal. What comes while a record is being written shares the next one. */
export class ReceiveLog implements SinkLog {
  readonly #journal: Journal;
  readonly #onTrouble: (failure: unknown) => void;
  #notes = noNotes();
  #written: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #isBroken = false;

  /** `onTrouble` is called once, when the journal takes nothing more; the receive goes on without. */
  constructor(journal: Journal, onTrouble: (failure: unknown) => void) {
    this.#journal = journal;
    this.#onTrouble = onTrouble;
  }

  /** True when what it says is not complete. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  placing(number: number, path: string | null): Promise<void> {
    this.#notes.placed.push(number);
    if (path !== null) this.#notes.paths.push(number, path);
    return this.#write();
  }

  folder(path: string, name: string): void {
    this.#notes.folders.push(path, name);
  }

  /** So many bytes of entry `number` are durable. Resolves when that is written. @throws Failure `transfer/elsewhere` */
  bytes(number: number, bytes: number): Promise<void> {
    this.#notes.bytes.push(number, bytes);
    return this.#write();
  }

  #write(): Promise<void> {
    this.#next ??= this.#written.then(() => this.#append());
    this.#written = this.#next;
    this.#written.catch(() => {}); // met by those who wait for it
    return this.#next;
  }

  async #append(): Promise<void> {
    const { placed, paths, folders, bytes } = this.#notes;
    this.#notes = noNotes();
    this.#next = undefined;
    if (this.#isBroken) return;
    try {
      await this.#journal.append(encodeCanonical({ v: RECORD_VERSION, p: placed, r: paths, f: folders, b: bytes }));
    } catch (error) {
      // Two receives in one target would give names twice, so this one ends.
      if (error instanceof Failure && error.code === "transfer/elsewhere") throw error;
      this.#isBroken = true;
      this.#onTrouble(error);
    }
  }
}

/** All that a journal says, later records over earlier ones. @throws Failure `journal/damaged` */
export async function readPast(journal: Journal): Promise<SinkPast> {
  try {
    return await gather(journal);
  } catch (cause) {
    throw new Failure("journal/damaged", { what: "record" }, { cause });
  }
}

async function gather(journal: Journal): Promise<SinkPast> {
  const placed = new Set<number>();
  const paths = new Map<number, string>();
  const folders = new Map<string, string>();
  const bytes = new Map<number, number>();
  for await (const record of journal.records()) {
    const notes = decodeRecord(record);
    for (const number of notes.placed) {
      // The last ones are looked at more closely, so the order counts.
      placed.delete(number);
      placed.add(number);
      paths.delete(number);
    }
    for (const [number, path] of pairs(notes.paths)) paths.set(asNumber(number), asPath(path));
    for (const [path, name] of pairs(notes.folders)) folders.set(asPath(path), asPath(name));
    for (const [number, count] of pairs(notes.bytes)) bytes.set(asNumber(number), asInteger(count, "bytes"));
  }
  return { placed, paths, folders, bytes };
}

interface Decoded {
  readonly placed: readonly number[];
  readonly paths: readonly unknown[];
  readonly folders: readonly unknown[];
  readonly bytes: readonly unknown[];
}

function decodeRecord(record: Uint8Array): Decoded {
  const fields = asFields(decodeCanonical(record, LIMITS), "record");
  asInteger(fields["v"], "version", RECORD_VERSION, RECORD_VERSION);
  return {
    placed: asArray(fields["p"], "placed", MAX_ITEMS).map(asNumber),
    paths: asArray(fields["r"], "paths", MAX_ITEMS),
    folders: asArray(fields["f"], "folders", MAX_ITEMS),
    bytes: asArray(fields["b"], "bytes", MAX_ITEMS),
  };
}

/** Keys and values of a flat list. */
function* pairs(flat: readonly unknown[]): Generator<readonly [unknown, unknown]> {
  for (let i = 0; i < flat.length; i += 2) yield [flat[i], flat[i + 1]];
}

function asNumber(value: unknown): number {
  return asInteger(value, "entry", MAX_ENTRIES - 1);
}

function asPath(value: unknown): string {
  return asString(value, "path", MAX_TARGET_PATH);
}
