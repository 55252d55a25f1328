/**
 * A send: batches become the pack stream, packs are sealed and stored on the relay, manifest pages follow the data, the
 * last page closes it. The first pack leaves before the input is read to its end.
 *
 * @module
 */
import { Failure } from "../failure.ts";
import { MerkleBuilder } from "../hash/merkle.ts";
import type { Entry } from "../manifest/entry.ts";
import { encodePage, type ManifestEnd } from "../manifest/page.ts";
import { PageBuilder, WORTHWHILE_BYTES } from "../manifest/page-builder.ts";
import { Packer, type PlainPack } from "../pack/packer.ts";
import type { Clock } from "../ports/clock.ts";
import type { Journal } from "../ports/journal.ts";
import type { ContentKeys } from "../seal/keys.ts";
import { createSealBuffer, ivsOf, seal } from "../seal/seal.ts";
import { MAX_PACKS, MAX_SEALED_PAGE_BYTES, SEALED_PACK_BYTES } from "../units.ts";
import { isHeld } from "../wire/held.ts";
import type { ObjectKind, SealedObject } from "../wire/object.ts";
import type { BatchSource, CompressedBatch, Repeater } from "./batch.ts";
import { CodecChoice } from "./codec-choice.ts";
import { Gate } from "./gate.ts";
import { Outgoing } from "./outgoing.ts";
import type { Progress } from "./progress.ts";
import { Repairs } from "./repairs.ts";
import type { ScanStart } from "./scan.ts";
import type { SendLink } from "./send-link.ts";
import { SendLog } from "./send-log.ts";
import { StoredPrefix } from "./stored-prefix.ts";
import { remakePacks, type TakeUpHost, takeUp } from "./take-up.ts";

/** A page is written after the next pack when the last one is this old, so that live receivers see data soon. */
const PAGE_EVERY_MS = 200;

/** What a send needs that goes on where another one stopped. */
export interface ResumeParts {
  /** Starts the source where the scan was interrupted. */
  begin(start: ScanStart): Promise<void>;
}

/** What makes a send resumable. */
export interface JournalParts {
  readonly journal: Journal;
  readonly repeater: Repeater;
  /** Absent for a send from the beginning. */
  readonly resume?: ResumeParts;
  /** The journal takes nothing more: what it has is worth nothing from now on. */
  readonly onFailed: () => void;
}

/** What a send works with. */
export interface SenderParts {
  readonly portal: Uint8Array<ArrayBuffer>;
  readonly keys: ContentKeys;
  readonly link: SendLink;
  readonly entries: readonly Entry[];
  readonly source: BatchSource;
  readonly clock: Clock;
  readonly progress: Progress;
  /** Packs that may be sealed and not yet stored; those of one relay's window when absent. */
  readonly inFlightPacks?: number;
  /** Told of each fresh pack that is written down, before it leaves. The object is borrowed: what is to be kept is copied. */
  readonly onSealed?: (object: SealedObject) => void;
  readonly journal?: JournalParts;
}

/** One send of one list of entries. */
export class Sender {
  readonly gate = new Gate();
  readonly #parts: SenderParts;
  readonly #log: SendLog;
  readonly #repairs: Repairs | undefined;
  #packer = new Packer();
  #builder = new PageBuilder();
  #packTree = new MerkleBuilder("packs");
  readonly #outgoing: Outgoing;
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
  #stored = new StoredPrefix();
  #isPacked = false;
  #isEnded = false;
  #plainBytes = 0;
  #entriesEnded = 0;

