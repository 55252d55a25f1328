/**
 * What client and relay agree on about a portal over `/api/v1`: JSON shapes and limits. Byte strings are base64url
 * without padding.
 *
 * @module
 */
import type { PortalPhase, PortalState } from "../wire/frame.ts";

/** Argon2id parameters that a sender chose for a password; the receiver enforces minimums and maximums. */
export interface PasswordParameters {
  readonly algorithm: "argon2id";
  /** KiB */
  readonly memory: number;
  readonly iterations: number;
  readonly parallelism: number;
}

/** What a link is for: `read` opens the content, `write` puts files into a request, `admin` changes and ends the portal. */
export const CAPABILITIES = ["read", "write", "admin"] as const;
/** What a link is for. */
export type Capability = (typeof CAPABILITIES)[number];

/** `send`: holds content, has read links. `request`: others put files into it through write links. Both have admin links. */
export const PORTAL_KINDS = ["send", "request"] as const;
/** What a portal is for. */
export type PortalKind = (typeof PORTAL_KINDS)[number];

/** A link as its maker describes it to the relay, which learns neither its secret nor its password. */
export interface NewLink {
  /** Public name of the link, u8[16]; derived from its secret. */
  readonly link: string;
  readonly capability: Capability;
  /** SHA-256 of the link's token, u8[32]. */
  readonly tokenHash: string;
  /** Key commitment, u8[32]; who opens the link compares it before anything else. */
  readonly keyCommitment: string;
  /** What the link gives, sealed with its own key (core/portal/grant.ts), 1 … MAX_GRANT_BYTES. */
  readonly grant: string;
  readonly password: PasswordParameters | null;
  /** Completed downloads (`read`) or deliveries (`write`) after which it opens no more; null for no limit, and for `admin`. */
  readonly maxUses: number | null;
  /** It opens in this window only, by the relay's date; milliseconds since 1970, null for no limit. */
  readonly notBeforeMs: number | null;
  readonly expiresAtMs: number | null;
}

/** POST /api/v1/portals. Creating the same portal again with the same body succeeds. */
export interface CreatePortal {
  /** u8[16] */
  readonly portal: string;
  readonly kind: PortalKind;
  /** SHA-256 of the owner token, u8[32]. */
  readonly ownerTokenHash: string;
  readonly expirySeconds: number;
  /** Ends when nobody used it for so long; null for never. */
  readonly idleSeconds: number | null;
  /** Completed downloads over all links after which the portal expires; null for no limit. */
  readonly maxDownloads: number | null;
  readonly links: readonly NewLink[];
  /**
   * Set for a delivery into a request: the request's portal, and this portal's link sealed for whoever asked (core/portal/
   * offer.ts). The request carries the token of a write link.
   */
  readonly delivery: { readonly request: string; readonly offer: string } | null;
  /**
   * It may be committed while packs are missing, which other relays have. Not for requests and deliveries, and only without
   * limits of downloads: what is counted is counted at one relay.
   */
  readonly partial: boolean;
}

/** Its answer. */
export interface CreatedPortal {
  /** Milliseconds since 1970 */
  readonly expiresAtMs: number;
  /** 1 for the sender that created it; 0 when it existed. */
  readonly lease: number;
}

/**
 * GET /api/v1/portals/:portal/links/:link?plain=, with the link's token. `plain=1` says that the token was formed without a
 * password: where one is needed the answer is only that, and it is no guess. An unknown portal or link, one that was
 * revoked, is over, used up, or outside of its window, and a wrong token are one and the same answer, `portal/unknown`.
 */
export interface LinkAccess {
  /** Not null: a token can be formed only with the password. */
  readonly password: PasswordParameters | null;
  /** Null when a password is needed and the token was formed without one. */
  readonly opened: OpenedLink | null;
}

/** What whoever knows the link (and its password) is told. */
export interface OpenedLink {
  readonly capability: Capability;
  readonly kind: PortalKind;
  readonly keyCommitment: string;
  readonly grant: string;
  /** True when downloads are counted: packs come only to a receiver that holds a claim. */
  readonly isLimited: boolean;
  /** Milliseconds since 1970: the earlier of the portal's and the link's own end. */
  readonly expiresAtMs: number;
}

/** PATCH /api/v1/portals/:portal, by owner or admin: what is given changes, the rest stays. Answered with PortalDetails. */
export interface PortalChange {
  /** From now on. */
  readonly expirySeconds?: number;
  readonly idleSeconds?: number | null;
  readonly maxDownloads?: number | null;
  readonly paused?: boolean;
  /** By the owner only: its token from now on; the one before is worth nothing. */
  readonly ownerTokenHash?: string;
}

/** Why a portal ended. */
export const END_REASONS = ["time", "downloads", "idle", "owner", "removed"] as const;
/** Why a portal ended; `removed` by whoever runs the relay. */
export type EndReason = (typeof END_REASONS)[number];

