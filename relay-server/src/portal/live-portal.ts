/**
 * One portal in memory: what it holds, who is connected, who waits for what. It decides its phase and tells its members
 * about changes; storing and ending are portals.ts.
 *
 * @module
 */
import { Failure } from "../../../core/failure.ts";
import type { PortalPhase, PortalState } from "../../../core/wire/frame.ts";
import type { ObjectHeader, ObjectKind } from "../../../core/wire/object.ts";
import type { LinkKey, PortalKey } from "../bytes.ts";
import type { StoredLink } from "../store/access.ts";
import type { ObjectSource, StoredPortal } from "../store/store.ts";
import { IndexSet } from "./index-set.ts";
import type { Lifetime } from "./lifetime.ts";
import { Switchboard } from "./switchboard.ts";
import { Waiters } from "./waiters.ts";

/** Ranges in one state: what fits a frame with room to spare. */
const MAX_PACK_RANGES = 4096;
const MAX_PAGE_RANGES = 1024;

export type Role = "send" | "receive";

/** Somebody who uses the portal right now: a link, or a recent HTTP request. */
export interface Member {
  readonly role: Role;
  /** Under which a sender stores; 0 for a receiver. */
  readonly lease: number;
  /** By which link it came, where it is not the owner's and not a request's. */
  readonly link?: LinkKey;
  /** The portal's state changed. */
  onState?(): void;
  /** To senders: an object that was held is damaged. */
  onLost?(kind: ObjectKind, index: number): void;
  /** The portal ended, or another sender took the lease. */
  onEnd?(reason: Failure): void;
}

/** A verified object that is not durable yet. */
export interface FreshObject {
  readonly header: ObjectHeader;
  /** Opens it for reading. */
  source(): ObjectSource;
  /** Resolves when it is durable. */
  readonly stored: Promise<void>;
}

export class LivePortal {
  readonly key: PortalKey;
  readonly lifetime: Lifetime;
  stored: StoredPortal;
  /** For what its connections tell each other. */
  readonly switchboard = new Switchboard();
  readonly held: Readonly<Record<ObjectKind, IndexSet>>;
  readonly #fresh = new Map<string, FreshObject>();
  readonly #waiters = new Waiters();
  readonly #members = new Set<Member>();
  readonly #followers = new Set<() => void>();
  readonly #writes = new Set<Promise<unknown>>();
  #turn: Promise<unknown> = Promise.resolve();
  #turns = 0;
  readonly #onUse: (portal: LivePortal, role: Role) => void;
  #ended: Failure | undefined;
  #version = Date.now();

  /** @param onUse somebody came or went */
  constructor(
    stored: StoredPortal,
    held: Readonly<Record<ObjectKind, Iterable<number>>>,
    lifetime: Lifetime,
    onUse: (portal: LivePortal, role: Role) => void,
  ) {
    this.key = stored.key;
    this.lifetime = lifetime;
    this.stored = stored;
    this.held = { pack: new IndexSet(held.pack), page: new IndexSet(held.page) };
    this.#onUse = onUse;
  }

  /** Grows with every change that `onState` tells of. */
  get version(): number {
    return this.#version;
  }

  /** Why it ended, or undefined while it has not. */
  get ended(): Failure | undefined {
    return this.#ended;
  }

  /** True while somebody would miss it in memory. */
  get isUsed(): boolean {
    return this.#members.size + this.#followers.size + this.#waiters.size + this.#writes.size + this.#turns > 0;
  }

