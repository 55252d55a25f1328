/**
 * One object on its way in, the same for every carrier: what is checked before, while and after its bytes come. A
 * refused object is read to its end and dropped, so that its stream stays in step.
 *
 * @module
 */
import { Failure } from "../../../core/failure.ts";
import type { ObjectHeader } from "../../../core/wire/object.ts";
import type { ByteBudget } from "../byte-budget.ts";
import { ObjectHasher } from "../object-hasher.ts";
import type { IncomingObject, Store } from "../store/store.ts";
import type { LivePortal } from "./live-portal.ts";

/** Bytes gathered for one write to the disk. */
const GATHER_BYTES = 256 * 1024;
/** How often to look whether the same object came another way meanwhile. */
const MAX_LOOKS = 4;

export interface Uploads {
  readonly store: Store;
  /** What waits between network and disk, over all uploads. */
  readonly budget: ByteBudget;
}

/** What is left to whoever sends an object. */
export interface Meter {
  /** @throws Failure `relay/busy` when no more may come */
  admit(): Promise<void>;
  /** Counts bytes as they come. */
  came(bytes: number): void;
}

/** Decides whether the object is wanted. Never throws a Failure: a refusal is told by the upload. */
export async function beginUpload(
  uploads: Uploads,
  portal: LivePortal,
  header: ObjectHeader,
  lease: number,
  meter?: Meter,
): Promise<Upload> {
  try {
    portal.assertHolds();
    portal.assertLease(lease);
    const known = await findKnown(uploads, portal, header);
    if (known !== undefined) return new DroppedUpload(header, undefined, known);
    if (portal.stored.commitment !== null && !isRepair(portal, header)) throw new Failure("portal/closed");
    await meter?.admit();
    const incoming = await uploads.store.receive(portal.key, header, lease);
    return new KeptUpload(uploads, { portal, lease, meter }, header, incoming);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return new DroppedUpload(header, error, undefined);
  }
}

/** A committed object that was found corrupt may come again. */
function isRepair(portal: LivePortal, { kind, index }: ObjectHeader): boolean {
  return !portal.isBeyond(kind, index) && !portal.held[kind].has(index);
}

/** The same object is there already. */
interface Known {
  /** Resolves when it is durable. */
  readonly stored: Promise<void>;
}

/**
 * The same object, if it is there already. @throws Failure `object/conflict` | `portal/expired`
 */
async function findKnown({ store }: Uploads, portal: LivePortal, header: ObjectHeader): Promise<Known | undefined> {
  const { kind, index, hash } = header;
  if (portal.ended !== undefined) throw portal.ended;
  const fresh = portal.fresh(kind, index);
  const found = fresh === undefined ? await store.find(portal.key, kind, index) : undefined;
  const there = fresh?.header ?? found?.header;
  if (there === undefined) return undefined;
  if (Buffer.compare(there.hash, hash) !== 0 || there.final !== header.final || there.length !== header.length)
    throw new Failure("object/conflict");
  return found?.corrupt === true ? undefined : { stored: fresh?.stored ?? Promise.resolve() };
}

export interface Upload {
  readonly header: ObjectHeader;
  /** Why its bytes are dropped, known from the start. */
  readonly refusal: Failure | undefined;
  /** Bytes still to come. */
  readonly missing: number;
  /** Takes the next bytes, at most `missing`; they may be kept until written. Await a promise before reading on. */
  push(bytes: Uint8Array): Promise<void> | undefined;
  /** All bytes came. Resolves when the object is durable. @throws Failure `object/hash` | `object/conflict` | … */
  finish(): Promise<void>;
  /** The rest will not come. */
  abort(): void;
}

class DroppedUpload implements Upload {
  readonly header: ObjectHeader;
  readonly refusal: Failure | undefined;
  readonly #known: Known | undefined;
  missing: number;

  constructor(header: ObjectHeader, refusal: Failure | undefined, known: Known | undefined) {
    this.header = header;
    this.refusal = refusal;
    this.#known = known;
    this.missing = header.length;
  }

