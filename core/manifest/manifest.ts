/**
 * A manifest as it grows page by page, with every claim of the sender checked before anything is written: numbers add
 * up, entries are complete and in order, paths are safe and distinct, nothing points outside. What cannot be checked
 * here (hashes of bytes) is checked where the bytes are.
 *
 * @module
 */
import { Failure } from "../failure.ts";
import { MerkleBuilder } from "../hash/merkle.ts";
import type { Codec } from "../ports/engine.ts";
import { MAX_CHUNK_BYTES, MAX_ENTRIES, RUN_BYTES } from "../units.ts";
import { equalBytes } from "../wire/codec.ts";
import type { Entry } from "./entry.ts";
import { Column } from "./column.ts";
import type { EntryEvent, ManifestEnd, Page, RunRow } from "./page.ts";
import { checkPath } from "./path.ts";

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

export class Manifest {
  readonly entries: Entry[] = [];
  #listed = false;
  #end: ManifestEnd | null = null;
  #bytes = 0;
  readonly #paths = new Map<string, "file" | "directory" | "parent">();

  readonly #hashes = new Column(32);
  readonly #chunkBytes: number[] = [];
  readonly #packHashes = new Column(32);

  readonly #runStart: number[] = [];
  readonly #runFirstChunk: number[] = [];
  readonly #runStored: number[] = [];
  readonly #runCodec: number[] = [];
  readonly #runPlain: number[] = [];
  #streamBytes = 0;

  #openEntry = 0;
  #openBytes = 0;
  #openTree = new MerkleBuilder("chunks");

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
    return this.#chunkBytes.length;
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
    this.#listed ||= page.listed;
    this.#addChunks(page);
    if (page.packHashes.length % 32 !== 0) bad("pack hashes");
    this.#packHashes.append(page.packHashes);
    for (const event of page.events) this.#apply(event);
    if (page.end !== null) this.#close(page.end);
    return page.events;
  }

  run(index: number): Run {
    const firstChunk = at(this.#runFirstChunk, index);
    return {
      codec: CODECS[at(this.#runCodec, index)] as Codec,
      start: at(this.#runStart, index),
      storedBytes: at(this.#runStored, index),
      plainBytes: at(this.#runPlain, index),
      firstChunk,
      chunks: (this.#runFirstChunk[index + 1] ?? this.chunkCount) - firstChunk,
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
    return at(this.#chunkBytes, chunk);
  }

  /** BLAKE3-256 of chunks `[first, first + count)`, u8[count, 32]; borrowed from the manifest. */
  chunkHashes(first: number, count: number): Uint8Array<ArrayBuffer> {
    return this.#hashes.rows(first, count);
  }

  /** SHA-256 of a sealed pack, u8[32]; borrowed. */
  packHash(pack: number): Uint8Array<ArrayBuffer> {
    return this.#packHashes.rows(pack, 1);
  }

  #addEntry(entry: Entry): void {
    if (this.#listed) bad("entry after the list was closed");
    if (this.entries.length >= MAX_ENTRIES) throw new Failure("manifest/limit", { what: "entries" });
    checkPath(entry.path);
    if (entry.kind === "directory" && entry.size !== 0) bad("a folder with a size");
    if (this.#paths.has(entry.path)) bad("a path twice, or a file where a folder is");
    this.#paths.set(entry.path, entry.kind);
    for (let slash = entry.path.lastIndexOf("/"); slash > 0; slash = entry.path.lastIndexOf("/", slash - 1)) {
      const parent = entry.path.slice(0, slash);
      const known = this.#paths.get(parent);
      if (known === "file") bad("a file where a folder is");
      if (known === "parent") break;
      this.#paths.set(parent, "parent");
    }
    this.#bytes += entry.size;
    if (!Number.isSafeInteger(this.#bytes)) throw new Failure("manifest/limit", { what: "bytes" });
    this.entries.push(entry);
  }

  #addChunks(page: Page): void {
    if (page.chunkHashes.length !== 32 * page.chunkBytes.length) bad("chunk columns differ in length");
    let next = 0;
    for (const run of page.runs) {
      const lengths = page.chunkBytes.slice(next, next + run.chunks);
      if (lengths.length !== run.chunks) bad("a run has more chunks than the page");
      const plain = lengths.reduce((sum, bytes) => sum + bytes, 0);
      this.#addRun(run, plain, next);
      next += run.chunks;
    }
    if (next !== page.chunkBytes.length) bad("chunks outside of runs");
    for (const bytes of page.chunkBytes) this.#chunkBytes.push(bytes);
    this.#hashes.append(page.chunkHashes);
  }

  #addRun(run: RunRow, plainBytes: number, offsetInPage: number): void {
    if (run.codec === "none" ? run.storedBytes !== plainBytes : run.storedBytes >= plainBytes) bad("stored length of a run");
    if (plainBytes > (run.chunks === 1 ? MAX_CHUNK_BYTES : RUN_BYTES)) bad("a run too long");
    this.#runStart.push(this.#streamBytes);
    this.#runFirstChunk.push(this.chunkCount + offsetInPage);
    this.#runStored.push(run.storedBytes);
    this.#runCodec.push(CODECS.indexOf(run.codec));
    this.#runPlain.push(plainBytes);
    this.#streamBytes += run.storedBytes;
  }

  #apply(event: EntryEvent): void {
    const entry = this.entries[event.entry];
    if (entry === undefined || event.entry !== this.#openEntry) bad("an event out of order");
    if (event.kind === "extent") {
      if (entry.kind !== "file" || event.firstChunk + event.chunks > this.chunkCount) bad("an extent outside of the chunks");
      for (let chunk = event.firstChunk; chunk < event.firstChunk + event.chunks; chunk++) {
        this.#openBytes += this.chunkBytes(chunk);
        if (this.#openBytes > entry.size) bad("more bytes than the file has");
        this.#openTree.append(this.#hashes.rows(chunk, 1));
      }
      return;
    }
    if (this.#openBytes !== entry.size) bad("an incomplete file");
    if (entry.kind === "directory" ? event.root !== null : !event.root || !equalBytes(event.root, this.#openTree.root()))
      bad("the identity of a file");
    this.#openEntry += 1;
    this.#openBytes = 0;
    this.#openTree = new MerkleBuilder("chunks");
  }

  #close(end: ManifestEnd): void {
    const packs = new MerkleBuilder("packs");
    for (let pack = 0; pack < this.packCount; pack++) packs.append(this.packHash(pack));
    if (
      !this.#listed ||
      this.#openEntry !== this.entries.length ||
      end.entries !== this.entries.length ||
      end.packs !== this.packCount ||
      end.runs !== this.runCount ||
      end.chunks !== this.chunkCount ||
      !equalBytes(end.packRoot, packs.root())
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
