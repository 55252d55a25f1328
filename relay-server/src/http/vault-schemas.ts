/**
 * The shapes of `/api/v1/vaults` and `/api/v1/operator`, held against the types that clients use.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import { MIN_EXPIRY_SECONDS } from "../../../core/portal/portal.ts";
import {
  type ChangedVaultEntry,
  type CreateVault,
  MAX_DEVICE_NAME_BYTES,
  MAX_VAULT_ENTRY_BYTES,
  type NewDevice,
  type PutVaultEntry,
  type VaultDevices,
  type VaultEntries,
} from "../../../core/portal/vault.ts";

const charactersOf = (bytes: number) => Math.ceil((bytes * 8) / 6);

/** Bytes as base64url without padding. */
function bytes(length: number, what: string) {
  const characters = charactersOf(length);
  return z
    .string()
    .regex(new RegExp(`^[A-Za-z0-9_-]{${characters}}$`))
    .openapi({ description: `${what}: ${length} bytes as base64url`, example: "A".repeat(characters) });
}

function upToBytes(most: number, what: string) {
  return z
    .string()
    .regex(new RegExp(`^[A-Za-z0-9_-]{2,${charactersOf(most)}}$`))
    .openapi({ description: `${what}: 1 to ${most} bytes as base64url` });
}

export const newDeviceSchema = z
  .strictObject({
    device: bytes(16, "Device, random"),
    tokenHash: bytes(32, "SHA-256 of the device's token"),
    name: upToBytes(MAX_DEVICE_NAME_BYTES, "Its name, sealed"),
  })
  .openapi("NewDevice") satisfies z.ZodType<NewDevice>;

export const createVaultSchema = z
  .strictObject({ rootTokenHash: bytes(32, "SHA-256 of the root token"), device: newDeviceSchema })
  .openapi("CreateVault") satisfies z.ZodType<CreateVault>;

export const devicesSchema = z
  .object({
    devices: z.array(
      z.object({
        device: z.string(),
        name: z.string(),
        addedAtMs: z.int(),
        seenAtMs: z.int().openapi({ description: "To the hour" }),
        isRevoked: z.boolean(),
      }),
    ),
  })
  .openapi("VaultDevices") satisfies z.ZodType<VaultDevices>;

export const entriesSchema = z
  .object({
    entries: z.array(z.object({ entry: z.string(), number: z.int(), sealed: z.string().nullable() })),
    last: z.int().openapi({ description: "Number of the last change" }),
  })
  .openapi("VaultEntries") satisfies z.ZodType<VaultEntries>;

export const putEntrySchema = z
  .strictObject({ sealed: upToBytes(MAX_VAULT_ENTRY_BYTES, "The entry, sealed") })
  .openapi("PutVaultEntry") satisfies z.ZodType<PutVaultEntry>;

export const changedEntrySchema = z
  .object({ number: z.int() })
  .openapi("ChangedVaultEntry") satisfies z.ZodType<ChangedVaultEntry>;

const vault = bytes(16, "Vault");
export const vaultParams = z.object({ vault });
export const deviceParams = z.object({ vault, device: bytes(16, "Device") });
export const entryParams = z.object({ vault, entry: bytes(16, "Entry") });
export const afterQuery = z.object({ after: z.coerce.number().pipe(z.int().min(0)).default(0) });

const YEAR_SECONDS = 366 * 86_400;
const MAX_INVITE_USES = 10_000;

export const newInviteSchema = z
  .strictObject({
    uses: z.int().min(1).max(MAX_INVITE_USES),
    expirySeconds: z.int().min(MIN_EXPIRY_SECONDS).max(YEAR_SECONDS),
  })
  .openapi("NewInvite");

export const inviteSchema = z
  .object({ invite: z.string().openapi({ description: "For whoever creates; the relay keeps only its hash" }) })
  .openapi("Invite");

export const usageSchema = z
  .object({
    portals: z.int().openapi({ description: "That have not ended" }),
    bytes: z.int().openapi({ description: "Of their objects" }),
    vaults: z.int(),
  })
  .openapi("RelayUsage");
