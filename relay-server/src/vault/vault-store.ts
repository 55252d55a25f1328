/**
 * The store port of vaults: sealed entries that devices of one person share, and which devices these are. What it acknowledged
 * is durable.
 *
 * @module
 */
import type { VaultDevice, VaultEntries } from "../../../core/portal/vault.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A vault inside the relay: its id in hexadecimal, 32 characters. */
export type VaultKey = string & { readonly __key: "vault" };

/** A device as it is stored; byte strings that are names are base64url. */
export interface StoredDevice extends VaultDevice {
  /** u8[32] */
  readonly tokenHash: Bytes;
}

/** A device that is enrolled. */
export interface EnrolledDevice {
  /** base64url of u8[16] */
  readonly device: string;
  /** u8[32] */
  readonly tokenHash: Bytes;
  /** Sealed. */
  readonly name: Bytes;
}

/** A vault and who opens it. */
export interface StoredVault {
  /** u8[32] */
  readonly rootHash: Bytes;
  readonly usedAtMs: number;
  readonly devices: readonly StoredDevice[];
}

/** How much there is. */
export interface VaultUsage {
  readonly vaults: number;
  /** Bytes of sealed entries. */
  readonly bytes: number;
}

export interface VaultStore {
  /**
   * Makes a vault with its first device, and uses up the invite (its hash, u8[32]) in the same transaction. The same again
   * succeeds and uses up nothing. Gives true when it is new.
   * @throws Failure `vault/unknown` when there is another one of that name, `relay/invite`, `relay/full`
   */
  create(key: VaultKey, rootHash: Bytes, device: EnrolledDevice, nowMs: number, invite: Bytes | null): Promise<boolean>;
  find(key: VaultKey): StoredVault | undefined;
  /** The same again succeeds. @throws Failure `vault/full` | `vault/unknown` | `device/revoked` | `relay/full` */
  enrol(key: VaultKey, device: EnrolledDevice, nowMs: number): Promise<void>;
  /** Idempotent. @param device base64url */
  revoke(key: VaultKey, device: string): Promise<void>;
  /** Writes down that a device (base64url), or whoever has the root token, was here. */
  saw(key: VaultKey, device: string | null, nowMs: number): Promise<void>;
  /** Changes after this number, oldest first. */
  entries(key: VaultKey, after: number, limit: number): VaultEntries;
  /**
   * Sets an entry (base64url), or removes it with null. Gives the number of the change; what was not there is removed without
   * one. @throws Failure `vault/full` | `vault/unknown` | `relay/full`
   */
  change(key: VaultKey, entry: string, sealed: Bytes | null): Promise<number>;
  /** Nobody finds it any more from the next moment on. Idempotent. */
  remove(key: VaultKey): Promise<void>;
  /** Removes the vaults that nobody used since, and what is left of removed ones. */
  forgetUnused(sinceMs: number): Promise<void>;
  usage(): VaultUsage;
}
