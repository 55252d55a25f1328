/**
 * Gathers what the next manifest page will say and tells when it should be written.
 *
 * @module
 */
import { concat } from "../bytes.ts";
import type { Entry } from "./entry.ts";
import type { EntryEvent, ManifestEnd, Page, RunRow } from "./page.ts";

/** Estimated payload bytes at which a page is full; well below the limit, because the estimate is rough. */
const FULL_BYTES = 200 * 1024;
/** Estimated payload bytes from which a page is worth writing: about the smallest sealed page. */
export const WORTHWHILE_BYTES = 12 * 1024;

const NOTHING_TOLD = { entries: 0, runs: 0, hashes: 0, chunks: 0, events: 0, packs: 0 };

/** The sender's side of one growing manifest. */
export class PageBuilder {
  #entries: Entry[] = [];
  #runs: RunRow[] = [];
  #chunkHashes: Uint8Array[] = [];
  #chunkBytes: number[] = [];
  #events: EntryEvent[] = [];
  #packHashes: Uint8Array[] = [];
  #bytes = 0;
  #listed = false;
  /** How much of each column `fresh` has given. */
  #told = NOTHING_TOLD;

  /** Estimated payload bytes. */
  get bytes(): number {
    return this.#bytes;
  }
  get full(): boolean {
    return this.#bytes >= FULL_BYTES;
  }

  addEntry(entry: Entry): void {
    this.#entries.push(entry);
    this.#bytes += 24 + 3 * entry.path.length;
  }

  /** No further entry will come. */
  closeList(): void {
    this.#listed = true;
  }

  /** @param hashes u8[run.chunks, 32], kept */
  addRun(run: RunRow, hashes: Uint8Array, chunkBytes: readonly number[]): void {
    this.#runs.push(run);
    this.#chunkHashes.push(hashes);
    for (const bytes of chunkBytes) this.#chunkBytes.push(bytes);
    this.#bytes += 12 + 37 * run.chunks;
  }

  addEvent(event: EntryEvent): void {
    this.#events.push(event);
    this.#bytes += event.kind === "end" ? 48 : 16;
  }

  /** @param hash of the next sealed pack, kept */
  addPack(hash: Uint8Array): void {
    this.#packHashes.push(hash);
    this.#bytes += 32;
  }

  /** What came since the last call or, if that was later, since the page was begun; the page keeps it. */
  fresh(end: ManifestEnd | null): Page {
    const [entries, runs, events] = [this.#entries, this.#runs, this.#events];
    const since = this.#told;
    this.#told = {
      entries: entries.length,
      runs: runs.length,
      hashes: this.#chunkHashes.length,
      chunks: this.#chunkBytes.length,
      events: events.length,
      packs: this.#packHashes.length,
    };
    return {
      entries: entries.slice(since.entries),
      listed: this.#listed,
      runs: runs.slice(since.runs),
      chunkHashes: concat(this.#chunkHashes.slice(since.hashes)),
      chunkBytes: this.#chunkBytes.slice(since.chunks),
      events: events.slice(since.events),
      packHashes: concat(this.#packHashes.slice(since.packs)),
      end,
    };
  }

  /** Adds all rows of a page, as they came. */
  addRows(rows: Page): void {
    for (const entry of rows.entries) this.addEntry(entry);
    if (rows.listed) this.closeList();
    let chunk = 0;
    for (const run of rows.runs) {
      const next = chunk + run.chunks;
      this.addRun(run, rows.chunkHashes.subarray(32 * chunk, 32 * next), rows.chunkBytes.slice(chunk, next));
      chunk = next;
    }
    for (const event of rows.events) this.addEvent(event);
    for (let at = 0; at < rows.packHashes.length; at += 32) this.addPack(rows.packHashes.subarray(at, at + 32));
  }

  /** The page so far; the builder starts the next one. */
  take(end: ManifestEnd | null): Page {
    const page: Page = {
      entries: this.#entries,
      listed: this.#listed,
      runs: this.#runs,
      chunkHashes: concat(this.#chunkHashes),
      chunkBytes: this.#chunkBytes,
      events: this.#events,
      packHashes: concat(this.#packHashes),
      end,
    };
    this.#entries = [];
    this.#runs = [];
    this.#chunkHashes = [];
    this.#chunkBytes = [];
    this.#events = [];
    this.#packHashes = [];
    this.#bytes = 0;
    this.#told = NOTHING_TOLD;
    return page;
  }
}
