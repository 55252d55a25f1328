/**
 * All portals of this relay: creation, finding, ending, expiry. Every carrier goes through here and through
 * authorise.ts, so that all have the same rules.
 *
 * @module
 */
import { Failure } from "../../../core/failure.ts";
import type { CreatedPortal, EndReason } from "../../../core/portal/portal.ts";
import type { LeaseWish } from "../../../core/ports/link.ts";
import type { Commitment } from "../../../core/wire/frame.ts";
import type { ObjectHeader, ObjectKind } from "../../../core/wire/object.ts";
import { type LinkKey, type PortalKey, sameBytes } from "../bytes.ts";
import type { DateSource } from "../clock.ts";
import type { NewPortal, ObjectSource, Store, StoredPortal } from "../store/store.ts";
import { commitPortal } from "./commit.ts";
import { Endings } from "./endings.ts";
import { Lifetime } from "./lifetime.ts";
import { isLinkOver } from "./link-rules.ts";
import { LivePortal, type Member, type Role } from "./live-portal.ts";
import { CLAIM_MS, Reader } from "./reader.ts";
import { Rules } from "./rules.ts";
import { beginUpload, type Meter, type Upload, type Uploads } from "./upload.ts";

/** Idle portals kept in memory. */
const KEPT_PORTALS = 512;
/** How long a tombstone tells that a portal is over. */
export const TOMBSTONE_MS = 24 * 3600 * 1000;
/** Use is written down this often; so what is said of idle time may be that much late, and never early. */
const TOUCH_MS = 60_000;

export class Portals {
  readonly rules: Rules;
  readonly #uploads: Uploads;
  readonly #date: DateSource;
  readonly #live = new Map<PortalKey, Promise<LivePortal | undefined>>();
  readonly #endings: Endings;

  constructor(uploads: Uploads, date: DateSource) {
    this.#uploads = uploads;
    this.#date = date;
    this.rules = new Rules({ portals: this, store: uploads.store, date });
    this.#endings = new Endings({ portals: this, store: uploads.store, date });
  }

