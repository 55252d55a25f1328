/**
 * The store port: portals and their sealed objects, durable. What it acknowledged survives the death of the process at
 * any instruction. One conformance suite (tests/contract/store.ts) holds for every implementation.
 *
 * @module
 */
import type { EndReason, PortalKind } from "../../../core/portal/portal.ts";
import type { Commitment } from "../../../core/wire/frame.ts";
import type { ObjectHeader, ObjectKind } from "../../../core/wire/object.ts";
import type { LinkKey, PortalKey } from "../bytes.ts";
import type { VaultStore } from "../vault/vault-store.ts";
import type { AccessStore, LinkEntry, StoredLink } from "./access.ts";

type Bytes = Uint8Array<ArrayBuffer>;

export interface NewPortal {
  readonly key: PortalKey;
  readonly kind: PortalKind;
  /** SHA-256 of what it is created with: the same again is no conflict. */
  readonly requestHash: Bytes;
  /** u8[32]; the token itself is never stored. */
  readonly ownerTokenHash: Bytes;
  readonly maxDownloads: number | null;
  readonly expirySeconds: number;
  readonly idleSeconds: number | null;
  /** Milliseconds since 1970 */
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly links: readonly LinkEntry[];
  /** It may be committed while packs are missing, which other relays have. */
  readonly isPartial: boolean;
  /** The request it is for, by which of its links, and its own link sealed for whoever asked. */
  readonly delivery: { readonly request: PortalKey; readonly link: LinkKey; readonly offer: Bytes } | null;
}

export interface StoredPortal extends Omit<NewPortal, "links"> {
  readonly links: readonly StoredLink[];
  readonly usedAtMs: number;
  readonly isPaused: boolean;
  readonly downloads: number;
  /** Bytes of its objects */
  readonly bytes: number;
  /** Which sender may store: the one that was given this number, from 1. */
  readonly lease: number;
  readonly commitment: Commitment | null;
  /** When it ended, and why; its objects are gone then. */
  readonly endedAtMs: number | null;
  readonly endReason: EndReason | null;
}

/** A readable object. */
export interface ObjectSource {
  readonly header: ObjectHeader;
  /** Fills every view, one after the other, with the bytes from `position` on. Views are borrowed until it resolves. */
  read(views: readonly Uint8Array[], position: number): Promise<void>;
  /** Ends the use; called exactly once. */
  close(): void;
}

/** An object on its way in. Exactly one of `store` and `discard` ends it. */
export interface IncomingObject {
  /** Appends; the slices are borrowed until it resolves. Calls follow each other. @throws Failure `relay/…` */
  append(slices: readonly Uint8Array[]): Promise<void>;
  /** Everything was appended and its hash is right: readable from now on, before it is durable. */
  source(): ObjectSource;
  /**
   * Resolves when the object is durable and listed.
   * @throws Failure `relay/full` | `relay/storage` | `portal/full` | `portal/expired` | `portal/lease-lost`; nothing is
   * stored then
   */
  store(): Promise<void>;
  discard(): Promise<void>;
}

export interface FoundObject {
  readonly header: ObjectHeader;
  /** True when its bytes were found not to have its hash. */
  readonly corrupt: boolean;
}

/** A stored object at its place in the order in which a scrubber walks. */
export interface PlacedObject {
  /** From 1; a new object comes behind all others. */
  readonly place: number;
  readonly key: PortalKey;
  readonly kind: ObjectKind;
  readonly index: number;
  readonly length: number;
}

/** Where a scrubber goes on, and where the last object is now; places. */
export interface ScrubRange {
  readonly from: number;
  readonly to: number;
}

export interface StoreUsage {
  readonly portals: number;
  readonly bytes: number;
}

/** Invitations that an operator gave out; the store has the hashes of their codes, u8[32]. */
export interface InviteStore {
  /** @throws Failure `relay/full` | `relay/storage` */
  add(codeHash: Bytes, uses: number, expiresAtMs: number): Promise<void>;
  /** Forgets what is used up or over. */
  forget(nowMs: number): Promise<void>;
}

export interface Store {
  readonly access: AccessStore;
  readonly vaults: VaultStore;
  readonly invites: InviteStore;
  /**
   * A delivery takes a use of its write link in the same transaction.
   * @throws Failure `portal/taken` when the id exists with other values, `portal/expired` when it ended, `relay/full`,
   * `portal/unknown` when the request takes no delivery through this link, `portal/full` when it has too many, `relay/invite`
   * @param invite the hash of the invitation that a new portal uses up in the same transaction, where one is needed
   */
  createPortal(
    portal: NewPortal,
    invite?: Bytes | null,
  ): Promise<{ readonly created: boolean; readonly portal: StoredPortal }>;
  loadPortal(key: PortalKey): Promise<StoredPortal | undefined>;
  /** Indexes of held objects, ascending. */
  heldIndexes(key: PortalKey, kind: ObjectKind): Promise<readonly number[]>;
  /** What is held at an index. A corrupt object is not among the held indexes; the same bytes may replace it. */
  find(key: PortalKey, kind: ObjectKind, index: number): Promise<FoundObject | undefined>;
  /** Hashes of all held packs by index. */
  packHashes(key: PortalKey): Iterable<Uint8Array<ArrayBuffer>>;
  /**
   * Reserves room and begins an object that is stored only if the lease is still the portal's then.
   * @throws Failure `portal/full` | `portal/expired` | `relay/full` | `relay/storage`
   */
  receive(key: PortalKey, header: ObjectHeader, lease: number): Promise<IncomingObject>;
  /**
   * Opens a held object and verifies all of it before giving it.
   * @throws Failure `object/absent` | `object/corrupt` | `relay/storage`
   */
  open(key: PortalKey, kind: ObjectKind, index: number): Promise<ObjectSource>;
  /** @throws Failure `portal/lease-lost` | `portal/expired`; nothing is committed then */
  commitPortal(key: PortalKey, commitment: Commitment, lease: number): Promise<void>;
  /** Compare and set: makes `lease` the portal's if the one before it was. @throws Failure like `commitPortal` */
  takeLease(key: PortalKey, lease: number): Promise<void>;
  /**
   * Removes all objects and leaves a tombstone; a delivery that was not committed gives its use of the write link back.
   * Idempotent: the first reason stays.
   */
  endPortal(key: PortalKey, endedAtMs: number, reason: EndReason): Promise<void>;
  /** Portals that have not ended and whose time is over, or whose idle time was over at `idleMs`. */
  overdue(nowMs: number, idleMs: number): Promise<readonly PortalKey[]>;
  /**
   * At the start: what was written after this date was written under a clock that was ahead, and has been set back since. Its
   * time begins now, so that no portal lives more than twice as long as it was meant to, and no claim.
   * @param claimUntilMs the latest end that a claim can have now
   */
  settleDates(nowMs: number, claimUntilMs: number): Promise<void>;
  /** Forgets tombstones older than this, and removes what is left of any portal that ended. */
  forgetEnded(beforeMs: number): Promise<void>;
  usage(): StoreUsage;
  /** Objects that are not known as damaged, behind one place and up to another, at most `limit`, in order. */
  objectsAfter(from: number, to: number, limit: number): Promise<readonly PlacedObject[]>;
  scrubRange(): Promise<ScrubRange>;
  /** Remembers where a scrubber stands. */
  saveScrubPlace(place: number): Promise<void>;
  /** Writes something durable. @throws Failure `relay/full` | `relay/storage` */
  probe(): Promise<void>;
  /** Finishes what was begun and closes. */
  close(): Promise<void>;
}
