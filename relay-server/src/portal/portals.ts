/**
 * All portals of this relay: creation, finding, committing, ending, expiry. Every carrier goes through here and through
 * authorise.ts, so that all have the same rules.
 *
 * @module
 */
import { Failure } from "../../../core/failure.ts";
import { MerkleBuilder } from "../../../core/hash/merkle.ts";
import type { LeaseWish } from "../../../core/ports/link.ts";
import type { Commitment } from "../../../core/wire/frame.ts";
import type { ObjectHeader, ObjectKind } from "../../../core/wire/object.ts";
import { type PortalKey, sameBytes } from "../bytes.ts";
import type { DateSource } from "../clock.ts";
import type { NewPortal, ObjectSource, Store, StoredPortal } from "../store/store.ts";
import { Lifetime } from "./lifetime.ts";
import { LivePortal, type Member } from "./live-portal.ts";
import { beginUpload, type Upload, type Uploads } from "./upload.ts";

/** Idle portals kept in memory. */
const KEPT_PORTALS = 512;
/** How long a tombstone tells that a portal is over. */
export const TOMBSTONE_MS = 24 * 3600 * 1000;
/** Hashes put into the Merkle tree before other work gets its turn. */
const HASHES_PER_TURN = 4096;

export class Portals {
  readonly #uploads: Uploads;
  readonly #date: DateSource;
  readonly #live = new Map<PortalKey, Promise<LivePortal | undefined>>();
  /** When portals ended whose end the store does not know yet. */
  readonly #unended = new Map<PortalKey, number>();

  constructor(uploads: Uploads, date: DateSource) {
    this.#uploads = uploads;
    this.#date = date;
  }