  get #store(): Store {
    return this.#uploads.store;
  }

  /** The relay's date, milliseconds since 1970. */
  get nowMs(): number {
    return this.#date.now();
  }

  /**
   * The answer to a creation that was done before, undefined when it was not.
   * @throws Failure `portal/expired` when the portal has ended since
   */
  async findCreated({ key, requestHash }: Pick<NewPortal, "key" | "requestHash">): Promise<CreatedPortal | undefined> {
    const found = await this.find(key);
    if (found === undefined || !sameBytes(found.stored.requestHash, requestHash)) return undefined;
    if (found.live === undefined) throw new Failure("portal/expired");
    return { expiresAtMs: found.stored.expiresAtMs, lease: 0 };
  }

  /**
   * @param invite hash of the invitation that is used up by it
   * @throws Failure `portal/taken` | `portal/expired` | `portal/unknown` for a delivery that is not taken | `relay/…`
   */
  async create(
    portal: Omit<NewPortal, "createdAtMs" | "expiresAtMs">,
    invite: Uint8Array<ArrayBuffer> | null = null,
  ): Promise<CreatedPortal> {
    const now = this.#date.now();
    const times = { createdAtMs: now, expiresAtMs: now + portal.expirySeconds * 1000 };
    const { created, portal: stored } = await this.#store.createPortal({ ...portal, ...times }, invite);
    // How often the write link was used has changed.
    if (portal.delivery !== null) await this.refreshKey(portal.delivery.request);
    return { expiresAtMs: stored.expiresAtMs, lease: created ? 1 : 0 };
  }

  /** A portal that exists, ended or not; one whose time is over is ended here. */
  async find(key: PortalKey): Promise<{ stored: StoredPortal; live: LivePortal | undefined } | undefined> {
    const live = await this.#load(key);
    if (live === undefined) {
      const stored = await this.#store.loadPortal(key);
      return stored && { stored, live: undefined };
    }
    const reason = live.ended === undefined ? this.#overdue(live) : undefined;
    if (reason !== undefined) await this.end(live, reason);
    return { stored: live.stored, live: live.ended === undefined ? live : undefined };
  }

  /** Why a portal should end now, if it should. */
  #overdue({ stored, lifetime }: LivePortal): EndReason | undefined {
    const now = this.#date.now();
    if (stored.expiresAtMs <= now && !lifetime.goesOn) return "time";
    const idleMs = Math.min(now - stored.usedAtMs, lifetime.idleMs) - TOUCH_MS;
    return stored.idleSeconds !== null && idleMs >= stored.idleSeconds * 1000 ? "idle" : undefined;
  }

  /** What may be read from a portal, and how often. @param link the read link, null for owner and admins */
  reader(portal: LivePortal, link: LinkKey | null): Reader {
    return new Reader({ portals: this, store: this.#store, date: this.#date }, portal, link);
  }

  /** Takes over what the store decided about rules, links and counts; ends the portal if that was its end. */
  async refresh(portal: LivePortal): Promise<void> {
    const fresh = await this.#store.loadPortal(portal.key);
    if (fresh === undefined || portal.ended !== undefined) return;
    const { commitment, lease } = portal.stored;
    // These two are decided in memory first.
    portal.stored = { ...fresh, commitment: commitment ?? fresh.commitment, lease: Math.max(lease, fresh.lease) };
    if (fresh.endReason !== null) await this.end(portal, fresh.endReason);
  }

  /** Somebody uses the portal. */
  touch(portal: LivePortal, role: Role | undefined): void {
    const { stored } = portal;
    // Whoever waits for a delivery does not keep one alive that nobody brings.
    if (role !== "send" && stored.delivery !== null && stored.commitment === null) return;
    const now = this.#date.now();
    if (now - stored.usedAtMs < TOUCH_MS || portal.ended !== undefined) return;
    portal.stored = { ...stored, usedAtMs: now };
    // Where it cannot be written down it is known here as long as the relay runs.
    this.#store.access.touch(portal.key, now).catch(() => undefined);
  }

  /**
   * Lets a sender in under the lease that it holds, or gives it the next one and ends the senders of older ones. Resolves
   * when whatever those were storing is stored or refused. `leave` ends the membership.
   * @throws Failure `portal/leased` | `portal/lease-lost` | `portal/expired` | `wire/malformed` | `relay/…`, `portal/closed`
   * for a request, which holds nothing
   */
  async admitSender(
    portal: LivePortal,
    wish: LeaseWish,
    member: Omit<Member, "role" | "lease">,
  ): Promise<{ readonly lease: number; readonly leave: () => void }> {
    portal.assertHolds();
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
  upload(portal: LivePortal, header: ObjectHeader, lease: number, meter?: Meter): Promise<Upload> {
    return beginUpload(this.#uploads, portal, header, lease, meter);
  }

  /** Opens a verified object. @throws Failure `object/absent` | `object/corrupt` | `portal/expired` | `relay/storage` */
  async open(portal: LivePortal, kind: ObjectKind, index: number): Promise<ObjectSource> {
    if (portal.ended !== undefined) throw portal.ended;
    const fresh = portal.fresh(kind, index);
    if (fresh !== undefined) return fresh.source();
    if (portal.isElsewhere(kind, index)) throw new Failure("object/absent");
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

  /** Fixes counts and root. Idempotent. @throws Failure like `commitPortal` */
  commit(portal: LivePortal, commitment: Commitment, lease: number): Promise<void> {
    return commitPortal(this.#store, portal, commitment, lease);
  }

  /** Ends a portal for good. Idempotent; the first reason stays. @throws Failure `relay/full` | `relay/storage` */
  end(portal: LivePortal, reason: EndReason): Promise<void> {
    return this.#endings.end(portal, reason);
  }

  /** Writes down the end of a portal, where that could not be done before. @throws Failure `relay/full` | `relay/storage` */
  endAgain(key: PortalKey): Promise<void> {
    return this.#endings.again(key);
  }

  /** Ends a portal for whoever runs the relay; does nothing to one that is unknown or has ended. */
  takeDown(key: PortalKey): Promise<void> {
    return this.#endings.endKey(key, "removed");
  }

  /** A portal in memory hears of what the store decided. */
  async refreshKey(key: PortalKey): Promise<void> {
    const live = await this.#live.get(key);
    if (live !== undefined) await this.refresh(live);
  }

  /** At the start, before anybody is served. @throws Failure `relay/full` | `relay/storage` */
  async start(): Promise<void> {
    const now = this.#date.now();
    await this.#store.settleDates(now, now + CLAIM_MS);
    await this.sweep();
  }

  /** Ends what is overdue and forgets old tombstones. */
  async sweep(): Promise<void> {
    const now = this.#date.now();
    // On a disk that fails each still ends for those who use it.
    await this.#endings.allAgain();
    await this.#lookAfterMembers(now);
    for (const key of await this.#store.overdue(now, now - TOUCH_MS)) await this.find(key).catch(() => undefined);
    await this.#endings.endDeliveries(now - TOUCH_MS);
    await this.#store.forgetEnded(now - TOMBSTONE_MS);
    for (const [key, entry] of [...this.#live]) {
      const live = await entry;
      if (live?.ended !== undefined && !live.isUsed && !this.#endings.isOpen(key)) this.#live.delete(key);
    }
  }

  /** Keeps portals that somebody is connected to in use; ends whoever came by a link whose window is over. */
  async #lookAfterMembers(now: number): Promise<void> {
    for (const entry of [...this.#live.values()]) {
      const live = await entry.catch(() => undefined);
      if (!live?.hasMembers) continue;
      this.touch(live, live.hasSender ? "send" : "receive");
      for (const link of live.stored.links)
        if (isLinkOver(link, now)) live.endLink(link.link, new Failure("portal/unknown"));
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
    const pack = await this.#store.heldIndexes(key, "pack");
    const page = await this.#store.heldIndexes(key, "page");
    const lifetime = new Lifetime(() => this.#date.steady(), stored.expiresAtMs - this.#date.now());
    return new LivePortal(stored, { pack, page }, lifetime, (portal, role) => this.touch(portal, role));
  }

  async #trim(): Promise<void> {
    if (this.#live.size <= KEPT_PORTALS) return;
    for (const [key, entry] of [...this.#live].slice(0, this.#live.size - KEPT_PORTALS)) {
      const live = await entry.catch(() => undefined);
      // Used means also: handed out in this turn and about to be joined; those are at the end of the map.
      const isNeeded = live === undefined || live.isUsed || this.#endings.isOpen(key);
      if (!isNeeded && this.#live.get(key) === entry) this.#live.delete(key);
    }
  }
}

function isDamage(error: unknown): boolean {
  return error instanceof Failure && error.code === "object/corrupt";
}
