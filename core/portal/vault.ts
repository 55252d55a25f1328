/**
 * What client and relay agree on about a vault: the sealed list of somebody's portals, kept at a relay so that other devices
 * have it too. The relay learns how many entries there are and when they change. Byte strings are base64url.
 *
 * @module
 */

/** A device, as it is enrolled. */
export interface NewDevice {
  /** u8[16], random */
  readonly device: string;
  /** SHA-256 of the device's token, u8[32]. */
  readonly tokenHash: string;
  /** The device's name, sealed, 1 … MAX_DEVICE_NAME_BYTES. */
  readonly name: string;
}

/** PUT /api/v1/vaults/:vault. The same again succeeds. */
export interface CreateVault {
  /** SHA-256 of the root token, which only the recovery phrase gives; u8[32]. */
  readonly rootTokenHash: string;
  readonly device: NewDevice;
}

/** GET /api/v1/vaults/:vault/devices */
export interface VaultDevices {
  readonly devices: readonly VaultDevice[];
}

/** A device of a vault; one that was revoked stays listed. Milliseconds since 1970. */
export interface VaultDevice {
  readonly device: string;
  readonly name: string;
  readonly addedAtMs: number;
  readonly seenAtMs: number;
  readonly isRevoked: boolean;
}

/** GET /api/v1/vaults/:vault/entries?after=<number>: what changed since, oldest first, at most VAULT_PAGE_ENTRIES at a time. */
export interface VaultEntries {
  readonly entries: readonly VaultEntry[];
  /** Number of the vault's last change: there is more when the last entry's is lower. */
  readonly last: number;
}

/** One entry; `sealed` is null when it was removed. */
export interface VaultEntry {
  /** u8[16]; says nothing about the portal. */
  readonly entry: string;
  /** Grows with every change in the vault. */
  readonly number: number;
  readonly sealed: string | null;
}

/** PUT /api/v1/vaults/:vault/entries/:entry */
export interface PutVaultEntry {
  readonly sealed: string;
}

/** Answered to a change of an entry. */
export interface ChangedVaultEntry {
  readonly number: number;
}

/** Entries of one vault; beyond it `vault/full`. */
export const MAX_VAULT_ENTRIES = 10_000;
/** Bytes of one sealed entry. */
export const MAX_VAULT_ENTRY_BYTES = 4096;
/** Devices of one vault that are not revoked. */
export const MAX_DEVICES = 16;
/** Bytes of a device's sealed name. */
export const MAX_DEVICE_NAME_BYTES = 256;
/** Entries in one answer. */
export const VAULT_PAGE_ENTRIES = 500;
