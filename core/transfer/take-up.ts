/**
 * Reads a sender's journal: where the transfer stands, and on the way every object that the relay does not hold is made
 * again and sent. Memory does not grow with the transfer but for the chunks' hashes.
 *
 * @module
 */
import { Failure } from "../failure.ts";
import { MerkleBuilder } from "../hash/merkle.ts";
import type { Entry } from "../manifest/entry.ts";
import { encodePage, type Page } from "../manifest/page.ts";
import { PageBuilder } from "../manifest/page-builder.ts";
import type { Journal } from "../ports/journal.ts";
import type { ContentKeys } from "../seal/keys.ts";
import { createSealBuffer, seal } from "../seal/seal.ts";
import { MAX_SEALED_PAGE_BYTES, PACK_PAYLOAD_BYTES } from "../units.ts";
import type { ObjectKind, SealedObject } from "../wire/object.ts";
import type { Repeater } from "./batch.ts";
import type { ScanStart } from "./scan.ts";
import { decodeSendRecord, type SendRecord } from "./send-record.ts";
import { SentRuns } from "./sent-runs.ts";

/** What taking up needs. */
export interface TakeUpHost {
  readonly portal: Uint8Array;
  readonly keys: ContentKeys;
  readonly repeater: Repeater;
  /** True for an object that need not be sent again. */
  isHeld(kind: ObjectKind, index: number): boolean;
  /** Sends an object again; resolves when it may be forgotten, which bounds memory. */
  send(object: SealedObject): Promise<void>;
}

/** Where a sender stands after the last record of its journal. */
export interface SendState {
  readonly entries: readonly Entry[];
  /** True when all entries are known. */
  readonly listed: boolean;
  readonly packs: number;
  readonly pages: number;
  readonly runs: number;
  /** True when the last pack, and so all of the stream, was sealed. */
  readonly isPacked: boolean;
  /** True when the last page was sealed. */
  readonly isEnded: boolean;
  readonly packTree: MerkleBuilder;
  /** Holds the rows of the page that was not sealed yet; `fresh` gives what no record has. */
  readonly builder: PageBuilder;
  readonly begin: ScanStart;
  /** Plaintext bytes and entries that are told of. */
  readonly plainBytes: number;
  readonly entriesEnded: number;
  readonly sent: SentRuns;
}

/** The entries that a journal lists. @throws Failure `journal/damaged` */
export async function readEntries(journal: Journal): Promise<{ entries: Entry[]; listed: boolean }> {
  const entries: Entry[] = [];
  for await (const bytes of journal.records()) {
    const { rows } = decodeSendRecord(bytes);
    entries.push(...rows.entries);
    if (rows.listed) return { entries, listed: true };
  }
  return { entries, listed: false };
}

/** @throws Failure `journal/damaged`; those of `SentRuns.remake` and of the host's `send` */
export async function takeUp(journal: Journal, host: TakeUpHost): Promise<SendState> {
  const reader = new Reader(host);
  for await (const bytes of journal.records()) await reader.take(decodeSendRecord(bytes));
  return reader.state();
}

/**
 * Makes some packs again, as they were and in order; what the journal does not tell of is left out, and it is read no further
 * than to the last of them. @throws Failure as `takeUp`
 */
export async function remakePacks(
  journal: Journal,
  host: Omit<TakeUpHost, "isHeld">,
  wanted: ReadonlySet<number>,
): Promise<void> {
  const last = Math.max(...wanted);
  const reader = new Reader({ ...host, isHeld: (kind, index) => kind === "page" || !wanted.has(index) });
  for await (const bytes of journal.records()) {
    await reader.take(decodeSendRecord(bytes));
    if (reader.packs > last) return;
  }
}

class Reader {
  readonly #host: TakeUpHost;
  readonly #entries: Entry[] = [];
  readonly #builder = new PageBuilder();
  readonly #packTree = new MerkleBuilder("packs");
  readonly #sent = new SentRuns();
  readonly #hashes = new Rows();
  readonly #chunkBytes: number[] = [];
  #openChunks: number[] = [];
  #openEntry = 0;
  #listed = false;
  #packs = 0;
  #pages = 0;
  #runs = 0;
  #plainBytes = 0;
  #isPacked = false;
  #isEnded = false;

