/**
 * What this browser remembers of portals: sent, asked for, managed, received, handed in; with the keys to open and to change
 * them. Every tab sees the same list and is told of changes.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { Failure } from "../../core/failure.ts";
import { type FurtherState, fieldsOfStates, readStates } from "../../core/portal/further-state.ts";
import { mergeRecords, sameRecord } from "../../core/portal/merge-records.ts";
import { decodeRecord, encodeRecord, type PortalRecord } from "../../core/portal/record.ts";
import { asBoolean, asBytes, asFields } from "../../core/wire/check.ts";
import { decodeCanonical, encodeCanonical } from "../../core/wire/codec.ts";
import { openAt, sealAt } from "../journal/sealed.ts";
import { changeRegistry, type Registry, type RegistryKeys, readRegistry, type SealedRow } from "./database.ts";
import { tellChange } from "./notices.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A record, and what only this device knows about it. */
export interface KeptRecord {
  readonly record: PortalRecord;
  /** The vault does not have it like this yet. */
  readonly isDirty: boolean;
  /** An owner secret that is about to replace the record's, or already has, u8[32]; null when none is. */
  readonly nextOwnerSecret: Bytes | null;
  /** Of further relays; those that are not in it were never told anything by this device. */
  readonly further: readonly FurtherState[];
}

/** What a change may change; the rest stays. */
export type RecordChange = Partial<Omit<PortalRecord, "portal">>;

/** Records kept; beyond it the oldest that are over go, then the oldest. */
export const MAX_RECORDS = 10_000;
/** Removed at a time, so that a full list is not read whole for each new record. */
const ROOM_RECORDS = 100;
/** Of a row, which begins with its IV: enough to tell two of them apart. */
const VERSION_BYTES = 12;
/** A record, and links that wait to be told. */
const MAX_ROW_BYTES = 256 * 1024;
const LIMITS = { maxBytes: MAX_ROW_BYTES, malformed: "journal/damaged", tooLarge: "journal/damaged" } as const;

/**
 * Puts a portal onto the list; what is known of it already is merged.
 * @throws Failure `journal/damaged`
 */
export async function rememberPortal(record: PortalRecord): Promise<void> {
  await changeKept(record.portal, (kept) => {
    if (kept === undefined) return freshKept(record);
    const merged = mergeRecords(kept.record, record);
    return { ...kept, record: merged, isDirty: kept.isDirty || !sameRecord(merged, kept.record) };
  });
}

/** A record that is new here and not in the vault. */
export function freshKept(record: PortalRecord): KeptRecord {
  return { record, isDirty: true, nextOwnerSecret: null, further: [] };
}

/**
 * Changes what is remembered of a portal; one that is not on the list stays off it.
 * @throws Failure `journal/damaged`
 */
export async function updatePortal(portal: string, change: RecordChange): Promise<void> {
  await changeKept(portal, (kept) => {
    if (kept === undefined) return undefined;
    const changedAtMs = Math.max(change.changedAtMs ?? Date.now(), kept.record.changedAtMs);
    return { ...kept, record: { ...kept.record, ...change, changedAtMs }, isDirty: true };
  });
}

/** @throws Failure `journal/damaged` */
export async function findPortal(portal: string): Promise<PortalRecord | undefined> {
  return (await findKept(portal))?.record;
}

/** The whole list, newest first; what cannot be read is left out. @throws Failure `journal/damaged` */
export async function listPortals(): Promise<PortalRecord[]> {
  return (await listKept()).map(({ record }) => record);
}

/**
 * Takes a portal off the list.
 * @param entry name of its entry in the vault, base64url, which is to be removed there too
 * @throws Failure `journal/damaged`
 */
export async function forgetPortal(portal: string, entry?: string): Promise<void> {
  await changeRegistry(async (db, keys) => {
    const name = await rowName(keys, portal);
    const transaction = db.transaction(["portals", "removals"], "readwrite", { durability: "strict" });
    void transaction.objectStore("portals").delete(name);
    if (entry !== undefined) void transaction.objectStore("removals").put(entry, entry);
    await transaction.done;
  });
  tellChange();
}

/** Forgets everything, the keys too. @throws Failure `journal/damaged` */
export async function clearRegistry(): Promise<void> {
  await changeRegistry(async (db) => {
    const names = ["keys", "portals", "settings", "removals"] as const;
    const transaction = db.transaction(names, "readwrite", { durability: "strict" });
    await Promise.all(names.map((name) => transaction.objectStore(name).clear()));
    await transaction.done;
  });
  read.clear();
  tellChange();
}

/** @throws Failure `journal/damaged` */
export function findKept(portal: string): Promise<KeptRecord | undefined> {
  return readRegistry(async (db, keys) => readRow(keys, await db.get("portals", await rowName(keys, portal))));
}

