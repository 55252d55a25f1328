/**
 * All portals of this relay: creation, finding, committing, ending, expiry. Every carrier goes through here and through
 * authorise.ts, so that all have the same rules.
 *
 * @module
 */
import { Failure } from "../../../core/failure.ts";
import { MerkleBuilder } from "../../../core/hash/merkle.ts";
import type { Commitment } from "../../../core/wire/frame.ts";
import type { ObjectHeader, ObjectKind } from "../../../core/wire/object.ts";
import { type PortalKey, sameBytes } from "../bytes.ts";
import type { DateSource } from "../clock.ts";
import type { NewPortal, ObjectSource, Store, StoredPortal } from "../store/store.ts";
import { LivePortal } from "./live-portal.ts";
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
    if (live.ended === undefined && live.stored.expiresAtMs <= this.#date.now()) await this.end(live);
    return { stored: live.stored, live: live.ended === undefined ? live : undefined };
  }

  upload(portal: LivePortal, header: ObjectHeader): Promise<Upload> {
    return beginUpload(this.#uploads, portal, header);
  }

  /** Opens a verified object. @throws Failure `object/absent` | `object/corrupt` | `portal/expired` | `relay/storage` */
  async open(portal: LivePortal, kind: ObjectKind, index: number): Promise<ObjectSource> {
    if (portal.ended !== undefined) throw portal.ended;
    const fresh = portal.fresh(kind, index);
    if (fresh !== undefined) return fresh.source();
    try {
      return await this.#store.open(portal.key, kind, index);
    } catch (error) {
      if (error instanceof Failure && error.code === "object/corrupt" && portal.held[kind].has(index)) {
        portal.held[kind].delete(index);
        portal.changed();
      }
      throw error;
    }
  }

  /** Fixes counts and root. Idempotent. @throws Failure `portal/incomplete` | `portal/closed` | `portal/expired` */
  async commit(portal: LivePortal, commitment: Commitment): Promise<void> {
    if (portal.ended !== undefined) throw portal.ended;
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
    if (portal.stored.commitment !== null) return this.commit(portal, commitment);
    if (portal.held.pack.size !== commitment.packs) throw new Failure("portal/incomplete", { what: "packs" });
    portal.stored = { ...portal.stored, commitment };
    try {
      await this.#store.commitPortal(portal.key, commitment);
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
    await this.#store.endPortal(portal.key, endedAtMs);
  }

  /** Ends what is overdue and forgets old tombstones. */
  async sweep(): Promise<void> {
    const now = this.#date.now();
    for (const key of await this.#store.overdue(now)) await this.find(key);
    await this.#store.forgetEnded(now - TOMBSTONE_MS);
    for (const [key, entry] of [...this.#live]) {
      const live = await entry;
      if (live?.ended !== undefined && !live.isUsed) this.#live.delete(key);
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
    return new LivePortal(stored, packs, await this.#store.heldIndexes(key, "page"));
  }

  async #trim(): Promise<void> {
    if (this.#live.size <= KEPT_PORTALS) return;
    for (const [key, entry] of [...this.#live].slice(0, this.#live.size - KEPT_PORTALS)) {
      const live = await entry.catch(() => undefined);
      // Used means also: handed out in this turn and about to be joined; those are at the end of the map.
      if (live !== undefined && !live.isUsed && this.#live.get(key) === entry) this.#live.delete(key);
    }
  }
}

function sameCommitment(a: Commitment, b: Commitment): boolean {
  return a.packs === b.packs && a.pages === b.pages && sameBytes(a.root, b.root);
}
