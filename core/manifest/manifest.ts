/**
 * A manifest as it grows page by page, with every claim of the sender checked before it is acted on: numbers add up,
 * entries are complete and in order, paths are safe and distinct, nothing points outside. What a page costs here depends
 * on its bytes and not on what it claims. What takes the bytes to be checked (hashes, a file's identity) is checked
 * where the bytes are.
 *
 * @module
 */
import { Failure } from "../failure.ts";
import { MerkleBuilder } from "../hash/merkle.ts";
import type { Codec } from "../ports/engine.ts";
import { MAX_CHUNK_BYTES, MAX_CHUNKS, MAX_ENTRIES, MAX_PACKS, PACK_PAYLOAD_BYTES, RUN_BYTES } from "../units.ts";
import { equalBytes } from "../wire/codec.ts";
import { Column } from "./column.ts";
import type { Entry } from "./entry.ts";
import type { EntryEvent, ManifestEnd, Page, RunRow } from "./page.ts";
import { PathSet } from "./paths.ts";

/** Where a run lies and what it holds. */
export interface Run {
  readonly codec: Codec;
  /** Position in the pack stream, bytes. */
  readonly start: number;
  readonly storedBytes: number;
  readonly plainBytes: number;
  readonly firstChunk: number;
  readonly chunks: number;
}

const CODECS: readonly Codec[] = ["none", "lz4", "zstd"];
/** Row of a folder in the column of identities. */
const NO_ROOT = new Uint8Array(32);

/** Grows by `append`; everything else reads. */
export class Manifest {
  readonly entries: Entry[] = [];
  #listed = false;
  #end: ManifestEnd | null = null;
  #bytes = 0;
  readonly #paths = new PathSet();

  readonly #hashes = new Column(32);
  /** End of each chunk when all of them lie one after the other, bytes. */
  readonly #chunkEnds: number[] = [];
  readonly #packHashes = new Column(32);
  readonly #packTree = new MerkleBuilder("packs");
  readonly #roots = new Column(32);

  readonly #runStart: number[] = [];
  readonly #runFirstChunk: number[] = [];
  readonly #runStored: number[] = [];
  readonly #runCodec: number[] = [];
  #streamBytes = 0;

  #events = 0;
  #openEntry = 0;
  #openBytes = 0;

  /** True when no further entry can come. */
  get listed(): boolean {
    return this.#listed;
  }
  /** Totals, once the last page was read. */
  get end(): ManifestEnd | null {
    return this.#end;
  }
  /** Sum of the sizes of the entries known. */
  get totalBytes(): number {
    return this.#bytes;
  }
  get chunkCount(): number {
    return this.#chunkEnds.length;
  }
  get runCount(): number {
    return this.#runStart.length;
  }
  /** Packs whose hash is known. */
  get packCount(): number {
    return this.#packHashes.length;
  }

