/**
 * Vaults in the embedded store: every change is one transaction in which its limits are checked.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { Failure } from "../../../core/failure.ts";
import { MAX_DEVICES, MAX_VAULT_ENTRIES, type VaultEntries } from "../../../core/portal/vault.ts";
import { sameBytes } from "../bytes.ts";
import type {
  EnrolledDevice,
  StoredDevice,
  StoredVault,
  VaultKey,
  VaultStore,
  VaultUsage,
} from "../vault/vault-store.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { Invites } from "./invites.ts";
import { vaultStatementsOf } from "./vault-statements.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Devices of one vault that are remembered as revoked; the oldest is forgotten, and then it is like any stranger. */
export const MAX_REVOKED_DEVICES = 48;
/** Vaults of one relay. */
export const MAX_VAULTS = 100_000;
/** Of the bytes that the store may have, as much may be vaults' besides. */
const VAULTS_SHARE = 1 / 16;
/** Changes that are refused first on a full disk. */
const GROWTH = { grows: true } as const;
/** Rows that one change may remove, so that the thread is not held for long. */
const REMOVE_ROWS = 2000;

/** What vaults need of the store around them. */
export interface VaultRoom {
  readonly changes: GroupCommit;
  readonly invites: Invites;
  readonly maxStoreBytes: number;
  /** @throws Failure `relay/full` when the disk has no room for anything new */
  checkRoom(): Promise<void>;
}

export class SqliteVaults implements VaultStore {
  readonly #room: VaultRoom;
  readonly #sql: ReturnType<typeof vaultStatementsOf>;

  constructor(db: DatabaseSync, room: VaultRoom) {
    this.#room = room;
    this.#sql = vaultStatementsOf(db);
  }

  async create(
    key: VaultKey,
    rootHash: Bytes,
    device: EnrolledDevice,
    nowMs: number,
    invite: Bytes | null,
  ): Promise<boolean> {
    await this.#room.checkRoom();
    return this.#room.changes.submit(() => {
      const existing = this.#sql.find(key);
      if (existing !== undefined) {
        const isSame = sameBytes(existing.root_hash, rootHash) && this.#isEnrolled(key, device);
        if (!isSame) throw new Failure("vault/unknown");
        return false;
      }
      if (this.#sql.usage().vaults >= MAX_VAULTS) throw new Failure("relay/full", { what: "vaults" });
      this.#room.invites.use(invite, nowMs);
      // One that was removed a moment ago may not be gone yet.
      while (this.#sql.erase(key, REMOVE_ROWS) > 0);
      this.#sql.insert(key, rootHash, nowMs);
      this.#sql.insertDevice(key, device.device, device.tokenHash, device.name, nowMs);
      return true;
    }, GROWTH);
  }

  find(key: VaultKey): StoredVault | undefined {
    const row = this.#sql.find(key);
    return row && { rootHash: row.root_hash, usedAtMs: row.used_ms, devices: this.#sql.devices(key) };
  }

  enrol(key: VaultKey, device: EnrolledDevice, nowMs: number): Promise<void> {
    return this.#room.changes.submit(() => {
      this.#found(key);
      if (this.#isEnrolled(key, device)) return;
      const devices = this.#sql.devices(key);
      if (devices.some((one) => one.device === device.device)) throw new Failure("wire/malformed", { what: "device" });
      if (count(devices, false) >= MAX_DEVICES) throw new Failure("vault/full", { what: "devices" });
      this.#sql.insertDevice(key, device.device, device.tokenHash, device.name, nowMs);
    }, GROWTH);
  }

  revoke(key: VaultKey, device: string): Promise<void> {
    return this.#room.changes.submit(() => {
      this.#sql.revoke(key, device);
      const devices = this.#sql.devices(key);
      const oldest = devices.find((one) => one.isRevoked && one.device !== device);
      if (oldest !== undefined && count(devices, true) > MAX_REVOKED_DEVICES)
        this.#sql.forgetDevice(key, oldest.device);
    });
  }

  saw(key: VaultKey, device: string | null, nowMs: number): Promise<void> {
    return this.#room.changes.submit(() => {
      this.#sql.use(key, nowMs);
      if (device !== null) this.#sql.saw(key, device, nowMs);
    });
  }

  entries(key: VaultKey, after: number, limit: number): VaultEntries {
    const last = this.#found(key).number;
    return { entries: this.#sql.entriesAfter(key, after, limit), last };
  }

  async change(key: VaultKey, entry: string, sealed: Bytes | null): Promise<number> {
    if (sealed !== null) await this.#room.checkRoom();
    const apply = () => this.#change(key, entry, sealed);
    return this.#room.changes.submit(apply, { grows: sealed !== null });
  }

  #change(key: VaultKey, entry: string, sealed: Bytes | null): number {
    const vault = this.#found(key);
    const before = this.#sql.entryBytes(key, entry);
    if (before === undefined && sealed === null) return vault.number;
    let more = before === undefined ? 1 : 0;
    if (vault.entries + more > MAX_VAULT_ENTRIES) {
      if (!this.#sql.forgetRemoved(key)) throw new Failure("vault/full", { what: "entries", max: MAX_VAULT_ENTRIES });
      more--;
    }
    const bytes = (sealed?.length ?? 0) - (before ?? 0);
    if (!this.#sql.addBytes(bytes, this.#room.maxStoreBytes * VAULTS_SHARE))
      throw new Failure("relay/full", { what: "vaults" });
    const number = this.#sql.grow(key, more);
    this.#sql.setEntry(key, entry, number, sealed);
    return number;
  }

  async remove(key: VaultKey): Promise<void> {
    await this.#room.changes.submit(() => this.#sql.gone(key));
    await this.#erase(key);
  }

  async forgetUnused(sinceMs: number): Promise<void> {
    for (const key of this.#sql.unused(sinceMs)) await this.remove(key);
  }

  usage(): VaultUsage {
    return this.#sql.usage();
  }

  /** Unless it was made anew meanwhile. */
  async #erase(key: VaultKey): Promise<void> {
    const eraseSome = () => (this.#sql.find(key) === undefined ? this.#sql.erase(key, REMOVE_ROWS) : 0);
    while ((await this.#room.changes.submit(eraseSome)) > 0);
  }

  #found(key: VaultKey) {
    const vault = this.#sql.find(key);
    if (vault === undefined) throw new Failure("vault/unknown");
    return vault;
  }

  /** True when it is there as it was enrolled. @throws Failure `device/revoked` when it is there no longer */
  #isEnrolled(key: VaultKey, { device, tokenHash }: EnrolledDevice): boolean {
    const known = this.#sql.devices(key).find((one) => one.device === device);
    if (known === undefined || !sameBytes(known.tokenHash, tokenHash)) return false;
    if (known.isRevoked) throw new Failure("device/revoked");
    return true;
  }
}

function count(devices: readonly StoredDevice[], isRevoked: boolean): number {
  return devices.filter((one) => one.isRevoked === isRevoked).length;
}
