/**
 * The shapes of `/api/v1`: each schema checks requests and writes the OpenAPI document, and is held against the type
 * that clients use.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import { FAILURES, type FailureCode } from "../../../core/failure.ts";
import {
  type ApiError,
  CAPABILITIES,
  type Claim,
  type CreatePortal,
  type Delivery,
  END_REASONS,
  type GivenLease,
  LEASE_HEADER,
  type LinkAccess,
  type LinkDetails,
  MAX_DOWNLOADS,
  MAX_GRANT_BYTES,
  MAX_LINKS,
  MAX_OFFER_BYTES,
  MIN_EXPIRY_SECONDS,
  type NewLink,
  type PasswordParameters,
  PORTAL_KINDS,
  type PortalStateJson,
  RELAYS_MODES,
  type RelayInfo,
} from "../../../core/portal/portal.ts";
import { MAX_PACKS, MAX_PAGES } from "../../../core/units.ts";
import { PORTAL_PHASES } from "../../../core/wire/frame.ts";

/** Longest long poll, seconds; below the time-outs of common proxies. */
export const MAX_WAIT_SECONDS = 25;

/** Bytes as base64url without padding. */
function bytes(length: number, what: string) {
  const characters = Math.ceil((length * 8) / 6);
  return z
    .string()
    .regex(new RegExp(`^[A-Za-z0-9_-]{${characters}}$`))
    .openapi({ description: `${what}: ${length} bytes as base64url`, example: "A".repeat(characters) });
}

const portalId = bytes(16, "Portal");
const root = bytes(32, "Merkle root over the sealed packs' hashes");

const password = z
  .strictObject({
    algorithm: z.literal("argon2id"),
    memory: z.int().min(8).max(4_194_304).openapi({ description: "KiB" }),
    iterations: z.int().min(1).max(1000),
    parallelism: z.int().min(1).max(64),
  })
  .openapi("PasswordParameters") satisfies z.ZodType<PasswordParameters>;

/** Bytes of any length up to a limit, as base64url. */
function boundedBytes(max: number, what: string) {
  return z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/)
    .max(Math.ceil((max * 8) / 6))
    .openapi({ description: `${what}: up to ${max} bytes as base64url`, example: "AAAA" });
}

const linkId = bytes(16, "Public name of a link");
const time = z.int().min(0).openapi({ description: "Milliseconds since 1970" });
const expirySeconds = z.int().min(MIN_EXPIRY_SECONDS).max(1_000_000_000);
const idleSeconds = z.int().min(MIN_EXPIRY_SECONDS).max(1_000_000_000).nullable();
const maxDownloads = z.int().min(1).max(MAX_DOWNLOADS).nullable();
const keyCommitment = bytes(32, "Key commitment");
const grant = boundedBytes(MAX_GRANT_BYTES, "What the link gives, sealed");
const ownerTokenHash = bytes(32, "SHA-256 of the owner token");

export const newLinkSchema = z
  .strictObject({
    link: linkId,
    capability: z.enum(CAPABILITIES),
    tokenHash: bytes(32, "SHA-256 of the link's token"),
    keyCommitment,
    grant,
    password: password.nullable(),
    maxUses: maxDownloads,
    notBeforeMs: time.nullable(),
    expiresAtMs: time.nullable(),
  })
  .openapi("NewLink") satisfies z.ZodType<NewLink>;

export const createSchema = z
  .strictObject({
    portal: portalId,
    kind: z.enum(PORTAL_KINDS),
    ownerTokenHash,
    expirySeconds,
    idleSeconds,
    maxDownloads,
    links: z.array(newLinkSchema).max(MAX_LINKS),
    delivery: z
      .strictObject({ request: portalId, offer: boundedBytes(MAX_OFFER_BYTES, "The link, sealed for whoever asked") })
      .nullable(),
    partial: z.boolean().openapi({ description: "It may be committed while packs are missing" }),
  })
  .openapi("CreatePortal") satisfies z.ZodType<CreatePortal>;

export const changeSchema = z
  .strictObject({
    expirySeconds: expirySeconds.optional(),
    idleSeconds: idleSeconds.optional(),
    maxDownloads: maxDownloads.optional(),
    paused: z.boolean().optional(),
    ownerTokenHash: ownerTokenHash.optional(),
  })
  .openapi("PortalChange");

export const createdSchema = z
  .object({
    expiresAtMs: z.int().openapi({ description: "Milliseconds since 1970" }),
    lease: z.int().openapi({ description: "1 for the sender that created it; 0 when it existed: ask for a lease" }),
  })
  .openapi("CreatedPortal");

export const leaseSchema = z
  .strictObject({ takeOver: z.boolean().openapi({ description: "Also from a sender that is there" }) })
  .openapi("LeaseRequest");

export const givenLeaseSchema = z
  .object({ lease: z.int().openapi({ description: `For the header \`${LEASE_HEADER}\`` }) })
  .openapi("GivenLease") satisfies z.ZodType<GivenLease>;