  get #store(): Store {
    return this.#uploads.store;
  }

  /** @throws Failure `portal/taken` | `portal/expired` | `relay/full` */
  async create(
    portal: Omit<NewPortal, "createdAtMs" | "expiresAtMs">,
  ): Promise<{ created: boolean; expiresAtMs: number }> {
    const now = this.#date.now();
    const times = { createdAtMs: now, expiresAtMs: now + portal.expirySeconds * 1000 };
    const { created, portal: stored } = await this.#store.createPortal({ ...portal, ...times });
    if (stored.expiresAtMs <= now) throw new Failure("portal/expired");
    return { created, expiresAtMs: stored.expiresAtMs };
  }

  /** A portal that exists, ended or not; one whose time is over is ended here. */
  async find(key: PortalKey): Promise<{ stored: StoredPortal; live: LivePortal | undefined } | undefined> {
    const live = await this.#load(key);
    if (live === undefined) {
      const stored = await this.#store.loadPortal(key);
      return stored && { stored, live: undefined };
    }
    const isOver = live.stored.expiresAtMs <= this.#date.now() && !live.lifetime.goesOn;
    if (live.ended === undefined && isOver) await this.end(live);
    return { stored: live.stored, live: live.ended === undefined ? live : undefined };
  }

  /**
   * Lets a sender in under the lease that it holds, or gives it the next one and ends the senders of older ones. Resolves
   * when whatever those were storing is stored or refused. `leave` ends the membership.
   * @throws Failure `portal/leased` | `portal/lease-lost` | `portal/expired` | `wire/malformed` | `relay/…`
   */
  async admitSender(
    portal: LivePortal,
    wish: LeaseWish,
    member: Omit<Member, "role" | "lease">,
  ): Promise<{ readonly lease: number; readonly leave: () => void }> {
    const admitted = await portal.inTurn(async () => {
      if (wish.lease !== 0) portal.assertLease(wish.lease);
      else await this.#giveLease(portal, wish.takeOver);
      if (portal.ended !== undefined) throw portal.ended;
      const { lease } = portal.stored;
      return { lease, leave: portal.join({ ...member, role: "send", lease }) };
    });
    portal.endOlderLeases();
    await portal.settled();
    return admitted;
  }

  async #giveLease(portal: LivePortal, takeOver: boolean): Promise<void> {
    if (portal.hasSender && !takeOver) throw new Failure("portal/leased");
    const lease = portal.stored.lease + 1;
    await this.#store.takeLease(portal.key, lease);
    portal.stored = { ...portal.stored, lease };
  }

  /** Begins an object of a sender. Never throws a Failure: a refusal is told by the upload. */
  upload(portal: LivePortal, header: ObjectHeader, lease: number): Promise<Upload> {
    return beginUpload(this.#uploads, portal, header, lease);
  }

  /** Opens a verified object. @throws Failure `object/absent` | `object/corrupt` | `portal/expired` | `relay/storage` */
  async open(portal: LivePortal, kind: ObjectKind, index: number): Promise<ObjectSource> {
    if (portal.ended !== undefined) throw portal.ended;
    const fresh = portal.fresh(kind, index);
    if (fresh !== undefined) return fresh.source();
    try {
      return await this.#store.open(portal.key, kind, index);
    } catch (error) {
      if (isDamage(error)) portal.lost(kind, index);
      throw error;
    }
  }

  /** Reads a stored object to its end. Gives false when it is damaged, which its senders are told. @throws Failure */
  async check(key: PortalKey, kind: ObjectKind, index: number): Promise<boolean> {
    try {
      (await this.#store.open(key, kind, index)).close();
      return true;
    } catch (error) {
      if (!isDamage(error)) throw error;
      // A portal that is loaded from now on knows it from the store.
      (await this.#live.get(key))?.lost(kind, index);
      return false;
    }
  }

  /**
   * Fixes counts and root. Idempotent.
   * @throws Failure `portal/incomplete` | `portal/closed` | `portal/expired` | `portal/lease-lost`
   */
  async commit(portal: LivePortal, commitment: Commitment, lease: number): Promise<void> {
    if (portal.ended !== undefined) throw portal.ended;
    portal.assertLease(lease);
    const before = portal.stored.commitment;
    if (before !== null) {
      if (sameCommitment(before, commitment)) return;
      throw new Failure("portal/closed");
    }
    if (!portal.held.pack.isPrefix(commitment.packs)) throw new Failure("portal/incomplete", { what: "packs" });
    if (!portal.held.page.isPrefix(commitment.pages)) throw new Failure("portal/incomplete", { what: "pages" });
    if (!sameBytes(await this.#root(portal.key), commitment.root))
      throw new Failure("portal/incomplete", { what: "root" });
    // Another link may have committed, or stored one more, while the root was computed.
    if (portal.stored.commitment !== null) return this.commit(portal, commitment, lease);
    if (portal.held.pack.size !== commitment.packs) throw new Failure("portal/incomplete", { what: "packs" });
    portal.stored = { ...portal.stored, commitment };
    try {
      const committing = this.#store.commitPortal(portal.key, commitment, lease);
      portal.trackWrite(committing);
      await committing;
    } catch (error) {
      portal.stored = { ...portal.stored, commitment: null };
      throw error;
    }
    portal.committed();
  }

  async #root(key: PortalKey): Promise<Uint8Array> {
    const tree = new MerkleBuilder("packs");
    let turn = 0;
    for (const hash of [...this.#store.packHashes(key)]) {
      tree.append(hash);
      if (++turn % HASHES_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    return tree.root();
  }

  /**
   * Counts a completed download once per claim; the last allowed one ends the portal.
   * @param onCounted called when it is durable, before the portal ends
   */
  async countDownload(portal: LivePortal, claim: Uint8Array, onCounted: () => void = () => {}): Promise<void> {
    if (portal.ended !== undefined) throw portal.ended;
    const downloads = await this.#store.countDownload(portal.key, claim);
    onCounted();
    portal.stored = { ...portal.stored, downloads };
    const { maxDownloads } = portal.stored;
    if (maxDownloads !== null && downloads >= maxDownloads) await this.end(portal);
  }

  /** Ends a portal: members are told, bytes are removed, a tombstone stays for 24 hours. Idempotent. */
  async end(portal: LivePortal): Promise<void> {
    const endedAtMs = this.#date.now();
    portal.stored = { ...portal.stored, endedAtMs: portal.stored.endedAtMs ?? endedAtMs };
    portal.end(new Failure("portal/expired"));
    this.#unended.set(portal.key, endedAtMs);
    await this.endAgain(portal.key);
  }

  /** Writes down the end of a portal, where that could not be done before. @throws Failure `relay/full` | `relay/storage` */
  async endAgain(key: PortalKey): Promise<void> {
    const endedAtMs = this.#unended.get(key);
    if (endedAtMs === undefined) return;
    await this.#store.endPortal(key, endedAtMs);
    this.#unended.delete(key);
  }

  /** At the start, before anybody is served. @throws Failure `relay/full` | `relay/storage` */
  async start(): Promise<void> {
    await this.#store.settleDates(this.#date.now());
    await this.sweep();
  }

  /** Ends what is overdue and forgets old tombstones. */
  async sweep(): Promise<void> {
    const now = this.#date.now();
    // On a disk that fails each still ends for those who use it.
    const ends = [...this.#unended.keys()].map((key) => this.endAgain(key));
    await Promise.allSettled(ends);
    for (const key of await this.#store.overdue(now)) await this.find(key).catch(() => undefined);
    await this.#store.forgetEnded(now - TOMBSTONE_MS);
    for (const [key, entry] of [...this.#live]) {
      const live = await entry;
      if (live?.ended !== undefined && !live.isUsed && !this.#unended.has(key)) this.#live.delete(key);
    }
  }

  /** Resolves with the portal in memory; undefined when it is unknown or ended in an earlier time. */
  #load(key: PortalKey): Promise<LivePortal | undefined> {
    const known = this.#live.get(key);
    if (known !== undefined) {
      // The most recently used ones are last.
      this.#live.delete(key);
      this.#live.set(key, known);
      return known;
    }
    const loading = this.#read(key);
    this.#live.set(key, loading);
    const forget = () => {
      if (this.#live.get(key) === loading) this.#live.delete(key);
    };
    loading.then(async (live) => (live === undefined ? forget() : await this.#trim()), forget);
    return loading;
  }

  async #read(key: PortalKey): Promise<LivePortal | undefined> {
    const stored = await this.#store.loadPortal(key);
    if (stored === undefined || stored.endedAtMs !== null) return undefined;
    const packs = await this.#store.heldIndexes(key, "pack");
    const pages = await this.#store.heldIndexes(key, "page");
    const lifetime = new Lifetime(() => this.#date.steady(), stored.expiresAtMs - this.#date.now());
    return new LivePortal(stored, packs, pages, lifetime);
  }

  async #trim(): Promise<void> {
    if (this.#live.size <= KEPT_PORTALS) return;
    for (const [key, entry] of [...this.#live].slice(0, this.#live.size - KEPT_PORTALS)) {
      const live = await entry.catch(() => undefined);
      // Used means also: handed out in this turn and about to be joined; those are at the end of the map.
      const isNeeded = live === undefined || live.isUsed || this.#unended.has(key);
      if (!isNeeded && this.#live.get(key) === entry) this.#live.delete(key);
    }
  }
}

function isDamage(error: unknown): boolean {
  return error instanceof Failure && error.code === "object/corrupt";
}

function sameCommitment(a: Commitment, b: Commitment): boolean {
  return a.packs === b.packs && a.pages === b.pages && sameBytes(a.root, b.root);
}