/** GET /api/v1/portals/:portal/details, by owner or admin. Times are the relay's, milliseconds since 1970. */
export interface PortalDetails {
  readonly portal: string;
  readonly kind: PortalKind;
  readonly phase: PortalPhase;
  /** Null while it has not ended. */
  readonly endReason: EndReason | null;
  /** The relay's date, to tell its times from this machine's. */
  readonly nowMs: number;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly usedAtMs: number;
  readonly idleSeconds: number | null;
  readonly maxDownloads: number | null;
  readonly downloads: number;
  /** Downloads that hold a claim right now. */
  readonly claims: number;
  /** Sealed bytes that the relay holds. */
  readonly bytes: number;
  /** It is committed, and every pack is held. */
  readonly isComplete: boolean;
  readonly senders: number;
  readonly receivers: number;
  readonly links: readonly LinkDetails[];
}

/** One link of a portal, as its owner sees it. */
export interface LinkDetails {
  readonly link: string;
  readonly capability: Capability;
  readonly hasPassword: boolean;
  readonly uses: number;
  readonly maxUses: number | null;
  readonly notBeforeMs: number | null;
  readonly expiresAtMs: number | null;
  readonly createdAtMs: number;
}

/** GET /api/v1/portals/:portal/deliveries, by owner or admin of a request. */
export interface Deliveries {
  readonly deliveries: readonly Delivery[];
}

/** A portal that somebody made for a request. */
export interface Delivery {
  readonly portal: string;
  /** Its link, sealed for whoever asked. */
  readonly offer: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly bytes: number;
  readonly isComplete: boolean;
}

/** POST /api/v1/portals/:portal/claims and …/downloads, by a receiver: one download, the same id for all its attempts. */
export interface Claim {
  /** u8[16], random */
  readonly claim: string;
}

/** GET /api/v1/portals/:portal, as JSON: `commitment.root` is base64url. */
export type PortalStateJson = Omit<PortalState, "commitment"> & {
  readonly commitment: { readonly packs: number; readonly pages: number; readonly root: string } | null;
  /** Grows with every change; `?after=<version>&wait=<seconds>` waits for a later one. */
  readonly version: number;
};

/** How packs are spread over several relays: each at one of them, or all at all of them. */
export const RELAYS_MODES = ["striped", "replicated"] as const;
/** How packs are spread over several relays. */
export type RelaysMode = (typeof RELAYS_MODES)[number];

/** GET /api/v1/relay */
export interface RelayInfo {
  readonly version: number;
  readonly name: string;
  /** Where WebTransport listens, or null with the reason. */
  readonly webtransport: {
    readonly url: string;
    /** SHA-256 of certificates to pin, base64; empty when the certificate is from a public authority. */
    readonly certificateHashes: readonly string[];
    /** Milliseconds since 1970 */
    readonly certificateExpiresAtMs: number;
  } | null;
  readonly webtransportReason: string | null;
  readonly limits: {
    readonly maxPortalBytes: number;
    readonly maxExpirySeconds: number;
    readonly defaultExpirySeconds: number;
  };
  /** What creating a portal takes. */
  readonly creation: {
    /** Header `Warp-Invite` is needed. */
    readonly invite: boolean;
    /** Zero bits that the stamp of header `Warp-Work` needs (core/portal/work.ts); 0 for none. */
    readonly workBits: number;
  };
  /** Further relays on which portals of this one may live too. */
  readonly relays: {
    /** As browsers write them; at most MAX_FURTHER_RELAYS, none twice, not this one's. */
    readonly origins: readonly string[];
    readonly mode: RelaysMode;
  };
}

/** Body of every failed API answer. */
export interface ApiError {
  readonly code: string;
  readonly details: Readonly<Record<string, string | number | boolean>>;
}

/** Shortest life of a portal, and shortest idle time, seconds. */
export const MIN_EXPIRY_SECONDS = 60;
/** Largest limit of completed downloads. */
export const MAX_DOWNLOADS = 1_000_000;
/** Links that one portal may have at a time. */
export const MAX_LINKS = 64;
/** Bytes of a sealed grant. */
export const MAX_GRANT_BYTES = 1024;
/** Bytes of a sealed offer. */
export const MAX_OFFER_BYTES = 256;
/** Relays on which a portal may live, beside the one that serves the page. */
export const MAX_FURTHER_RELAYS = 7;
/** Path of the link endpoint: WebTransport session and WebSocket. */
export const LINK_ROUTE = "/api/v1/link";

/** Header of every answer of a relay, its protocol version: what answers without it is something else on the way. */
export const RELAY_HEADER = "Warp-Relay";
/** Header of a PUT or GET of an object: the hash of its sealed bytes, u8[32]. */
export const HASH_HEADER = "Warp-Hash";
/** The one way to write it. */
export const HASH_PATTERN = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/** Header of a PUT of an object, and of a commit: the lease under which it is done, in decimal. */
export const LEASE_HEADER = "Warp-Lease";
/** Header of a GET of a pack from a portal whose downloads are counted: the claim, u8[16]. */
export const CLAIM_HEADER = "Warp-Claim";
/** Header of the creation of a portal: the invitation of a relay that asks for one. */
export const INVITE_HEADER = "Warp-Invite";
/** Header of the creation of a portal: the stamp of a relay that asks for work. */
export const WORK_HEADER = "Warp-Work";

/** POST /api/v1/portals/:portal/lease, answered: the lease that the sender holds from now on. */
export interface GivenLease {
  readonly lease: number;
}