  constructor(parts: SenderParts) {
    this.#parts = parts;
    this.#outgoing = new Outgoing(parts.link, parts.inFlightPacks);
    const { journal, progress } = parts;
    progress.resumable = journal !== undefined;
    this.#log = new SendLog(journal?.journal, () => {
      progress.resumable = false;
      journal?.onFailed();
    });
    const host = journal && this.#takeUpHost(journal.repeater);
    this.#repairs = host && new Repairs(journal.journal, host, parts.clock, (ms) => parts.link.rest(ms));
  }

  /** Sends everything and commits. Resolves when the relay has all of it durably. @throws Failure */
  async run(): Promise<void> {
    const { entries, link, progress, journal } = this.#parts;
    if (journal?.resume === undefined) await this.#list(entries);
    else await this.#takeUp(journal, journal.resume);
    progress.run();
    if (!this.#isPacked) await this.#sendContent();
    const packRoot = this.#packTree.root();
    if (!this.#isEnded) {
      const counts = { packs: this.#packs, runs: this.#runs, chunks: this.#chunks, entries: entries.length };
      await this.#sendPage({ ...counts, packRoot });
    }
    await this.#outgoing.settle();
    const commitment = { packs: this.#packs, pages: this.#pages, root: packRoot };
    // What a relay lost may have to be made again before, and it may be that it cannot.
    await this.#outgoing.whileSound(link.commit(commitment));
    progress.bytesDone = progress.bytesTotal;
    progress.entriesDone = progress.entriesTotal;
  }

  /** There is room for so many more packs: another relay takes some. */
  widen(packs: number): void {
    this.#outgoing.widen(packs);
  }

  /** The relay held an object and lost it. */
  lost(kind: ObjectKind, index: number): void {
    const repair = this.#repairs?.lost(kind, index);
    if (repair !== undefined) this.#outgoing.follow(repair);
  }

  /** Packs that were sealed so far. */
  get packs(): number {
    return this.#packs;
  }

  /**
   * Makes packs again, as they were, and gives each on; its bytes are good until `take` returns. None without a journal.
   * @throws Failure as `remakePacks`
   */
  async remake(wanted: ReadonlySet<number>, take: (object: SealedObject) => void): Promise<void> {
    const { portal, keys, journal } = this.#parts;
    if (journal === undefined) return;
    const { repeater } = journal;
    const send = async (object: SealedObject) => take(object);
    await remakePacks(journal.journal, { portal, keys, repeater, send }, wanted);
  }

  async #sendContent(): Promise<void> {
    for (let batch = await this.#nextBatch(); batch !== undefined; batch = await this.#nextBatch()) {
      await this.#addBatch(batch);
    }
    const last = this.#packer.finish();
    if (last !== undefined) await this.#sendPack(last, null);
  }

  /** Reads the journal, sends again what did not arrive, and stands where the interrupted send stood. */
  async #takeUp({ journal, repeater }: JournalParts, resume: ResumeParts): Promise<void> {
    const { link, progress } = this.#parts;
    await link.connected();
    const held = link.state;
    if (held === undefined) throw new Failure("relay/unreachable");
    const isThere = (kind: ObjectKind, index: number) => held.commitment !== null || isHeld(held, kind, index);
    const state = await takeUp(journal, { ...this.#takeUpHost(repeater), isHeld: isThere });
    this.#builder = state.builder;
    this.#packTree = state.packTree;
    this.#packs = state.packs;
    this.#pages = state.pages;
    this.#runs = state.runs;
    this.#chunks = state.begin.chunkHashes.length / 32;
    this.#isPacked = state.isPacked;
    this.#isEnded = state.isEnded;
    this.#plainBytes = state.plainBytes;
    this.#entriesEnded = state.entriesEnded;
    const reached = { bytes: state.plainBytes, entries: state.entriesEnded };
    this.#stored = new StoredPrefix(reached);
    progress.bytesDone = reached.bytes;
    progress.entriesDone = reached.entries;
    if (state.isPacked) return;
    this.#packer = new Packer(state.packs);
    for (const { run, part } of await state.sent.rest(this.#packer.offset, repeater)) await this.#append(run, part);
    await resume.begin(state.begin);
  }

  #takeUpHost(repeater: Repeater): Omit<TakeUpHost, "isHeld"> {
    const { portal, keys } = this.#parts;
    return {
      portal,
      keys,
      repeater,
      send: async (object) => {
        await this.#outgoing.room(object.header.kind);
        this.#outgoing.send(object, Promise.resolve(), () => {});
      },
    };
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
      this.#log.addRun(run.spans);
      this.#runs += 1;
      this.#chunks += run.chunks;
      await this.#append(run.bytes, run.bytes);
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

  /** @param part what of the run is in no pack yet: all of it, but behind a resume */
  async #append(run: Uint8Array<ArrayBuffer>, part: Uint8Array): Promise<void> {
    const start = this.#packer.offset;
    for (const pack of this.#packer.append(part)) {
      const goesOn = this.#log.isKept && (pack.endOffset > start || part.length < run.length);
      await this.#sendPack(pack, goesOn ? new Uint8Array(await crypto.subtle.digest("SHA-256", run)) : null);
    }
  }

  async #sendPack(pack: PlainPack, tail: Uint8Array | null): Promise<void> {
    const { clock, progress, keys, portal } = this.#parts;
    if (pack.index >= MAX_PACKS) throw new Failure("portal/full", { packs: pack.index });
    await this.gate.pass();
    const before = clock.now();
    await this.#outgoing.room("pack");
    const waitedMs = clock.now() - before;
    progress.spent("network", waitedMs, clock.now());
    this.#judgeNetwork(waitedMs);
    const into = this.#sealedBuffers.pop() ?? new Uint8Array(SEALED_PACK_BYTES);
    const object = await seal(keys.pack, portal, "pack", pack.index, pack.final, pack.buffer, pack.payloadBytes, {
      into,
    });
    this.#packer.recycle(pack.buffer);
    this.#packs += 1;
    this.#packTree.append(object.header.hash);
    this.#builder.addPack(object.header.hash);
    const { final, payloadBytes } = pack;
    const journalled = this.#log.write(
      () => this.#builder.fresh(null),
      { final, payloadBytes, ivs: ivsOf(object), tail },
      null,
    );
    // Before its memory is anybody else's: these go in the order in which they were asked for.
    void journalled.then(
      () => this.#parts.onSealed?.(object),
      () => {},
    );
    const stored = this.#stored.sent({ bytes: this.#plainBytes, entries: this.#entriesEnded });
    this.#outgoing.send(object, journalled, () => {
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
    await this.#outgoing.room("page");
    const rows = this.#builder.fresh(end);
    const payload = encodePage(this.#builder.take(end));
    this.#pageBuffer.room.set(payload);
    const index = this.#pages++;
    this.#lastPageMs = clock.now();
    const object = await seal(keys.page, portal, "page", index, end !== null, this.#pageBuffer, payload.length);
    const journalled = this.#log.write(() => rows, null, ivsOf(object));
    this.#outgoing.send(object, journalled, () => {});
  }
}

function sum<T>(items: readonly T[], bytesOf: (item: T) => number): number {
  return items.reduce((total, item) => total + bytesOf(item), 0);
}
