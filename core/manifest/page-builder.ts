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
    return page;
  }
}
