/**
 * A send: batches become the pack stream, packs are sealed and stored on the relay, manifest pages follow the data, the
 * last page closes it. The first pack leaves before the input is read to its end.
 *
 * @module
 */
import type { SteadyLink } from "../edge/steady-link.ts";
import { Failure, toFailure } from "../failure.ts";
import { MerkleBuilder } from "../hash/merkle.ts";
import type { Entry } from "../manifest/entry.ts";
import { encodePage, type ManifestEnd } from "../manifest/page.ts";
import { PageBuilder, WORTHWHILE_BYTES } from "../manifest/page-builder.ts";
import { Packer, type PlainPack } from "../pack/packer.ts";
import type { Clock } from "../ports/clock.ts";
import type { PortalKeys } from "../seal/keys.ts";
import { createSealBuffer, seal } from "../seal/seal.ts";
import { MAX_PACKS, MAX_SEALED_PAGE_BYTES, SEALED_PACK_BYTES, UPLOAD_WINDOW_BYTES } from "../units.ts";
import type { SealedObject } from "../wire/object.ts";
import type { BatchSource, CompressedBatch } from "./batch.ts";
import { CodecChoice } from "./codec-choice.ts";
import { Gate, Window } from "./gate.ts";
import type { Progress } from "./progress.ts";
import { StoredPrefix } from "./stored-prefix.ts";

/** Objects sealed and not yet acknowledged: the relay's window, less one pack for pages. */
const IN_FLIGHT_PACKS = UPLOAD_WINDOW_BYTES / SEALED_PACK_BYTES - 1;
/** Pages are small and wait for nothing but their own acknowledgement. */
const IN_FLIGHT_PAGES = 8;
/** A page is written after the next pack when the last one is this old, so that live receivers see data soon. */
const PAGE_EVERY_MS = 200;

/** What a send works with. */
export interface SenderParts {
  readonly portal: Uint8Array<ArrayBuffer>;
  readonly keys: PortalKeys;
  readonly link: SteadyLink;
  readonly entries: readonly Entry[];
  readonly source: BatchSource;
  readonly clock: Clock;
  readonly progress: Progress;
}

