/**
 * The store port: portals and their sealed objects, durable. What it acknowledged survives the death of the process at
 * any instruction. One conformance suite (tests/contract/store.ts) holds for every implementation.
 *
 * @module
 */
import type { PasswordParameters } from "../../../core/portal/portal.ts";
import type { Commitment } from "../../../core/wire/frame.ts";
import type { ObjectHeader, ObjectKind } from "../../../core/wire/object.ts";
import type { PortalKey } from "../bytes.ts";

export interface NewPortal {
  readonly key: PortalKey;
  /** u8[32] each; the tokens themselves are never stored. */
  readonly keyCommitment: Uint8Array<ArrayBuffer>;
  readonly readTokenHash: Uint8Array<ArrayBuffer>;
  readonly ownerTokenHash: Uint8Array<ArrayBuffer>;
  readonly password: PasswordParameters | null;
  readonly maxDownloads: number | null;
  readonly expirySeconds: number;
  /** Milliseconds since 1970 */
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

export interface StoredPortal extends NewPortal {
  readonly downloads: number;
  /** Bytes of its objects */
  readonly bytes: number;
  /** Which sender may store: the one that was given this number, from 1. */
  readonly lease: number;
  readonly commitment: Commitment | null;
  /** When it expired or was deleted; its objects are gone then. */
  readonly endedAtMs: number | null;
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

export interface Store {
  /** @throws Failure `portal/taken` when the id exists with other values, `portal/expired` when it ended, `relay/full` */
  createPortal(portal: NewPortal): Promise<{ readonly created: boolean; readonly portal: StoredPortal }>;
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
  /** Counts a claim (u8[16]) once; gives the number of claims. */
  countDownload(key: PortalKey, claim: Uint8Array): Promise<number>;
  /** Removes all objects and leaves a tombstone. Idempotent. */
  endPortal(key: PortalKey, endedAtMs: number): Promise<void>;
  /** Portals that have not ended and whose time is over. */
  overdue(nowMs: number): Promise<readonly PortalKey[]>;
  /**
   * At the start: portals made after this date were made under a clock that was ahead, and has been set back since. Their
   * time begins now, so that none lives more than twice as long as it was meant to.
   */
  settleDates(nowMs: number): Promise<void>;
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
