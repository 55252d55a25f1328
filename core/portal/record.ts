/**
 * What one of somebody's devices remembers of a portal, its secrets included: how it is written (canonical MessagePack, small
 * enough for one sealed entry of a vault) and read. Two records of one portal become one in merge-records.ts.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { Failure, toFailure } from "../failure.ts";
import { LINK_ID_BYTES, PORTAL_SECRET_BYTES } from "../seal/keys.ts";
import { formatLink, PORTAL_ID_BYTES, parseLink, SECRET_BYTES } from "../seal/link.ts";
import { asArray, asBoolean, asBytes, asFields, asInteger, asOneOf, asString, malformed } from "../wire/check.ts";
import { decodeCanonical, encodeCanonical } from "../wire/codec.ts";
import { END_REASONS, type EndReason, MAX_LINKS, PORTAL_KINDS, type PortalKind } from "./portal.ts";
import { asOrigins, MAX_ORIGIN_LENGTH } from "./relays.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** How a portal came onto the list, see `PortalRecord.as`. */
export const RECORD_ORIGINS = ["sent", "request", "managed", "received", "delivered"] as const;

/** What is remembered of one portal. Times are this machine's, milliseconds since 1970. */
export interface PortalRecord {
  /** Sent or asked for by this person, managed by an admin link, received, or handed in to somebody's request. */
  readonly as: (typeof RECORD_ORIGINS)[number];
  /** The portal's id, base64url. */
  readonly portal: string;
  /** As browsers write it, at most MAX_ORIGIN_LENGTH characters. */
  readonly relayOrigin: string;
  /** Origins of further relays where it lives, or may; of what has ended, those that do not know it yet. At most MAX_FURTHER_RELAYS. */
  readonly relays: readonly string[];
  readonly kind: PortalKind;
  /** A file's name, "12 files", or the title of a request; a longer one is cut. */
  readonly title: string;
  readonly bytesTotal: number;
  readonly entriesTotal: number;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  /** R, u8[32], where it is known. */
  readonly secret: Bytes | null;
  /** u8[32]; null for a portal of somebody else. */
  readonly ownerSecret: Bytes | null;
  /** How often the owner's secret was replaced: the one that was replaced most often is the one of now. */
  readonly ownerNumber?: number;
  /** Path and fragment of the admin link by which it is managed. */
  readonly adminLink: string | null;
  /** That link's token, u8[32], where it cannot be formed again without asking for a password. */
  readonly adminToken?: Bytes | null;
  /** At most MAX_LINKS; the first that was not revoked is the one to show. */
  readonly links: readonly RecordLink[];
  /** Why it is over; `unknown` when its relay knows it no more, or does not tell. Null while nothing says so. */
  readonly ended: EndReason | "unknown" | null;
  /** When a person or a transfer last changed anything of this. */
  readonly changedAtMs: number;
}

/** A link that is remembered: by path and fragment, or, where that is not known, by its public name. */
export interface RecordLink {
  readonly path: string | null;
  /** u8[16], base64url; not kept beside a path, from which it follows. */
  readonly link: string | null;
  /** For its maker alone; a longer one is cut. */
  readonly label: string;
  readonly isRevoked?: boolean;
}

/** Bytes of a record as it is written. */
export const MAX_RECORD_BYTES = 3072;
/** UTF-16 units of a title. */
export const MAX_RECORD_TITLE = 200;
/** UTF-16 units of a link's label. */
export const MAX_LABEL_LENGTH = 60;
const ORIGIN = /^https?:\/\/[\x21-\x7e]{1,255}$/;
const VERSION = 1;
const FIELDS = 16;
const ENDS = [...END_REASONS, "unknown"] as const;
const LIMITS = { maxBytes: MAX_RECORD_BYTES, malformed: "journal/damaged", tooLarge: "journal/damaged" } as const;
/** Lengths of texts and numbers of links, tried one after the other until the record is small enough. */
const SHAPES = [
  ...[MAX_RECORD_TITLE, 100, 50, 25, 12, 6, 0].map((length) => [length, MAX_LINKS] as const),
  ...[48, 32, 16].map((links) => [0, links] as const),
];

/**
 * Writes a record, at most MAX_RECORD_BYTES: texts that are too long are cut, and of more links than MAX_LINKS, or than there is
 * room for, those that were revoked, then the last, are left out.
 * @throws Failure `journal/damaged` for one that is none (a link of another portal, a secret of another length)
 */
export function encodeRecord(record: PortalRecord): Bytes {
  for (const [textLength, maxLinks] of SHAPES) {
    const bytes = encodeCanonical(fieldsOf(record, textLength, maxLinks));
    if (bytes.length > MAX_RECORD_BYTES) continue;
    decodeRecord(bytes);
    return bytes;
  }
  throw new Failure("journal/damaged", { what: "record" });
}

/** Reads a record; its byte strings are copies. @throws Failure `journal/damaged`, nothing else */
export function decodeRecord(bytes: Uint8Array): PortalRecord {
  try {
    return recordOf(decodeCanonical(bytes, LIMITS));
  } catch (cause) {
    throw cause instanceof Failure && cause.code === "journal/damaged"
      ? cause
      : new Failure("journal/damaged", { what: "record" }, { cause });
  }
}

/** Of links that are too many, those that are worth something stay. */
export function fewestLinks(links: readonly RecordLink[], most = MAX_LINKS): readonly RecordLink[] {
  if (links.length <= most) return links;
  return [...links.filter(isUsable), ...links.filter((link) => !isUsable(link))].slice(0, most);
}

