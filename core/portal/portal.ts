/**
 * What client and relay agree on about a portal over `/api/v1`: JSON shapes and limits. Byte strings are base64url
 * without padding.
 *
 * @module
 */
import type { PortalState } from "../wire/frame.ts";

/** Argon2id parameters that a sender chose for a password; the receiver enforces minimums and maximums. */
export interface PasswordParameters {
  readonly algorithm: "argon2id";
  /** KiB */
  readonly memory: number;
  readonly iterations: number;
  readonly parallelism: number;
}

/** POST /api/v1/portals. Creating the same portal again with the same body succeeds. */
export interface CreatePortal {
  /** u8[16] */
  readonly portal: string;
  /** Key commitment, u8[32]; a receiver compares it before anything else. */
  readonly keyCommitment: string;
  readonly password: PasswordParameters | null;
  /** SHA-256 of the read token and of the owner token, u8[32] each. */
  readonly readTokenHash: string;
  readonly ownerTokenHash: string;
  readonly expirySeconds: number;
  /** Completed downloads after which the portal expires; null for no limit. */
  readonly maxDownloads: number | null;
}

/** GET /api/v1/portals/:portal/access: what a receiver needs before it can form a token. Public to whoever knows the id. */
export interface PortalAccess {
  readonly portal: string;
  readonly keyCommitment: string;
  readonly password: PasswordParameters | null;
}

/** GET /api/v1/portals/:portal, as JSON: `commitment.root` is base64url. */
export type PortalStateJson = Omit<PortalState, "commitment"> & {
  readonly commitment: { readonly packs: number; readonly pages: number; readonly root: string } | null;
  /** Grows with every change; `?after=<version>&wait=<seconds>` waits for a later one. */
  readonly version: number;
};

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
}

/** Body of every failed API answer. */
export interface ApiError {
  readonly code: string;
  readonly details: Readonly<Record<string, string | number | boolean>>;
}

/** Shortest life of a portal, seconds. */
export const MIN_EXPIRY_SECONDS = 60;
/** Largest limit of completed downloads. */
export const MAX_DOWNLOADS = 1_000_000;
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

/** POST /api/v1/portals/:portal/lease, answered: the lease that the sender holds from now on. */
export interface GivenLease {
  readonly lease: number;
}
