/**
 * All vaults of this relay, and the one authorisation for them: the root token, which only the recovery phrase gives, enrols
 * devices and removes the vault; a device's token reads and changes entries. Both see devices and revoke them.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { Failure } from "../../../core/failure.ts";
import { portalKey } from "../bytes.ts";
import type { DateSource } from "../clock.ts";
import type { Guard } from "../guard/guard.ts";
import type { StoredVault, VaultKey, VaultStore } from "./vault-store.ts";

/** A vault that nobody used for so long is removed. */
export const UNUSED_MS = 400 * 24 * 3600 * 1000;
/** A use is written down at most this often. */
const SEEN_MS = 3600 * 1000;
const NOBODY = new Uint8Array(32);

/** Who asks. */
export interface Caller {
  /** u8[32]; undefined when none came. */
  readonly token: Uint8Array | undefined;
  readonly address: string;
}

/** Whose token it is. */
export type VaultRole = "root" | "device";

export class Vaults {
  readonly store: VaultStore;
  readonly #guard: Guard;
  readonly #date: DateSource;

  constructor(store: VaultStore, guard: Guard, date: DateSource) {
    this.store = store;
    this.#guard = guard;
    this.#date = date;
  }

  /** Milliseconds since 1970. */
  now(): number {
    return this.#date.now();
  }

  /**
   * An unknown vault and a wrong token give the same failure.
   * @param vault u8[16]
   * @throws Failure `vault/unknown` | `device/revoked` | `relay/busy`
   */
  async authorise(vault: Uint8Array, caller: Caller, allowed: readonly VaultRole[]): Promise<VaultKey> {
    const key = vaultKey(vault);
    const found = this.store.find(key);
    const given = createHash("sha256")
      .update(caller.token ?? NOBODY)
      .digest();
    const isRoot = timingSafeEqual(given, found?.rootHash ?? NOBODY);
    const device = (found?.devices ?? []).filter(({ tokenHash }) => timingSafeEqual(given, tokenHash))[0];
    const role: VaultRole | undefined = isRoot ? "root" : device && "device";
    if (caller.token === undefined || found === undefined || role === undefined || !allowed.includes(role))
      throw await this.#guard.wrongToken(`vault ${key}`, caller.address, "vault/unknown");
    if (device?.isRevoked === true) throw new Failure("device/revoked");
    this.#note(key, found, device);
    return key;
  }

  /** Writes the use down now and then; that it fails is no reason not to serve. */
  #note(key: VaultKey, { usedAtMs }: StoredVault, device: { device: string; seenAtMs: number } | undefined): void {
    const now = this.#date.now();
    if (Math.abs(now - (device?.seenAtMs ?? usedAtMs)) < SEEN_MS) return;
    this.store.saw(key, device?.device ?? null, now).catch(() => undefined);
  }

  /** Removes what nobody used for long. */
  sweep(): Promise<void> {
    return this.store.forgetUnused(this.#date.now() - UNUSED_MS);
  }
}

/** @param vault u8[16] */
export function vaultKey(vault: Uint8Array): VaultKey {
  return portalKey(vault) as string as VaultKey;
}