/** Like listPortals, with what only this device knows. @throws Failure `journal/damaged` */
export function listKept(): Promise<KeptRecord[]> {
  return readRegistry(async (db, keys) => {
    const kept = await Promise.all((await db.getAll("portals")).map((row) => readRow(keys, row)));
    const found = kept.filter((each) => each !== undefined);
    return found.sort((a, b) => b.record.createdAtMs - a.record.createdAtMs);
  });
}

/**
 * Changes one record, alone over all tabs; `change` is given undefined for a portal that is not on the list, and gives undefined
 * to leave everything as it is.
 * @throws Failure `journal/damaged`
 */
export async function changeKept(
  portal: string,
  change: (kept: KeptRecord | undefined) => KeptRecord | undefined,
): Promise<void> {
  await changeManyKept([portal], (_, kept) => change(kept));
}

/** The same for many at once. @throws Failure `journal/damaged`; then nothing has changed */
export async function changeManyKept(
  portals: readonly string[],
  change: (portal: string, kept: KeptRecord | undefined) => KeptRecord | undefined,
): Promise<void> {
  const hasChanged = await changeRegistry(async (db, keys) => {
    const work = portals.map(async (portal) => {
      const name = await rowName(keys, portal);
      const found = await readRow(keys, await db.get("portals", name));
      const next = change(portal, found);
      if (next === undefined || (found !== undefined && isSame(found, next))) return undefined;
      const row: SealedRow = { name, sealed: await sealAt(keys.seal, placeOf(name), encodeKept(next)) };
      return { row, isNew: found === undefined };
    });
    const changed = (await Promise.all(work)).filter((each) => each !== undefined);
    await makeRoom(db, keys, changed.filter(({ isNew }) => isNew).length);
    const { store, done } = db.transaction("portals", "readwrite", { durability: "strict" });
    for (const { row } of changed) void store.put(row);
    await done;
    return changed.length > 0;
  });
  if (hasChanged) tellChange();
}

/** Lets the oldest go when the list is full: those that are over before the others. */
async function makeRoom(db: Registry, keys: RegistryKeys, added: number): Promise<void> {
  const excess = added === 0 ? 0 : (await db.count("portals")) + added - MAX_RECORDS;
  if (excess <= 0) return;
  const all = await Promise.all(
    (await db.getAll("portals")).map(async (row) => ({ name: row.name, kept: await readRow(keys, row) })),
  );
  const order = ({ kept }: (typeof all)[number]) => [
    kept === undefined ? 0 : kept.record.ended === null ? 2 : 1,
    kept?.record.createdAtMs ?? 0,
  ];
  const sorted = all.sort((a, b) => {
    const [[groupA = 0, timeA = 0], [groupB = 0, timeB = 0]] = [order(a), order(b)];
    return groupA - groupB || timeA - timeB;
  });
  const { store, done } = db.transaction("portals", "readwrite");
  for (const { name } of sorted.slice(0, excess + ROOM_RECORDS)) void store.delete(name);
  await done;
}

function isSame(one: KeptRecord, other: KeptRecord): boolean {
  const isAlike =
    one.isDirty === other.isDirty && one.nextOwnerSecret === other.nextOwnerSecret && one.further === other.further;
  return isAlike && sameRecord(one.record, other.record);
}

function encodeKept({ record, isDirty, nextOwnerSecret, further }: KeptRecord): Bytes {
  const more = further.length === 0 ? {} : { f: fieldsOfStates(further) };
  return encodeCanonical({ r: encodeRecord(record), d: isDirty, w: nextOwnerSecret, ...more });
}

/** Rows as they were read last, by name; a row that was written again has another first part, which is random. */
const read = new Map<string, { readonly version: string; readonly kept: KeptRecord }>();

/** Undefined for a row that is not there, or that was damaged. */
async function readRow(keys: RegistryKeys, row: SealedRow | undefined): Promise<KeptRecord | undefined> {
  if (row === undefined) return undefined;
  const version = row.sealed.subarray(0, VERSION_BYTES).join();
  const known = read.get(row.name);
  if (known?.version === version) return known.kept;
  try {
    const kept = decodeKept(await openAt(keys.seal, placeOf(row.name), row.sealed));
    if (read.size >= 2 * MAX_RECORDS) read.clear(); // rows that are long gone
    read.set(row.name, { version, kept });
    return kept;
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

function decodeKept(plain: Uint8Array): KeptRecord {
  const fields = asFields(decodeCanonical(plain, LIMITS), "kept");
  return {
    record: decodeRecord(asBytes(fields["r"], "r")),
    isDirty: asBoolean(fields["d"], "d"),
    nextOwnerSecret: fields["w"] === null ? null : asBytes(fields["w"], "w", 32).slice(),
    further: fields["f"] === undefined ? [] : readStates(fields["f"]),
  };
}

function placeOf(name: string): string {
  return `portal/${name}`;
}

/** @throws Failure `journal/damaged` for what is no portal's name */
async function rowName({ names }: RegistryKeys, portal: string): Promise<string> {
  const mac = await crypto.subtle.sign("HMAC", names, new TextEncoder().encode(portal));
  return base64urlnopad.encode(new Uint8Array(mac, 0, 16));
}