function isUsable(link: RecordLink): boolean {
  return link.isRevoked !== true;
}

/** The fields as they are written. @throws Failure `journal/damaged` for a link of another portal, a name that is none */
export function fieldsOf(
  record: PortalRecord,
  textLength: number = MAX_RECORD_TITLE,
  maxLinks: number = MAX_LINKS,
): Record<string, unknown> {
  const links = fewestLinks(
    record.links.filter(({ path, link }) => path !== null || link !== null),
    maxLinks,
  );
  const adminToken = record.adminToken ?? null;
  return {
    v: VERSION,
    a: record.as,
    p: bytesOf(record.portal),
    o: record.relays.length === 0 ? record.relayOrigin : [record.relayOrigin, ...record.relays],
    k: record.kind,
    n: cut(record.title, Math.min(textLength, MAX_RECORD_TITLE)),
    b: whole(record.bytesTotal),
    e: whole(record.entriesTotal),
    c: whole(record.createdAtMs),
    x: record.expiresAtMs === null ? null : whole(record.expiresAtMs),
    s: record.secret,
    w: record.ownerSecret === null ? null : [record.ownerSecret, whole(record.ownerNumber ?? 0)],
    d: record.adminLink === null ? null : [secretOf(record.adminLink, record.portal), adminToken],
    l: links.map(({ path, link, label, isRevoked = false }) => [
      path === null ? null : secretOf(path, record.portal),
      path === null && link !== null ? bytesOf(link) : null,
      cut(label, Math.min(textLength, MAX_LABEL_LENGTH)),
      isRevoked,
    ]),
    f: record.ended,
    m: whole(record.changedAtMs),
  };
}

function recordOf(value: unknown): PortalRecord {
  const fields = asFields(value, "record");
  if (fields["v"] !== VERSION || Object.keys(fields).length !== FIELDS) malformed("record");
  const id = asBytes(fields["p"], "p", PORTAL_ID_BYTES).slice();
  const [home, ...relays] = Array.isArray(fields["o"]) ? fields["o"] : [fields["o"]];
  const relayOrigin = asString(home, "o", MAX_ORIGIN_LENGTH);
  if (!ORIGIN.test(relayOrigin)) malformed("o");
  const pathOf = (secret: unknown) => formatLink({ portal: id, secret: asBytes(secret, "link", SECRET_BYTES).slice() });
  const [ownerSecret, ownerNumber] = fields["w"] === null ? [null, 0] : tuple(fields["w"], "w", 2);
  const admin = fields["d"] === null ? null : tuple(fields["d"], "d", 2);
  return {
    as: asOneOf(fields["a"], RECORD_ORIGINS, "a"),
    portal: base64urlnopad.encode(id),
    relayOrigin,
    relays: Array.isArray(fields["o"]) ? asOrigins(relays, "o", 1) : [],
    kind: asOneOf(fields["k"], PORTAL_KINDS, "k"),
    title: asString(fields["n"], "n", MAX_RECORD_TITLE),
    bytesTotal: asInteger(fields["b"], "b"),
    entriesTotal: asInteger(fields["e"], "e"),
    createdAtMs: asInteger(fields["c"], "c"),
    expiresAtMs: fields["x"] === null ? null : asInteger(fields["x"], "x"),
    secret: secretOrNull(fields["s"], "s"),
    ownerSecret: fields["w"] === null ? null : asBytes(ownerSecret, "w", PORTAL_SECRET_BYTES).slice(),
    ownerNumber: asInteger(ownerNumber, "w"),
    adminLink: admin === null ? null : pathOf(admin[0]),
    adminToken: admin === null ? null : secretOrNull(admin[1], "d"),
    links: asArray(fields["l"], "l", MAX_LINKS).map((each) => {
      const [secret, name, label, isRevoked] = tuple(each, "l", 4);
      if ((secret === null) === (name === null)) malformed("l");
      return {
        path: secret === null ? null : pathOf(secret),
        link: name === null ? null : base64urlnopad.encode(asBytes(name, "l", LINK_ID_BYTES)),
        label: asString(label, "l", MAX_LABEL_LENGTH),
        isRevoked: asBoolean(isRevoked, "l"),
      };
    }),
    ended: fields["f"] === null ? null : asOneOf(fields["f"], ENDS, "f"),
    changedAtMs: asInteger(fields["m"], "m"),
  };
}

function tuple(value: unknown, what: string, length: number): readonly unknown[] {
  const values = asArray(value, what, length);
  return values.length === length ? values : malformed(what);
}

function secretOrNull(value: unknown, what: string): Bytes | null {
  return value === null ? null : asBytes(value, what, PORTAL_SECRET_BYTES).slice();
}

/** The secret of a link of this portal. */
function secretOf(path: string, portal: string): Bytes {
  try {
    const link = parseLink(path);
    if (base64urlnopad.encode(link.portal) === portal) return link.secret;
  } catch (error) {
    throw new Failure("journal/damaged", { what: "link" }, { cause: toFailure(error, "link/cut") });
  }
  throw new Failure("journal/damaged", { what: "link" });
}

function bytesOf(text: string): Uint8Array {
  try {
    return base64urlnopad.decode(text);
  } catch (cause) {
    throw new Failure("journal/damaged", { what: "name" }, { cause });
  }
}

/** Cut between characters; half a character at the end would not be written as it was. */
function cut(text: string, length: number): string {
  return text.slice(0, length).replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, "");
}

function whole(value: number): number {
  return Math.min(Math.max(Math.floor(value) || 0, 0), Number.MAX_SAFE_INTEGER);
}