/** One send of one list of entries. */
export class Sender {
  readonly gate = new Gate();
  readonly #parts: SenderParts;
  readonly #packer = new Packer();
  readonly #builder = new PageBuilder();
  readonly #packTree = new MerkleBuilder("packs");
  readonly #packWindow = new Window(IN_FLIGHT_PACKS);
  readonly #pageWindow = new Window(IN_FLIGHT_PAGES);
  readonly #pending = new Set<Promise<void>>();
  /** Memory of acknowledged packs; as many as there are places in the window. */
  readonly #sealedBuffers: Uint8Array<ArrayBuffer>[] = [];
  readonly #pageBuffer = createSealBuffer(MAX_SEALED_PAGE_BYTES);
  readonly #codec = new CodecChoice();
  #pages = 0;
  #packs = 0;
  #runs = 0;
  #chunks = 0;
  #lastPageMs = Number.NEGATIVE_INFINITY;
  #lastPackMs: number | undefined;
  readonly #stored = new StoredPrefix();
  #plainBytes = 0;
  #entriesEnded = 0;
  #failure: Failure | undefined;

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  /** Sends everything and commits. Resolves when the relay has all of it durably. @throws Failure */
  async run(): Promise<void> {
    const { entries, link, progress } = this.#parts;
    await this.#list(entries);
    progress.run();
    for (let batch = await this.#nextBatch(); batch !== undefined; batch = await this.#nextBatch()) {
      await this.#addBatch(batch);
    }
    const last = this.#packer.finish();
    if (last !== undefined) await this.#sendPack(last);
    const end: ManifestEnd = {
      packs: this.#packs,
      runs: this.#runs,
      chunks: this.#chunks,
      entries: entries.length,
      packRoot: this.#packTree.root(),
    };
    await this.#sendPage(end);
    await this.#settle();
    await link.commit({ packs: this.#packs, pages: this.#pages, root: end.packRoot });
    progress.bytesDone = progress.bytesTotal;
    progress.entriesDone = progress.entriesTotal;
  }

  async #list(entries: readonly Entry[]): Promise<void> {
    for (const entry of entries) {
      this.#builder.addEntry(entry);
      if (this.#builder.full) await this.#sendPage(null);
    }
    this.#builder.closeList();
    await this.#sendPage(null);
    // The first pack gets its page at once.
    this.#lastPageMs = Number.NEGATIVE_INFINITY;
  }

  async #nextBatch(): Promise<CompressedBatch | undefined> {
    const { source, clock, progress } = this.#parts;
    await this.#meanwhile(this.gate.pass());
    const before = clock.now();
    const batch = await this.#meanwhile(source.next(this.#codec.current));
    const now = clock.now();
    if (batch === undefined) return undefined;
    const waitedMs = now - before;
    const engineMs = batch.scanMs + batch.compressMs;
    const readShare = batch.readMs / Math.max(1, batch.readMs + engineMs);
    progress.spent("reading", waitedMs * readShare, now);
    progress.spent("engine", waitedMs * (1 - readShare), now);
    this.#codec.record({
      codec: batch.codec,
      plainBytes: batch.plainBytes - batch.knownBytes,
      shrunkBytes: sum(batch.runs, (run) => (run.codec === "none" ? 0 : run.plainBytes)),
      storedBytes: sum(batch.runs, (run) => run.bytes.length),
      scanMs: batch.scanMs,
      compressMs: batch.compressMs,
    });
    progress.knownBytes += batch.knownBytes;
    return batch;
  }

  /** Waits for `work`; when that takes long, receivers are told of what was sent before. */
  async #meanwhile<T>(work: Promise<T>): Promise<T> {
    const stop = new AbortController();
    const late = this.#parts.clock.sleep(PAGE_EVERY_MS, stop.signal).then(
      () => true,
      () => false,
    );
    try {
      const isLate = await Promise.race([work.then(() => false), late]);
      if (isLate && this.#builder.bytes > 0) await this.#sendPage(null);
      return await work;
    } finally {
      stop.abort();
      work.catch(() => {}); // met above unless a page could not be sent
    }
  }

  async #addBatch(batch: CompressedBatch): Promise<void> {
    let row = 0;
    for (const run of batch.runs) {
      const hashes = batch.chunkHashes.subarray(32 * row, 32 * (row + run.chunks));
      const row0 = { codec: run.codec, storedBytes: run.bytes.length, chunks: run.chunks };
      this.#builder.addRun(row0, hashes, batch.chunkBytes.slice(row, row + run.chunks));
      row += run.chunks;
      this.#runs += 1;
      this.#chunks += run.chunks;
      for (const pack of this.#packer.append(run.bytes)) await this.#sendPack(pack);
      this.#plainBytes += run.plainBytes;
      if (this.#builder.full) await this.#sendPage(null);
    }
    this.#parts.source.recycle(batch);
    this.#plainBytes += batch.knownBytes;
    for (const event of batch.events) {
      this.#builder.addEvent(event);
      if (event.kind === "end") this.#entriesEnded += 1;
      if (this.#builder.full) await this.#sendPage(null);
    }
  }

  async #sendPack(pack: PlainPack): Promise<void> {
    const { clock, progress, keys, portal } = this.#parts;
    if (pack.index >= MAX_PACKS) throw new Failure("portal/full", { packs: pack.index });
    await this.gate.pass();
    const before = clock.now();
    await this.#packWindow.take();
    const waitedMs = clock.now() - before;
    progress.spent("network", waitedMs, clock.now());
    this.#judgeNetwork(waitedMs);
    this.#check();
    const into = this.#sealedBuffers.pop() ?? new Uint8Array(SEALED_PACK_BYTES);
    const object = await seal(keys.pack, portal, "pack", pack.index, pack.final, pack.buffer, pack.payloadBytes, into);
    this.#packer.recycle(pack.buffer);
    this.#packs += 1;
    this.#packTree.append(object.header.hash);
    this.#builder.addPack(object.header.hash);
    const stored = this.#stored.sent({ bytes: this.#plainBytes, entries: this.#entriesEnded });
    this.#send(object, this.#packWindow, () => {
      this.#sealedBuffers.push(into);
      stored();
      progress.bytesDone = this.#stored.reached.bytes;
      progress.entriesDone = this.#stored.reached.entries;
    });
    if (this.#builder.bytes >= WORTHWHILE_BYTES || clock.now() - this.#lastPageMs >= PAGE_EVERY_MS)
      await this.#sendPage(null);
  }

  /** A pack that had to wait for a place says that the network is the bottleneck, and how much it carries. */
  #judgeNetwork(waitedMs: number): void {
    const now = this.#parts.clock.now();
    if (waitedMs > 1 && this.#lastPackMs !== undefined)
      this.#codec.networkBound(SEALED_PACK_BYTES, now - this.#lastPackMs);
    else this.#codec.networkFree();
    this.#lastPackMs = now;
  }

  async #sendPage(end: ManifestEnd | null): Promise<void> {
    const { clock, keys, portal } = this.#parts;
    await this.#pageWindow.take();
    this.#check();
    const payload = encodePage(this.#builder.take(end));
    this.#pageBuffer.room.set(payload);
    const index = this.#pages++;
    this.#lastPageMs = clock.now();
    const object = await seal(keys.page, portal, "page", index, end !== null, this.#pageBuffer, payload.length);
    this.#send(object, this.#pageWindow, () => {});
  }

  #send(object: SealedObject, window: Window, onStored: () => void): void {
    const stored: Promise<void> = this.#parts.link.put(object).then(
      () => {
        onStored();
        window.give();
        this.#pending.delete(stored);
      },
      (error: unknown) => {
        this.#failure ??= toFailure(error, "relay/unreachable");
        window.give();
        this.#pending.delete(stored);
      },
    );
    this.#pending.add(stored);
  }

  async #settle(): Promise<void> {
    while (this.#pending.size > 0 && this.#failure === undefined) await Promise.race(this.#pending);
    this.#check();
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}

function sum<T>(items: readonly T[], bytesOf: (item: T) => number): number {
  return items.reduce((total, item) => total + bytesOf(item), 0);
}
