/**
 * Journals of this browser's transfers: made when a transfer starts, taken up again after a crash, listed for the page,
 * removed when nothing is left to resume.
 *
 * @module
 */
import { Failure } from "../../core/failure.ts";
import { keptOrigins } from "../../core/portal/relays.ts";
import type { Journal } from "../../core/ports/journal.ts";
import type { SinkKind } from "../../core/ports/sink.ts";
import { type HeadRow, type JournalHead, type JournalKind, recordRange, withDatabase } from "./database.ts";
import { type Hold, heldNames, hold } from "./hold.ts";
import { RecordLog } from "./record-log.ts";
import { createSealKey, openAt, sealAt } from "./sealed.ts";

/** What people are shown of an interrupted transfer. It holds names and the link, and is sealed. */
export interface JournalNote {
  /** Path and fragment of the share link. */
  readonly link: string;
  readonly title: string;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly entriesTotal: number;
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number | null;
  readonly sink: SinkKind | null;
}

/** A journal that this thread holds. */
export interface OpenJournal extends Journal {
  readonly head: JournalHead;
  readonly note: JournalNote;
  /** Replaces the note; a later call overtakes one that waits. Never throws: it is only for show. */
  setNote(note: JournalNote): Promise<void>;
  /** Forgets the transfer and lets go. */
  remove(): Promise<void>;
  /** Lets go; the transfer can be taken up again. Resolves when it can. */
  close(): Promise<void>;
  /** Resolves when another tab took it over; nothing is appended any more. */
  readonly lost: Promise<void>;
}

/** A journal as the page lists it. */
export interface ListedJournal {
  readonly head: JournalHead;
  readonly note: JournalNote;
  readonly isRunning: boolean;
}

function lockName(kind: JournalKind, portal: string): string {
  return `warp-journal/${kind}/${portal}`;
}

/**
 * Takes a journal. It has two locks: one says whose it is and can be taken away; the other is let go only when the last
 * record of that holder was written, so that no two ever write.
 */
async function holdJournal(kind: JournalKind, portal: string, takeOver: boolean): Promise<Hold> {
  const owner = await hold(lockName(kind, portal), takeOver ? "steal" : "if-free");
  const writer = await hold(`${lockName(kind, portal)}/records`, "wait");
  return {
    lost: owner.lost,
    async release() {
      await writer.release();
      await owner.release();
    },
  };
}

function notePlace(kind: JournalKind, portal: string): string {
  return `note/${kind}/${portal}`;
}

function encodeNote(note: JournalNote): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(note));
}

async function decodeNote({ kind, portal, sealKey, note }: HeadRow): Promise<JournalNote> {
  return JSON.parse(new TextDecoder().decode(await openAt(sealKey, notePlace(kind, portal), note)));
}

/**
 * Begins a journal in place of an earlier one of the same portal and kind.
 * @throws Failure `transfer/elsewhere` when another tab holds that, `journal/damaged` when the browser keeps nothing
 */
export async function createJournal(head: JournalHead, note: JournalNote): Promise<OpenJournal> {
  const { kind, portal } = head;
  const held = await holdJournal(kind, portal, false);
  try {
    const sealKey = await createSealKey();
    const row: HeadRow = { ...head, sealKey, note: await sealAt(sealKey, notePlace(kind, portal), encodeNote(note)) };
    await withDatabase(async (db) => {
      const transaction = db.transaction(["heads", "records"], "readwrite", { durability: "strict" });
      await transaction.objectStore("records").delete(recordRange(kind, portal));
      await transaction.objectStore("heads").put(row);
      await transaction.done;
    });
    return new HeldJournal(row, note, held, new RecordLog(kind, portal, sealKey, 0));
  } catch (error) {
    await held.release();
    throw error;
  }
}

/**
 * Takes up a journal that was left.
 * @param takeOver take it from another tab, which is told by `lost`
 * @throws Failure `journal/absent` | `transfer/elsewhere` | `journal/damaged`
 */