  push(bytes: Uint8Array): undefined {
    this.missing -= bytes.length;
  }
  async finish(): Promise<void> {
    if (this.refusal !== undefined) throw this.refusal;
    await this.#known?.stored;
  }
  abort(): void {}
}

/** Into what an object comes, and from whom. */
interface Origin {
  readonly portal: LivePortal;
  readonly lease: number;
  readonly meter: Meter | undefined;
}

class KeptUpload implements Upload {
  readonly header: ObjectHeader;
  readonly refusal = undefined;
  missing: number;
  readonly #uploads: Uploads;
  readonly #portal: LivePortal;
  readonly #lease: number;
  readonly #meter: Meter | undefined;
  readonly #incoming: IncomingObject;
  readonly #hash = new ObjectHasher();
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  #writing: Promise<void> | undefined;
  #failure: Failure | undefined;
  #isOver = false;
  /** The incoming object is stored or discarded. */
  #isSettled = false;

  constructor(uploads: Uploads, { portal, lease, meter }: Origin, header: ObjectHeader, incoming: IncomingObject) {
    this.header = header;
    this.missing = header.length;
    this.#uploads = uploads;
    this.#portal = portal;
    this.#lease = lease;
    this.#meter = meter;
    this.#incoming = incoming;
  }

  push(bytes: Uint8Array): Promise<void> | undefined {
    this.missing -= bytes.length;
    if (this.#failure !== undefined) return undefined;
    this.#hash.update(bytes);
    this.#gathered.push(bytes);
    this.#gatheredBytes += bytes.length;
    this.#uploads.budget.take(bytes.length);
    const isEnough = this.#gatheredBytes >= GATHER_BYTES || this.missing === 0 || this.#uploads.budget.isTight;
    if (!isEnough) return this.#uploads.budget.room();
    // One write runs while the next bytes are gathered.
    return this.#writing === undefined ? this.#write() : this.#writing.then(() => this.#write());
  }

  /** Starts writing what was gathered; resolves at once unless memory is short. */
  #write(): Promise<void> | undefined {
    if (this.#gatheredBytes === 0) return undefined;
    const slices = this.#gathered;
    const bytes = this.#gatheredBytes;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#meter?.came(bytes);
    this.#writing = this.#incoming
      .append(slices)
      .catch((error: Failure) => {
        this.#failure ??= error;
      })
      .then(() => {
        this.#uploads.budget.give(bytes);
        this.#writing = undefined;
      });
    return this.#uploads.budget.room();
  }

  async finish(): Promise<void> {
    while (this.#writing !== undefined || this.#gatheredBytes > 0) {
      await this.#writing;
      void this.#write();
    }
    this.#isOver = true;
    try {
      if (this.#failure !== undefined) throw this.#failure;
      if (Buffer.compare(this.#hash.digest(), this.header.hash) !== 0) throw new Failure("object/hash");
      await this.#settle();
    } catch (error) {
      if (!this.#isSettled) await this.#incoming.discard();
      throw error;
    }
  }

  /** Keeps the object, or waits for the same one: it may come over two links at once. */
  async #settle(): Promise<void> {
    const { kind, index } = this.header;
    for (let look = 0; look < MAX_LOOKS; look++) {
      const known = await findKnown(this.#uploads, this.#portal, this.header);
      // From here to `#keep` nothing else runs: no stale sender's object is given to readers, and of two only one is kept.
      this.#portal.assertLease(this.#lease);
      if (known !== undefined) {
        this.#isSettled = true;
        await this.#incoming.discard();
        return known.stored;
      }
      if (!this.#portal.has(kind, index)) return this.#keep();
    }
    throw new Failure("relay/storage", { what: "unsettled" });
  }

  #keep(): Promise<void> {
    const { header } = this;
    this.#isSettled = true;
    const incoming = this.#incoming;
    const stored = incoming.store();
    this.#portal.addFresh({ header, source: () => incoming.source(), stored });
    return stored;
  }

  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#failure ??= new Failure("cancelled");
    this.#uploads.budget.give(this.#gatheredBytes);
    this.#gathered = [];
    this.#gatheredBytes = 0;
    const writing = this.#writing ?? Promise.resolve();
    void writing.then(() => this.#incoming.discard()).catch(() => undefined);
  }
}