  constructor(host: TakeUpHost) {
    this.#host = host;
  }

  get packs(): number {
    return this.#packs;
  }

  async take(record: SendRecord): Promise<void> {
    const { rows, pack, pageIv } = record;
    for (const entry of rows.entries) this.#entries.push(entry);
    this.#listed = rows.listed;
    this.#addRuns(record);
    for (const event of rows.events) {
      if (event.kind === "end") {
        this.#openEntry = event.entry + 1;
        this.#openChunks = [];
      } else this.#addExtent(event.firstChunk, event.chunks);
    }
    this.#builder.addRows(rows);
    if (pack !== null) await this.#takePack({ ...pack, index: this.#packs++, hash: rows.packHashes.slice() });
    if (pageIv !== null) await this.#takePage(pageIv, rows.end);
  }

  state(): SendState {
    // The journal has these rows: only what comes later is fresh.
    this.#builder.fresh(null);
    return {
      entries: this.#entries,
      listed: this.#listed,
      packs: this.#packs,
      pages: this.#pages,
      runs: this.#runs,
      isPacked: this.#isPacked,
      isEnded: this.#isEnded,
      packTree: this.#packTree,
      builder: this.#builder,
      begin: {
        entry: this.#openEntry,
        chunkHashes: this.#hashes.bytes(),
        openChunks: Uint32Array.from(this.#openChunks),
      },
      plainBytes: this.#plainBytes,
      entriesEnded: this.#openEntry,
      sent: this.#sent,
    };
  }

  #addRuns({ rows, spans }: SendRecord): void {
    let chunk = 0;
    for (const [i, { codec, storedBytes, chunks }] of rows.runs.entries()) {
      const next = chunk + chunks;
      const chunkHashes = rows.chunkHashes.subarray(32 * chunk, 32 * next);
      const chunkBytes = rows.chunkBytes.slice(chunk, next);
      this.#sent.add({ codec, storedBytes, chunkHashes, chunkBytes, spans: spans[i] ?? [] });
      chunk = next;
    }
    this.#runs += rows.runs.length;
    this.#hashes.append(rows.chunkHashes);
    for (const bytes of rows.chunkBytes) this.#chunkBytes.push(bytes);
  }

  #addExtent(firstChunk: number, chunks: number): void {
    for (let chunk = firstChunk; chunk < firstChunk + chunks; chunk++) {
      const bytes = this.#chunkBytes[chunk];
      if (bytes === undefined) throw new Failure("journal/damaged", { what: "chunk" });
      this.#openChunks.push(chunk);
      this.#plainBytes += bytes;
    }
  }

  async #takePack(lost: Parameters<SentRuns["remake"]>[0]): Promise<void> {
    const { keys, portal, repeater, isHeld, send } = this.#host;
    this.#packTree.append(lost.hash);
    this.#isPacked = lost.final;
    const end = lost.index * PACK_PAYLOAD_BYTES + lost.payloadBytes;
    if (end > this.#sent.offset) throw new Failure("journal/damaged", { what: "stream" });
    if (!isHeld("pack", lost.index)) await send(await this.#sent.remake(lost, keys.pack, portal, repeater));
    this.#sent.passed(lost.index, lost.tail);
  }

  async #takePage(iv: Uint8Array, end: Page["end"]): Promise<void> {
    const { keys, portal, isHeld, send } = this.#host;
    const index = this.#pages++;
    const page = this.#builder.take(end);
    this.#isEnded = end !== null;
    if (isHeld("page", index)) return;
    const payload = encodePage(page);
    const buffer = createSealBuffer(MAX_SEALED_PAGE_BYTES);
    buffer.room.set(payload);
    await send(await seal(keys.page, portal, "page", index, end !== null, buffer, payload.length, { ivs: iv }));
  }
}

/** Bytes that grow. */
class Rows {
  #bytes = new Uint8Array(1 << 16);
  #length = 0;

  append(more: Uint8Array): void {
    if (this.#length + more.length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + more.length));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(more, this.#length);
    this.#length += more.length;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }
}
