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
  type CreatePortal,
  type GivenLease,
  LEASE_HEADER,
  MAX_DOWNLOADS,
  MIN_EXPIRY_SECONDS,
  type PasswordParameters,
  type PortalAccess,
  type PortalStateJson,
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

export const passwordSchema = z
  .strictObject({
    algorithm: z.literal("argon2id"),
    memory: z.int().min(8).max(4_194_304).openapi({ description: "KiB" }),
    iterations: z.int().min(1).max(1000),
    parallelism: z.int().min(1).max(64),
  })
  .openapi("PasswordParameters") satisfies z.ZodType<PasswordParameters>;

export const createSchema = z
  .strictObject({
    portal: portalId,
    keyCommitment: bytes(32, "Key commitment"),
    password: passwordSchema.nullable(),
    readTokenHash: bytes(32, "SHA-256 of the read token"),
    ownerTokenHash: bytes(32, "SHA-256 of the owner token"),
    expirySeconds: z.int().min(MIN_EXPIRY_SECONDS).max(1_000_000_000),
    maxDownloads: z.int().min(1).max(MAX_DOWNLOADS).nullable(),
  })
  .openapi("CreatePortal") satisfies z.ZodType<CreatePortal>;

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

export const accessSchema = z
  .object({ portal: portalId, keyCommitment: bytes(32, "Key commitment"), password: passwordSchema.nullable() })
  .openapi("PortalAccess") satisfies z.ZodType<PortalAccess>;

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

export const downloadSchema = z
  .strictObject({ claim: bytes(16, "Random, the same for every attempt of one download") })
  .openapi("CompletedDownload");

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
  })
  .openapi("RelayInfo") satisfies z.ZodType<RelayInfo>;

export const errorSchema = z
  .object({
    code: z.enum(Object.keys(FAILURES) as [FailureCode, ...FailureCode[]]),
    details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  })
  .openapi("ApiError") satisfies z.ZodType<ApiError>;

export const portalParams = z.object({ portal: portalId });
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