export async function openJournal(kind: JournalKind, portal: string, takeOver: boolean): Promise<OpenJournal> {
  const held = await holdJournal(kind, portal, takeOver);
  try {
    const found = await withDatabase((db) => db.get("heads", [kind, portal]));
    if (found === undefined) throw new Failure("journal/absent");
    const row = checked(found);
    const last = await withDatabase((db) =>
      db.transaction("records").store.openKeyCursor(recordRange(kind, portal), "prev"),
    );
    const log = new RecordLog(kind, portal, row.sealKey, last === null ? 0 : last.key[2] + 1);
    return new HeldJournal(row, await decodeNote(row), held, log);
  } catch (error) {
    await held.release();
    throw error;
  }
}

/** All journals, newest first; one whose note cannot be read is left out. */
export async function listJournals(): Promise<ListedJournal[]> {
  const rows = (await withDatabase((db) => db.getAll("heads"))).map(checked);
  const held = await heldNames();
  const listed: ListedJournal[] = [];
  for (const row of rows) {
    const note = await decodeNote(row).catch(() => undefined);
    if (note !== undefined) listed.push({ head: row, note, isRunning: held.has(lockName(row.kind, row.portal)) });
  }
  return listed.sort((a, b) => b.head.startedAtMs - a.head.startedAtMs);
}

/** Forgets a journal that no thread holds. @throws Failure `transfer/elsewhere` */
export async function removeJournal(kind: JournalKind, portal: string): Promise<void> {
  const held = await holdJournal(kind, portal, false);
  try {
    await removeRows(kind, portal);
  } finally {
    await held.release();
  }
}

/** What an earlier version kept has no relays. */
function checked(row: HeadRow): HeadRow {
  return { ...row, relays: keptOrigins(row.relays) };
}

function removeRows(kind: JournalKind, portal: string): Promise<void> {
  return withDatabase(async (db) => {
    const transaction = db.transaction(["heads", "records"], "readwrite");
    await transaction.objectStore("heads").delete([kind, portal]);
    await transaction.objectStore("records").delete(recordRange(kind, portal));
    await transaction.done;
  });
}

class HeldJournal implements OpenJournal {
  readonly #row: HeadRow;
  readonly #hold: Hold;
  readonly #log: RecordLog;
  #note: JournalNote;
  #noting: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(row: HeadRow, note: JournalNote, held: Hold, log: RecordLog) {
    this.#row = row;
    this.#note = note;
    this.#hold = held;
    this.#log = log;
    void held.lost.then(() => this.close());
  }

  get head(): JournalHead {
    return this.#row;
  }
  get note(): JournalNote {
    return this.#note;
  }
  get lost(): Promise<void> {
    return this.#hold.lost;
  }

  append(record: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#log.append(record);
  }
  records(): AsyncIterable<Uint8Array<ArrayBuffer>> {
    return this.#log.records();
  }

  setNote(note: JournalNote): Promise<void> {
    this.#note = note;
    this.#noting = this.#noting.then(() => (this.#note === note ? this.#writeNote(note) : undefined)).catch(() => {});
    return this.#noting;
  }

  async remove(): Promise<void> {
    this.#end();
    await this.#noting;
    await this.#log.settle();
    await removeRows(this.#row.kind, this.#row.portal).catch(() => {});
    await this.#hold.release();
  }

  async close(): Promise<void> {
    this.#end();
    await this.#log.settle();
    await this.#hold.release();
  }

  async #writeNote(note: JournalNote): Promise<void> {
    if (this.#isOver) return;
    const { kind, portal, sealKey } = this.#row;
    const sealed = await sealAt(sealKey, notePlace(kind, portal), encodeNote(note));
    await withDatabase(async (db) => {
      const { store, done } = db.transaction("heads", "readwrite", { durability: "relaxed" });
      const row = await store.get([kind, portal]);
      if (row !== undefined && !this.#isOver) await store.put({ ...row, note: sealed });
      await done;
    });
  }

  #end(): void {
    this.#isOver = true;
    this.#log.end();
  }
}
