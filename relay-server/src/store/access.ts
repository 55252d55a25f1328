/**
 * The half of the store port that decides who may do what, and how often: links, claims, rules, deliveries. Every change that
 * a limit allows or forbids is one transaction, so that parallel requests never pass it.
 *
 * @module
 */
import type { Capability, EndReason, PasswordParameters } from "../../../core/portal/portal.ts";
import type { LinkKey, PortalKey } from "../bytes.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A link as it is made; neither its token nor its secret. Times are milliseconds since 1970. */
export interface LinkEntry {
  readonly link: LinkKey;
  readonly capability: Capability;
  /** u8[32] each */
  readonly tokenHash: Bytes;
  readonly keyCommitment: Bytes;
  /** Sealed; the relay cannot open it. */
  readonly grant: Bytes;
  readonly password: PasswordParameters | null;
  readonly maxUses: number | null;
  readonly notBeforeMs: number | null;
  readonly expiresAtMs: number | null;
}

export interface StoredLink extends LinkEntry {
  /** Completed downloads, or deliveries that were made and not given back. */
  readonly uses: number;
  readonly createdAtMs: number;
}

/** What an owner may change later; what is absent stays. */
export interface RulesChange {
  readonly expiry?: { readonly seconds: number; readonly expiresAtMs: number };
  readonly idleSeconds?: number | null;
  readonly maxDownloads?: number | null;
  readonly isPaused?: boolean;
  readonly ownerTokenHash?: Bytes;
}

/** A portal that was made for a request and has not ended. */
export interface StoredDelivery {
  readonly key: PortalKey;
  readonly offer: Bytes;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly bytes: number;
  readonly isComplete: boolean;
}

/** One download: by which link of which portal; `claim` is u8[16]. */
export interface DownloadKey {
  readonly key: PortalKey;
  readonly link: LinkKey;
  readonly claim: Uint8Array;
}

export interface AccessStore {
  /**
   * The same link again changes nothing.
   * @throws Failure `portal/expired` | `portal/taken` when the name exists with other values | `portal/full`
   */
  addLink(key: PortalKey, link: LinkEntry, nowMs: number): Promise<void>;
  /** Removes a link and its claims; what was completed through it stays counted. Idempotent. */
  removeLink(key: PortalKey, link: LinkKey): Promise<void>;
  /** A limit that is reached already ends the portal. @throws Failure `portal/expired` */
  changeRules(key: PortalKey, change: RulesChange, nowMs: number): Promise<void>;
  /**
   * Takes one of the downloads that are left, until `untilMs`, or keeps it for longer; nothing where none is limited.
   * @throws Failure `portal/claimed` | `portal/unknown` when none is left or the link is gone | `portal/expired`
   */
  takeClaim(download: DownloadKey, nowMs: number, untilMs: number): Promise<void>;
  /** Keeps a claim that has not lapsed. */
  renewClaim(download: DownloadKey, nowMs: number, untilMs: number): Promise<void>;
  /** Gives a claim back. Idempotent. */
  releaseClaim(download: DownloadKey): Promise<void>;
  /** Until when a claim holds, `completed`, or undefined when there is none. */
  findClaim(download: DownloadKey): Promise<number | "completed" | undefined>;
  /** Claims that hold now. */
  countClaims(key: PortalKey, nowMs: number): Promise<number>;
  /**
   * Counts a completed download, once for each claim; the last one that is allowed ends the portal.
   * @throws Failure like `takeClaim`
   */
  completeDownload(download: DownloadKey, nowMs: number): Promise<void>;
  /** Remembers that a portal was used. */
  touch(key: PortalKey, nowMs: number): Promise<void>;
  /** Oldest first. */
  deliveriesOf(request: PortalKey): Promise<readonly StoredDelivery[]>;
  /** Deliveries that are not committed and that nobody has brought anything since. */
  abandonedDeliveries(beforeMs: number): Promise<readonly PortalKey[]>;
  /** Deliveries that live although their request has ended, with the reason of its end. */
  orphanedDeliveries(): Promise<readonly { readonly key: PortalKey; readonly reason: EndReason }[]>;
}