export const linkAccessSchema = z
  .object({
    password: password.nullable(),
    opened: z
      .object({
        capability: z.enum(CAPABILITIES),
        kind: z.enum(PORTAL_KINDS),
        keyCommitment,
        grant,
        isLimited: z.boolean().openapi({ description: "Packs come only under a claim" }),
        expiresAtMs: time,
      })
      .nullable()
      .openapi({ description: "Null when a password is needed and the token was formed without one" }),
  })
  .openapi("LinkAccess") satisfies z.ZodType<LinkAccess>;

const linkDetailsSchema = z
  .object({
    link: linkId,
    capability: z.enum(CAPABILITIES),
    hasPassword: z.boolean(),
    uses: z.int(),
    maxUses: maxDownloads,
    notBeforeMs: time.nullable(),
    expiresAtMs: time.nullable(),
    createdAtMs: time,
  })
  .openapi("LinkDetails") satisfies z.ZodType<LinkDetails>;

export const detailsSchema = z
  .object({
    portal: portalId,
    kind: z.enum(PORTAL_KINDS),
    phase: z.enum(PORTAL_PHASES),
    endReason: z.enum(END_REASONS).nullable(),
    nowMs: time,
    createdAtMs: time,
    expiresAtMs: time,
    usedAtMs: time,
    idleSeconds,
    maxDownloads,
    downloads: z.int(),
    claims: z.int().openapi({ description: "Downloads that are running" }),
    bytes: z.int().openapi({ description: "Sealed bytes that the relay holds" }),
    isComplete: z.boolean().openapi({ description: "It is committed, and every pack is held" }),
    senders: z.int(),
    receivers: z.int(),
    links: z.array(linkDetailsSchema),
  })
  .openapi("PortalDetails");

export const deliveriesSchema = z
  .object({
    deliveries: z.array(
      z
        .object({
          portal: portalId,
          offer: boundedBytes(MAX_OFFER_BYTES, "Its link, sealed for whoever asked"),
          createdAtMs: time,
          expiresAtMs: time,
          bytes: z.int(),
          isComplete: z.boolean(),
        })
        .openapi("Delivery") satisfies z.ZodType<Delivery>,
    ),
  })
  .openapi("Deliveries");

export const commitmentSchema = z
  .strictObject({ packs: z.int().min(0).max(MAX_PACKS), pages: z.int().min(1).max(MAX_PAGES), root })
  .openapi("Commitment");

const ranges = z.array(z.int()).openapi({ description: "Flat ascending pairs [from, to)", example: [0, 3] });

export const stateSchema = z
  .object({
    phase: z.enum(PORTAL_PHASES),
    heldPacks: ranges,
    heldPages: ranges,
    commitment: commitmentSchema.nullable(),
    senders: z.int(),
    receivers: z.int(),
    expiresAtMs: z.int(),
    version: z.int().openapi({ description: "Grows when anything but the held ranges changes" }),
  })
  .openapi("PortalState") satisfies z.ZodType<PortalStateJson>;

const claim = bytes(16, "Random, the same for every attempt of one download");
export const claimSchema = z.strictObject({ claim }).openapi("Claim") satisfies z.ZodType<Claim>;

export const relaySchema = z
  .object({
    version: z.int(),
    name: z.string(),
    webtransport: z
      .object({
        url: z.string(),
        certificateHashes: z.array(z.string()).openapi({ description: "SHA-256 of certificates to pin, base64" }),
        certificateExpiresAtMs: z.int(),
      })
      .nullable(),
    webtransportReason: z.string().nullable(),
    limits: z.object({
      maxPortalBytes: z.int(),
      maxExpirySeconds: z.int(),
      defaultExpirySeconds: z.int(),
    }),
    creation: z.object({
      invite: z.boolean().openapi({ description: "Header `Warp-Invite` is needed" }),
      workBits: z.int().openapi({ description: "Zero bits that the stamp of header `Warp-Work` needs" }),
    }),
    relays: z.object({
      origins: z.array(z.string()).openapi({ description: "Further relays on which portals may live" }),
      mode: z.enum(RELAYS_MODES).openapi({ description: "Each pack at one of the relays, or at all of them" }),
    }),
  })
  .openapi("RelayInfo") satisfies z.ZodType<RelayInfo>;

export const errorSchema = z
  .object({
    code: z.enum(Object.keys(FAILURES) as [FailureCode, ...FailureCode[]]),
    details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  })
  .openapi("ApiError") satisfies z.ZodType<ApiError>;

export const portalParams = z.object({ portal: portalId });
export const linkParams = z.object({ portal: portalId, link: linkId });
export const claimParams = z.object({ portal: portalId, claim });
export const plainQuery = z.object({
  plain: z.literal("1").optional().openapi({ description: "The token was formed without a password" }),
});
const index = z.coerce.number().pipe(
  z
    .int()
    .min(0)
    .max(MAX_PACKS - 1),
);
export const objectParams = z.object({ portal: portalId, index });

const wait = z.coerce.number().pipe(z.int().min(0).max(MAX_WAIT_SECONDS)).default(0);
export const waitQuery = z.object({ wait });
export const stateQuery = z.object({ wait, after: z.coerce.number().pipe(z.int()).optional() });
export const finalQuery = z.object({ final: z.enum(["0", "1"]).default("0") });
