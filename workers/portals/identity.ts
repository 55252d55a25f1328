/**
 * The identity that carries the list to other devices, as the page sees it.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { Failure } from "../../core/failure.ts";
import type { VaultDevice } from "../../core/portal/vault.ts";
import { removeDevice, vaultDevices } from "../../core/portal/vault-client.ts";
import { openDeviceName } from "../../core/portal/vault-seal.ts";
import { relayInfo } from "../../platform/link/dial.ts";
import {
  confirmPhrase as confirm,
  enrolByPhrase,
  hasUnconfirmed,
  type KeptIdentity,
  keptIdentity,
} from "../../platform/registry/identity.ts";
import { clearRegistry, type KeptRecord, listKept } from "../../platform/registry/registry.ts";
import { inVault, syncVault } from "../../platform/registry/sync.ts";
import { admission } from "../transfer/portal.ts";
import type { IdentityState, KnownDevice } from "./api.ts";
import { inParallel } from "./in-parallel.ts";
import { tryRenew } from "./managing.ts";

/** Portals whose keys are replaced at a time. */
const MOST_AT_ONCE = 4;

/** @throws Failure `journal/damaged` */
export async function identityState(): Promise<IdentityState> {
  const [kept, isUnconfirmed] = await Promise.all([keptIdentity(), hasUnconfirmed()]);
  const syncedAtMs = kept?.syncedAtMs ?? null;
  if (kept?.isRevoked === false) return { state: "kept", syncedAtMs };
  if (isUnconfirmed) return { state: "unconfirmed", syncedAtMs };
  return { state: kept === undefined ? "local" : "revoked", syncedAtMs };
}

/** @throws Failure `journal/absent` when no phrase was made, `relay/…` */
export async function confirmPhrase(relayOrigin: string, deviceName: string): Promise<void> {
  const { invite } = await admission(await relayInfo(relayOrigin));
  await confirm(relayOrigin, deviceName, invite);
  await trySync();
}

/** @throws Failure `phrase/wrong` | `vault/unknown` | `vault/full` | `relay/…` */
export async function restore(phrase: string, relayOrigin: string, deviceName: string): Promise<void> {
  await enrolByPhrase(phrase, relayOrigin, deviceName);
  await trySync();
}

/** None where the list is in this browser alone. @throws Failure `device/revoked` | `vault/unknown` | `relay/…` */
export async function knownDevices(): Promise<readonly KnownDevice[]> {
  const identity = await keptIdentity();
  if (identity === undefined) return [];
  if (identity.isRevoked) throw new Failure("device/revoked");
  const devices = await inVault(identity, vaultDevices);
  return Promise.all(devices.map((device) => toKnown(identity, device)));
}

/**
 * Takes a device off, and then replaces the owner's keys of all portals that it knew. Gives how many could not be replaced yet;
 * `renewWaiting` goes on with them.
 * @throws Failure `device/revoked` | `vault/unknown` | `relay/…`
 */
export async function revokeDevice(device: string): Promise<number> {
  const identity = await keptIdentity();
  if (identity === undefined) throw new Failure("vault/unknown");
  if (identity.isRevoked) throw new Failure("device/revoked");
  await trySync(); // what it changed last is ours too
  await inVault(identity, (access) => removeDevice(access, device));
  if (device === base64urlnopad.encode(identity.device)) return 0;
  const { left } = await renewAll(() => true);
  await trySync();
  return left;
}

/** Goes on with the keys that could not be replaced before, and tells the new ones. @throws Failure `journal/damaged` */
export async function renewWaiting(): Promise<void> {
  const { renewed } = await renewAll(({ nextOwnerSecret }) => nextOwnerSecret !== null);
  if (renewed > 0) await trySync();
}

async function renewAll(isWanted: (kept: KeptRecord) => boolean): Promise<{ renewed: number; left: number }> {
  const count = { renewed: 0, left: 0 };
  const ours = (await listKept()).filter(({ record }) => record.ownerSecret !== null && record.ended === null);
  await inParallel(ours.filter(isWanted), MOST_AT_ONCE, async ({ record }) => {
    count[(await tryRenew(record.portal)) ? "renewed" : "left"] += 1;
  });
  return count;
}

/** Forgets everything here; then this device leaves the vault, where its relay can be reached. @throws Failure `journal/damaged` */
export async function forgetAll(): Promise<void> {
  const identity = await keptIdentity();
  await clearRegistry();
  if (identity === undefined || identity.isRevoked) return;
  const device = base64urlnopad.encode(identity.device);
  await inVault(identity, (access) => removeDevice(access, device)).catch(ignoreFailure);
}

/** Makes the list the same here and in the vault; what cannot be told now is told later. */
export async function trySync(): Promise<void> {
  await syncVault().catch(ignoreFailure);
}

function ignoreFailure(error: unknown): void {
  if (!(error instanceof Failure)) throw error;
}

async function toKnown(identity: KeptIdentity, told: VaultDevice): Promise<KnownDevice> {
  const { device, addedAtMs, seenAtMs, isRevoked } = told;
  const isThis = device === base64urlnopad.encode(identity.device);
  return { device, name: await nameOf(identity, told), addedAtMs, seenAtMs, isRevoked, isThis };
}

/** Empty for a name that does not open. */
async function nameOf({ keys, vault }: KeptIdentity, { device, name }: VaultDevice): Promise<string> {
  try {
    const place = { vault, name: base64urlnopad.decode(device) };
    return await openDeviceName(keys.seal, place, new Uint8Array(base64urlnopad.decode(name)));
  } catch {
    return "";
  }
}
