/**
 * Keeping the list the same here and in the vault: what others changed is taken in first, then what was changed here is told.
 * It stops anywhere and goes on from there the next time.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { Failure } from "../../core/failure.ts";
import { entryName } from "../../core/portal/identity.ts";
import { mergeRecords, sameRecord } from "../../core/portal/merge-records.ts";
import type { PortalRecord } from "../../core/portal/record.ts";
import {
  type ChangedEntry,
  changedEntries,
  putEntry,
  removeEntry,
  type VaultAccess,
} from "../../core/portal/vault-client.ts";
import { openEntry, sealEntry } from "../../core/portal/vault-seal.ts";
import { changeRegistry, readRegistry } from "./database.ts";
import { dropIdentity, type KeptIdentity, keptIdentity, updateIdentity, vaultAccess } from "./identity.ts";
import { tellChange } from "./notices.ts";
import { changeManyKept, findPortal, forgetPortal, freshKept, type KeptRecord, listKept } from "./registry.ts";

const LOCK = "warp-portals/sync";
/** Entries told at a time; what was told is not told again after an interruption. */
const BATCH_ENTRIES = 4;

/**
 * Makes the list the same here and in the vault, where there is one; one thread at a time over all tabs.
 * @throws Failure `device/revoked` | `vault/unknown` | `vault/full` | `relay/…` | `journal/damaged`; what was done stays done
 */
export function syncVault(): Promise<void> {
  return navigator.locks.request(LOCK, async () => {
    const identity = await keptIdentity();
    if (identity === undefined || identity.isRevoked) return;
    await inVault(identity, async (access) => {
      await tellRemovals(access);
      await pull(identity, access);
      await push(identity, access);
    });
    await updateIdentity(identity.device, { syncedAtMs: Date.now() });
  });
}

/** Takes a portal off the list, here and in the vault (there by the next syncVault). @throws Failure `journal/damaged` */
export async function forgetEverywhere(portal: string): Promise<void> {
  const [identity, record] = [await keptIdentity(), await findPortal(portal)];
  const isShared = identity !== undefined && record !== undefined && isForVault(record);
  await forgetPortal(portal, isShared ? await entryOf(identity, portal) : undefined);
}

/**
 * Does something in the vault; when the relay says that this device was taken off, or knows the vault no more, that is
 * remembered.
 * @throws Failure what `use` throws
 */
export async function inVault<T>(identity: KeptIdentity, use: (access: VaultAccess) => Promise<T>): Promise<T> {
  try {
    return await use(await vaultAccess(identity));
  } catch (error) {
    if (error instanceof Failure && error.code === "device/revoked") {
      await updateIdentity(identity.device, { isRevoked: true });
      tellChange();
    }
    if (error instanceof Failure && error.code === "vault/unknown") await dropIdentity();
    throw error;
  }
}

async function tellRemovals(access: VaultAccess): Promise<void> {
  for (const name of await readRegistry((db) => db.getAll("removals"))) {
    await removeEntry(access, name);
    await changeRegistry((db) => db.delete("removals", name));
  }
}

async function pull(identity: KeptIdentity, access: VaultAccess): Promise<void> {
  for await (const entries of changedEntries(access, identity.last)) {
    const last = entries.at(-1)?.number;
    if (last === undefined) return;
    await takeIn(identity, entries);
    await updateIdentity(identity.device, { last });
  }
}

async function takeIn(identity: KeptIdentity, entries: readonly ChangedEntry[]): Promise<void> {
  const records = new Map<string, PortalRecord>();
  const removed = new Set<string>();
  for (const { name, sealed } of entries) {
    const record = sealed === null ? "removed" : await readEntry(identity, name, sealed);
    if (record === "removed") removed.add(base64urlnopad.encode(name));
    else if (record !== undefined) records.set(record.portal, record);
  }
  await changeManyKept([...records.keys()], (portal, kept) => {
    const told = records.get(portal);
    if (told === undefined) return undefined;
    if (kept === undefined) return { ...freshKept(told), isDirty: false };
    const record = mergeRecords(kept.record, told);
    return { ...kept, record, isDirty: !sameRecord(record, told) };
  });
  if (removed.size > 0) await forgetRemoved(identity, removed);
}

/** Undefined for what does not open, or says that it is another portal: whoever put it there, it is not ours. */
async function readEntry(
  identity: KeptIdentity,
  name: ChangedEntry["name"],
  sealed: NonNullable<ChangedEntry["sealed"]>,
): Promise<PortalRecord | undefined> {
  try {
    const record = await openEntry(identity.keys.seal, { vault: identity.vault, name }, sealed);
    return (await entryOf(identity, record.portal)) === base64urlnopad.encode(name) ? record : undefined;
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** What was changed here since stays, and is told again. */
async function forgetRemoved(identity: KeptIdentity, removed: ReadonlySet<string>): Promise<void> {
  for (const { record, isDirty } of await listKept()) {
    if (isDirty || !isForVault(record)) continue;
    if (removed.has(await entryOf(identity, record.portal))) await forgetPortal(record.portal);
  }
}

async function push(identity: KeptIdentity, access: VaultAccess): Promise<void> {
  const dirty = (await listKept()).filter(({ record, isDirty }) => isDirty && isForVault(record));
  for (let from = 0; from < dirty.length; from += BATCH_ENTRIES) {
    const batch = dirty.slice(from, from + BATCH_ENTRIES);
    await Promise.all(batch.map(({ record }) => put(identity, access, record)));
    const told = new Map(batch.map(({ record }) => [record.portal, record]));
    await changeManyKept([...told.keys()], (portal, kept) => clean(kept, told.get(portal)));
  }
}

async function put({ keys, vault }: KeptIdentity, access: VaultAccess, record: PortalRecord): Promise<void> {
  const name = await entryName(keys.names, base64urlnopad.decode(record.portal));
  await putEntry(access, name, await sealEntry(keys.seal, { vault, name }, record));
}

/** Changed again meanwhile, it is told again. */
function clean(kept: KeptRecord | undefined, told: PortalRecord | undefined): KeptRecord | undefined {
  if (kept === undefined || told === undefined || !sameRecord(kept.record, told)) return undefined;
  return { ...kept, isDirty: false };
}

/** What was received stays in this browser. */
function isForVault({ as }: PortalRecord): boolean {
  return as !== "received";
}

async function entryOf({ keys }: KeptIdentity, portal: string): Promise<string> {
  return base64urlnopad.encode(await entryName(keys.names, base64urlnopad.decode(portal)));
}
