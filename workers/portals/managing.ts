/**
 * Managing portals of the list: in whose name it is done, what came of it, and new keys for what somebody else may know.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { Failure } from "../../core/failure.ts";
import { changePortal, isGone, type Manager, portalDetails } from "../../core/portal/manage.ts";
import type { PortalRecord } from "../../core/portal/record.ts";
import { createSecret, ownerKey, relayToken, tokenHash } from "../../core/seal/keys.ts";
import { changeKept, findKept, findPortal, type KeptRecord } from "../../platform/registry/registry.ts";
import { relayHost } from "../../platform/relay-host.ts";
import { knewBefore, makeAllAlike } from "./further.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** True when the portal can be changed and ended from here. */
export function canManage({ ownerSecret, adminToken = null }: PortalRecord): boolean {
  return ownerSecret !== null || adminToken !== null;
}

/**
 * What is remembered of a portal of the list, with the owner's key of now.
 * @throws Failure `portal/unknown` when it is not on it
 */
export async function recordOf(portal: string): Promise<PortalRecord> {
  const kept = await findKept(portal);
  if (kept !== undefined && kept.nextOwnerSecret !== null) await tryRenew(portal);
  const record = await findPortal(portal);
  if (record === undefined) throw new Failure("portal/unknown", { what: "list" });
  return record;
}

/** The owner's way to a portal, else the admin link's. @throws Failure `link/purpose` when it is neither's */
export function managerOf(record: PortalRecord): Promise<Manager> {
  const { ownerSecret, adminToken = null } = record;
  if (ownerSecret !== null) return ownerOf(record, ownerSecret);
  if (adminToken === null) throw new Failure("link/purpose");
  return Promise.resolve({ ...placeOf(record), token: adminToken });
}

/**
 * Remembers what the relay told, which is no change by a person; other devices hear of it when it says why the portal ended, which
 * the relay tells for some time only.
 * @throws Failure `journal/damaged`
 */
export function note(
  portal: string,
  told: Partial<Pick<PortalRecord, "ended" | "expiresAtMs" | "links">>,
): Promise<void> {
  const { ended = null } = told;
  const isNews = ended !== null && ended !== "unknown";
  return changeKept(
    portal,
    (kept) => kept && { ...kept, record: { ...kept.record, ...told }, isDirty: kept.isDirty || isNews },
  );
}

/**
 * Gives a portal of this person another owner's key. The new one is kept before the relay is told, so that neither is lost when
 * this is cut off; the next time, the new one is tried as well. Gives false when that is still to be done.
 * @throws Failure `journal/damaged`
 */
export async function tryRenew(portal: string): Promise<boolean> {
  try {
    return await renewOwner(portal);
  } catch (error) {
    if (error instanceof Failure && error.code !== "journal/damaged") return false;
    throw error;
  }
}

async function renewOwner(portal: string): Promise<boolean> {
  const kept = await prepare(portal);
  if (kept === undefined) return true;
  const { record, next } = kept;
  const [before, after] = await Promise.all([ownerOf(record, record.ownerSecret), ownerOf(record, next)]);
  const known = await whoIsKnown(before, after);
  if (known === undefined) return true; // it is over
  if (known.manager === before) {
    const { phase, kind, isComplete } = known.details;
    if (phase === "expired" || phase === "archived") return true;
    // Whoever is still sending has the key of now.
    if (kind === "send" && !isComplete) return false;
    await changePortal(before, { ownerTokenHash: base64urlnopad.encode(tokenHash(after.token)) });
  }
  await adopt(portal, next);
  await makeAllAlike(portal, known.details, false); // many may be waiting, at a relay that is away
  return true;
}

interface Prepared {
  readonly record: PortalRecord & { readonly ownerSecret: Bytes };
  readonly next: Bytes;
}

/** Keeps the secret that is to be the owner's next. */
async function prepare(portal: string): Promise<Prepared | undefined> {
  await changeKept(portal, (kept) => kept && { ...kept, nextOwnerSecret: kept.nextOwnerSecret ?? createSecret() });
  const kept: KeptRecord | undefined = await findKept(portal);
  if (kept === undefined || kept.nextOwnerSecret === null) return undefined;
  const { record, nextOwnerSecret: next } = kept;
  const { ownerSecret } = record;
  return ownerSecret === null ? undefined : { record: { ...record, ownerSecret }, next };
}

async function whoIsKnown(...managers: readonly Manager[]) {
  for (const manager of managers) {
    try {
      return { manager, details: await portalDetails(manager) };
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  return undefined;
}

function adopt(portal: string, ownerSecret: Bytes): Promise<void> {
  return changeKept(portal, (kept) => {
    if (kept === undefined) return undefined;
    const ownerNumber = (kept.record.ownerNumber ?? 0) + 1;
    const changedAtMs = Math.max(Date.now(), kept.record.changedAtMs + 1);
    const record = { ...kept.record, ownerSecret, ownerNumber, changedAtMs };
    return { record, isDirty: true, nextOwnerSecret: null, further: knewBefore(kept) };
  });
}

async function ownerOf(record: PortalRecord, secret: Bytes): Promise<Manager> {
  const place = placeOf(record);
  return { ...place, token: await relayToken(await ownerKey(secret), "own", record.relayOrigin, place.portal) };
}

function placeOf({ portal, relayOrigin }: PortalRecord): Pick<Manager, "host" | "portal"> {
  return { host: relayHost(relayOrigin), portal: new Uint8Array(base64urlnopad.decode(portal)) };
}
