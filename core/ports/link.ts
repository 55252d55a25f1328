/**
 * A link moves sealed objects between a client and one relay. Every carrier serves this one port with the same
 * meaning, so a transfer may move from one link to the next between any two objects.
 *
 * @module
 */
import type { Failure } from "../failure.ts";
import type { Carrier } from "../transfer/snapshot.ts";
import type { Commitment, LinkLimits, PortalState } from "../wire/frame.ts";
import type { ObjectKind, SealedObject } from "../wire/object.ts";

/** A sender's place at a portal; only one sender holds it at a time, over as many connections as it likes. */
export interface LeaseWish {
  /** The lease that is held, or 0 to be given one. */
  readonly lease: number;
  /** Take the lease over from a sender that is connected. */
  readonly takeOver: boolean;
}

/** Who connects, and what for. */
export interface LinkRole {
  readonly portal: Uint8Array<ArrayBuffer>;
  readonly role: "send" | "receive";
  /** u8[32] */
  readonly token: Uint8Array<ArrayBuffer>;
}

/** Told of so many more sealed bytes of an object. */
export type OnBytes = (bytes: number) => void;

/** One connection. All promises reject with a Failure; after `closed` every pending one rejects with its reason. */
export interface Link {
  readonly carrier: Carrier;
  readonly limits: LinkLimits;
  /** The lease under which this link stores; 0 for a receiver. */
  readonly lease: number;
  /** The number of this connection at the portal, by which others there may signal to it; 0 over HTTP, which has no signals. */
  readonly member: number;
  /** The latest state that the relay told. */
  readonly state: PortalState;
  /** Called after each change of `state`. */
  onState(listener: (state: PortalState) => void): void;
  /** Called for each object that the relay held and lost; it may be stored again. */
  onLost(listener: (kind: ObjectKind, index: number) => void): void;
  /**
   * Hands sealed bytes (1 … MAX_SIGNAL_BYTES, borrowed) to another connection of the same portal, or to all with 0. Nothing tells
   * whether they came; a link that cannot signal, or has ended, does nothing.
   */
  signal(to: number, body: Uint8Array): void;
  /** Called for each signal, with the number of the connection that it is from; the body is the listener's. */
  onSignal(listener: (from: number, body: Uint8Array) => void): void;
  /** Stores an object; resolves when the relay has it durably. `object.bytes` is borrowed until then. */
  put(object: SealedObject): Promise<void>;
  /**
   * Asks for one object and waits until it exists. Gives fresh bytes; not verified.
   *
   * @param onBytes is told of its sealed bytes as they come, where the carrier can tell
   */
  get(kind: ObjectKind, index: number, signal?: AbortSignal, onBytes?: OnBytes): Promise<SealedObject>;
  /** The bytes of an object from `get` are not needed any more and may be written over. */
  recycle(object: SealedObject): void;
  /** Fixes counts and root; everything must be stored. Idempotent. */
  commit(commitment: Commitment): Promise<void>;
  /**
   * Takes, or keeps, one of the downloads that the portal still has: packs of a portal that counts come to nobody else.
   * @throws Failure `portal/claimed` while others hold all that are left, `portal/unknown` when none is left
   */
  claim(claim: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Tells that this receiver verified everything; counts once for each claim, u8[16]. */
  complete(claim: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Clock time of the last sign of life from the other end. */
  readonly heardMs: number;
  /** The shortest round trip so far, since what waits on the way is no part of it; null where it is not measured. */
  readonly rttMs: number | null;
  /** Asks for a sign of life now, instead of at the next heartbeat. */
  ping(): void;
  /** Resolves once with the reason when the link ends, also after `close`. */
  readonly closed: Promise<Failure>;
  /** Says good-bye and ends the link. */
  close(): void;
}

/** Connects over one carrier; receivers have no wish. @throws Failure `relay/unreachable` | `portal/…` | `relay/…` */
export type Dial = (carrier: Carrier, signal: AbortSignal, lease: LeaseWish) => Promise<Link>;