  get phase(): PortalPhase {
    if (this.#ended !== undefined) return "expired";
    if (this.stored.isPaused) return "paused";
    const isEmpty = this.stored.kind === "send" && this.held.pack.size + this.held.page.size === 0;
    return isEmpty ? "created" : "active";
  }

  /** One of its links, undefined when it was revoked. */
  link(link: LinkKey): StoredLink | undefined {
    return this.stored.links.find((one) => one.link === link);
  }

  state(): PortalState {
    return {
      phase: this.phase,
      heldPacks: this.held.pack.ranges(MAX_PACK_RANGES),
      heldPages: this.held.page.ranges(MAX_PAGE_RANGES),
      commitment: this.stored.commitment,
      senders: this.#count("send"),
      receivers: this.#count("receive"),
      expiresAtMs: this.stored.expiresAtMs,
    };
  }

  /** Gives the function that ends the membership. */
  join(member: Member): () => void {
    this.#members.add(member);
    const leave = this.lifetime.use();
    this.#onUse(this, member.role);
    this.changed();
    return () => {
      if (!this.#members.delete(member)) return;
      leave();
      this.#onUse(this, member.role);
      this.changed();
      // Nobody is left to repeat what was lost: whoever waits for it learns that.
      if (this.stored.commitment !== null && member.role === "send" && !this.hasSender) this.#waiters.wakeAll();
    };
  }

  get hasSender(): boolean {
    return this.#count("send") > 0;
  }

  get hasMembers(): boolean {
    return this.#members.size > 0;
  }

  /** Ends whoever came by this link. */
  endLink(link: LinkKey, reason: Failure): void {
    for (const member of [...this.#members]) if (member.link === link) member.onEnd?.(reason);
  }

  /** Decisions about the lease follow each other. */
  inTurn<T>(decide: () => Promise<T>): Promise<T> {
    this.#turns++;
    const turn = this.#turn.then(decide).finally(() => this.#turns--);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** @throws Failure `portal/lease-lost` for an older lease, `wire/malformed` for one that was never given */
  assertLease(lease: number): void {
    if (lease < this.stored.lease) throw new Failure("portal/lease-lost");
    if (lease > this.stored.lease) throw new Failure("wire/malformed", { what: "lease" });
  }

  /** @throws Failure `portal/closed` for a request, which holds nothing itself */
  assertHolds(): void {
    if (this.stored.kind === "request") throw new Failure("portal/closed", { what: "request" });
  }

  /** Tells the senders of older leases that theirs is lost. */
  endOlderLeases(): void {
    const lost = [...this.#members].filter(({ role, lease }) => role === "send" && lease < this.stored.lease);
    for (const member of lost) member.onEnd?.(new Failure("portal/lease-lost"));
  }

  /** Makes `settled` wait for a write of a sender. */
  trackWrite(write: Promise<unknown>): void {
    this.#writes.add(write);
    const forget = () => void this.#writes.delete(write);
    write.then(forget, forget);
  }

  /** Resolves when every write that began before is stored or refused. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#writes);
  }

  /** Resolves true at the next change, false when the signal aborts first. */
  nextChange(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (changed: boolean) => {
        this.#followers.delete(onChange);
        signal.removeEventListener("abort", onAbort);
        resolve(changed);
      };
      const onChange = () => settle(true);
      const onAbort = () => settle(false);
      if (signal.aborted) return resolve(false);
      this.#followers.add(onChange);
      signal.addEventListener("abort", onAbort);
    });
  }

  /** Tells members and followers that the state is another one. */
  changed(): void {
    this.#version++;
    for (const follower of [...this.#followers]) follower();
    for (const member of [...this.#members]) member.onState?.();
  }

  /** The portal is over for everybody. */
  end(reason: Failure): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.changed();
    this.#waiters.wakeAll();
    for (const member of [...this.#members]) member.onEnd?.(reason);
  }

  fresh(kind: ObjectKind, index: number): FreshObject | undefined {
    return this.#fresh.get(objectKey(kind, index));
  }

  /** A verified object arrived: readers get it at once; it counts as held when it is durable. */
  addFresh(object: FreshObject): void {
    const { kind, index } = object.header;
    const key = objectKey(kind, index);
    this.#fresh.set(key, object);
    this.trackWrite(object.stored);
    object.stored.then(
      () => {
        const before = this.phase;
        this.held[kind].add(index);
        this.#fresh.delete(key);
        if (this.phase !== before) this.changed();
      },
      () => this.#fresh.delete(key),
    );
    this.#waiters.wake(kind, index);
  }

  /** A held object was found damaged: it is held no longer, and senders may store it again. */
  lost(kind: ObjectKind, index: number): void {
    if (!this.held[kind].has(index)) return;
    this.held[kind].delete(index);
    for (const member of [...this.#members]) if (member.role === "send") member.onLost?.(kind, index);
    this.changed();
  }

  /** True when the object can be opened now. */
  has(kind: ObjectKind, index: number): boolean {
    return this.held[kind].has(index) || this.#fresh.has(objectKey(kind, index));
  }

  /** True when it is certain that the object will never come. */
  isBeyond(kind: ObjectKind, index: number): boolean {
    const { commitment } = this.stored;
    return commitment !== null && index >= (kind === "pack" ? commitment.packs : commitment.pages);
  }

  /** True when waiting is in vain: it never existed, or it was lost after the commit and no sender is there to repeat it. */
  willNotCome(kind: ObjectKind, index: number): boolean {
    const wasHeld = this.stored.commitment !== null && !this.held[kind].has(index);
    return this.isBeyond(kind, index) || this.isElsewhere(kind, index) || (wasHeld && !this.hasSender);
  }

  /** True for what others are asked for: a pack that a partial portal, which is committed, does not have. */
  isElsewhere(kind: ObjectKind, index: number): boolean {
    const { isPartial, commitment } = this.stored;
    return isPartial && commitment !== null && kind === "pack" && !this.has(kind, index);
  }

  /** True when it is committed and every pack is held. */
  get isComplete(): boolean {
    const { isPartial, commitment } = this.stored;
    return commitment !== null && (!isPartial || this.held.pack.isPrefix(commitment.packs));
  }

  /** Calls back when the object may be there, or never will; gives the function that stops waiting. */
  whenThere(kind: ObjectKind, index: number, callback: () => void): () => void {
    return this.#waiters.add(kind, index, callback);
  }

  /** The counts are fixed, or the rules are others: whoever waits for an object looks again. */
  reconsider(): void {
    this.changed();
    this.#waiters.wakeAll();
  }

  #count(role: Role): number {
    let count = 0;
    for (const member of this.#members) if (member.role === role) count++;
    return count;
  }
}

function objectKey(kind: ObjectKind, index: number): string {
  return `${kind} ${index}`;
}
