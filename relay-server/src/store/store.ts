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
   * @throws Failure `relay/full` | `relay/storage` | `portal/full` | `portal/expired`; nothing is stored then
   */
  store(): Promise<void>;
  discard(): Promise<void>;
}

export interface FoundObject {
  readonly header: ObjectHeader;
  /** True when its bytes were found not to have its hash. */
  readonly corrupt: boolean;
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
  /** Reserves room and begins an object. @throws Failure `portal/full` | `relay/full` | `relay/storage` */
  receive(key: PortalKey, header: ObjectHeader): Promise<IncomingObject>;
  /**
   * Opens a held object and verifies all of it before giving it.
   * @throws Failure `object/absent` | `object/corrupt` | `relay/storage`
   */
  open(key: PortalKey, kind: ObjectKind, index: number): Promise<ObjectSource>;
  commitPortal(key: PortalKey, commitment: Commitment): Promise<void>;
  /** Counts a claim (u8[16]) once; gives the number of claims. */
  countDownload(key: PortalKey, claim: Uint8Array): Promise<number>;
  /** Removes all objects and leaves a tombstone. Idempotent. */
  endPortal(key: PortalKey, endedAtMs: number): Promise<void>;
  /** Portals that have not ended and whose time is over. */
  overdue(nowMs: number): Promise<readonly PortalKey[]>;
  /** Forgets tombstones older than this. */
  forgetEnded(beforeMs: number): Promise<void>;
  usage(): StoreUsage;
  /** Writes something durable. @throws Failure `relay/full` | `relay/storage` */
  probe(): Promise<void>;
  /** Finishes what was begun and closes. */
  close(): Promise<void>;
}