  /**
   * Takes the next page, in order. On failure the manifest must not be used any further.
   * @returns the page's events, checked, for the receiver to act on in order
   * @throws Failure `manifest/malformed` | `manifest/limit` | `path/rejected`
   */
  append(page: Page): readonly EntryEvent[] {
    if (this.#end !== null) bad("page after the end");
    for (const entry of page.entries) this.#addEntry(entry);
    if (this.#listed && !page.listed) bad("the list opened again");
    this.#addChunks(page);
    this.#addPacks(page.packHashes);
    this.#events += page.events.length;
    if (this.#events > 2 * MAX_CHUNKS) throw new Failure("manifest/limit", { what: "events" });
    for (const event of page.events) this.#apply(event);
    if (page.end !== null) this.#close(page.end, page.listed);
    // Said last: a receiver begins with the list, and must not begin with a page that is refused.
    this.#listed = page.listed;
    return page.events;
  }

  run(index: number): Run {
    const firstChunk = at(this.#runFirstChunk, index);
    const chunks = (this.#runFirstChunk[index + 1] ?? this.chunkCount) - firstChunk;
    return {
      codec: CODECS[at(this.#runCodec, index)] as Codec,
      start: at(this.#runStart, index),
      storedBytes: at(this.#runStored, index),
      plainBytes: this.bytesBetween(firstChunk, firstChunk + chunks),
      firstChunk,
      chunks,
    };
  }

  /** The run that holds a chunk. */
  runOf(chunk: number): number {
    let low = 0;
    let high = this.runCount - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (at(this.#runFirstChunk, middle) <= chunk) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  chunkBytes(chunk: number): number {
    return this.bytesBetween(chunk, chunk + 1);
  }

  /** Plaintext bytes of chunks `[from, to)`. */
  bytesBetween(from: number, to: number): number {
    return this.#endOf(to) - this.#endOf(from);
  }

  /** BLAKE3-256 of chunks `[first, first + count)`, u8[count, 32]; borrowed from the manifest. */
  chunkHashes(first: number, count: number): Uint8Array<ArrayBuffer> {
    return this.#hashes.rows(first, count);
  }

  /** Hash of a sealed pack, u8[32]; borrowed. */
  packHash(pack: number): Uint8Array<ArrayBuffer> {
    return this.#packHashes.rows(pack, 1);
  }

  /** The identity that the sender states for an entry that ended: a Merkle root over its chunks' hashes, u8[32]; borrowed. */
  entryRoot(entry: number): Uint8Array<ArrayBuffer> {
    return this.#roots.rows(entry, 1);
  }

  #endOf(chunks: number): number {
    return chunks === 0 ? 0 : at(this.#chunkEnds, chunks - 1);
  }

  #addEntry(entry: Entry): void {
    if (this.#listed) bad("entry after the list was closed");
    if (this.entries.length >= MAX_ENTRIES) throw new Failure("manifest/limit", { what: "entries" });
    if (entry.kind === "directory" && entry.size !== 0) bad("a folder with a size");
    this.#paths.add(entry);
    this.#bytes += entry.size;
    if (!Number.isSafeInteger(this.#bytes)) throw new Failure("manifest/limit", { what: "bytes" });
    this.entries.push(entry);
  }

  #addChunks(page: Page): void {
    if (page.chunkHashes.length !== 32 * page.chunkBytes.length) bad("chunk columns differ in length");
    if (this.chunkCount + page.chunkBytes.length > MAX_CHUNKS) throw new Failure("manifest/limit", { what: "chunks" });
    let row = 0;
    for (const run of page.runs) {
      if (row + run.chunks > page.chunkBytes.length) bad("a run has more chunks than the page");
      this.#addRun(run, page.chunkBytes, row);
      row += run.chunks;
    }
    if (row !== page.chunkBytes.length) bad("chunks outside of runs");
    this.#hashes.append(page.chunkHashes);
  }

  #addRun(run: RunRow, chunkBytes: readonly number[], row: number): void {
    const firstChunk = this.chunkCount;
    for (let i = row; i < row + run.chunks; i++) this.#chunkEnds.push(this.#endOf(this.chunkCount) + at(chunkBytes, i));
    const plainBytes = this.bytesBetween(firstChunk, this.chunkCount);
    if (run.codec === "none" ? run.storedBytes !== plainBytes : run.storedBytes >= plainBytes)
      bad("stored length of a run");
    if (plainBytes > (run.chunks === 1 ? MAX_CHUNK_BYTES : RUN_BYTES)) bad("a run too long");
    this.#runStart.push(this.#streamBytes);
    this.#runFirstChunk.push(firstChunk);
    this.#runStored.push(run.storedBytes);
    this.#runCodec.push(CODECS.indexOf(run.codec));
    this.#streamBytes += run.storedBytes;
  }

  #addPacks(hashes: Uint8Array): void {
    if (hashes.length % 32 !== 0) bad("pack hashes");
    if (this.packCount + hashes.length / 32 > MAX_PACKS) throw new Failure("manifest/limit", { what: "packs" });
    this.#packHashes.append(hashes);
    for (let row = 0; row < hashes.length; row += 32) this.#packTree.append(hashes.subarray(row, row + 32));
  }

  #apply(event: EntryEvent): void {
    const entry = this.entries[event.entry];
    if (entry === undefined || event.entry !== this.#openEntry) bad("an event out of order");
    if (event.kind === "extent") {
      const end = event.firstChunk + event.chunks;
      if (entry.kind !== "file" || event.chunks < 1 || end > this.chunkCount) bad("an extent outside of the chunks");
      this.#openBytes += this.bytesBetween(event.firstChunk, end);
      if (this.#openBytes > entry.size) bad("more bytes than the file has");
      return;
    }
    if (this.#openBytes !== entry.size) bad("an incomplete file");
    if ((entry.kind === "file") !== (event.root !== null)) bad("the identity of an entry");
    this.#roots.append(event.root ?? NO_ROOT);
    this.#openEntry += 1;
    this.#openBytes = 0;
  }

  #close(end: ManifestEnd, listed: boolean): void {
    if (
      !listed ||
      this.#openEntry !== this.entries.length ||
      end.entries !== this.entries.length ||
      end.packs !== this.packCount ||
      end.packs !== Math.ceil(this.#streamBytes / PACK_PAYLOAD_BYTES) ||
      end.runs !== this.runCount ||
      end.chunks !== this.chunkCount ||
      !equalBytes(end.packRoot, this.#packTree.root())
    )
      bad("totals");
    this.#end = end;
  }
}

function at(column: readonly number[], index: number): number {
  const value = column[index];
  if (value === undefined) throw new RangeError("manifest index");
  return value;
}

function bad(what: string): never {
  throw new Failure("manifest/malformed", { what });
}
