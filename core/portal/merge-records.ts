/**
 * How what two devices remember of one portal becomes one record.
 *
 * @module
 */
import { encodeCanonical } from "../wire/codec.ts";
import { encodeRecord, fewestLinks, fieldsOf, type PortalRecord, type RecordLink } from "./record.ts";

/** Of two devices that know a portal differently, the one that may do more is right. */
const STRENGTH: readonly PortalRecord["as"][] = ["sent", "request", "managed", "delivered", "received"];
/** The written fields that are one statement: where the portal is, what it holds, until when. */
const TOLD = ["o", "k", "n", "b", "e", "c", "x", "m"];

/**
 * One record out of two of the same portal, the same whichever comes first: what was changed later counts; secrets that only one
 * has stay, and so does what they allow; links are united, and one that was revoked stays so; what was known to be over, and why,
 * stays over.
 */
export function mergeRecords(one: PortalRecord, other: PortalRecord): PortalRecord {
  const told = whose(one, other, TOLD);
  const owner = isOwnedLonger(one, other) ? one : isOwnedLonger(other, one) ? other : whose(one, other, ["w"]);
  const admin = whose(one, other, ["d"], ({ adminLink }) => adminLink !== null);
  const lister = whose(one, other, ["l"]);
  return {
    ...told,
    as: STRENGTH.indexOf(one.as) <= STRENGTH.indexOf(other.as) ? one.as : other.as,
    secret: whose(one, other, ["s"], ({ secret }) => secret !== null).secret,
    ownerSecret: owner.ownerSecret,
    ownerNumber: owner.ownerNumber ?? 0,
    adminLink: admin.adminLink,
    adminToken: admin.adminToken ?? null,
    links: unite(lister.links, (lister === one ? other : one).links),
    ended: whose(one, other, ["f"], isKnownToEnd).ended,
  };
}

/** True when both are written alike. */
export function sameRecord(one: PortalRecord, other: PortalRecord): boolean {
  return compare(encodeRecord(one), encodeRecord(other)) === 0;
}

/** Whether `one` has the owner's secret of now rather than `other`, whatever else was changed in which order. */
function isOwnedLonger(one: PortalRecord, other: PortalRecord): boolean {
  if (one.ownerSecret === null || other.ownerSecret === null) return other.ownerSecret === null;
  return (one.ownerNumber ?? 0) > (other.ownerNumber ?? 0);
}

/**
 * The one whose part of a record counts: one that has it, then the one that was changed later, then whatever is the same on every
 * device. Each part is chosen for itself: a choice by the whole record would fall otherwise once parts of both are in one, and two
 * devices would correct one another for ever.
 * @param keys which written fields the part is
 */
function whose(one: PortalRecord, other: PortalRecord, keys: readonly string[], has = (_: PortalRecord) => true) {
  if (has(one) !== has(other)) return has(one) ? one : other;
  if (one.changedAtMs !== other.changedAtMs) return one.changedAtMs > other.changedAtMs ? one : other;
  const part = (record: PortalRecord) => {
    const fields = fieldsOf(record);
    return encodeCanonical(keys.map((key) => fields[key]));
  };
  return compare(part(one), part(other)) >= 0 ? one : other;
}

function unite(first: readonly RecordLink[], second: readonly RecordLink[]): readonly RecordLink[] {
  const links = new Map(first.map((link) => [nameOf(link), link]));
  for (const link of second) {
    const known = links.get(nameOf(link));
    if (known === undefined) links.set(nameOf(link), link);
    else if (link.isRevoked === true) links.set(nameOf(link), { ...known, isRevoked: true });
  }
  return fewestLinks([...links.values()]);
}

/** Somebody said why it is over; a portal that was only not found may be found again. */
function isKnownToEnd({ ended }: PortalRecord): boolean {
  return ended !== null && ended !== "unknown";
}

function nameOf({ path, link }: RecordLink): string {
  return path ?? `name ${link}`;
}

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
