import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import { Failure } from "../failure.ts";
import { formatLink } from "../seal/link.ts";
import { decodeCanonical, encodeCanonical } from "../wire/codec.ts";
import { mergeRecords, sameRecord } from "./merge-records.ts";
import { END_REASONS, MAX_LINKS, PORTAL_KINDS } from "./portal.ts";
import {
  decodeRecord,
  encodeRecord,
  MAX_LABEL_LENGTH,
  MAX_RECORD_BYTES,
  MAX_RECORD_TITLE,
  type PortalRecord,
  RECORD_ORIGINS,
  type RecordLink,
} from "./record.ts";

const portal = noise(16, "portal");
const portalName = Buffer.from(portal).toString("base64url");
const LIMITS = { maxBytes: 65536, malformed: "journal/damaged", tooLarge: "journal/damaged" } as const;

function linkPath(seed: number | string): string {
  return formatLink({ portal, secret: noise(32, `link ${seed}`) });
}

const plain: PortalRecord = {
  as: "sent",
  portal: portalName,
  relayOrigin: "https://relay.example:8443",
  relays: [],
  kind: "send",
  title: "letters.zip",
  bytesTotal: 2 ** 40,
  entriesTotal: 3,
  createdAtMs: 1_700_000_000_000,
  expiresAtMs: 1_700_000_600_000,
  secret: noise(32, "R"),
  ownerSecret: noise(32, "owner"),
  ownerNumber: 0,
  adminLink: null,
  adminToken: null,
  links: [
    { path: linkPath(0), link: null, label: "for Ada", isRevoked: false },
    { path: null, link: Buffer.from(noise(16, "elsewhere")).toString("base64url"), label: "", isRevoked: true },
  ],
  ended: null,
  changedAtMs: 1_700_000_001_000,
};

const time = fc.integer({ min: 0, max: 2 ** 45 });
const bytes32 = fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => new Uint8Array(bytes)));
const text = (maxLength: number) => fc.string({ unit: "grapheme", maxLength: Math.floor(maxLength / 8) });
const anyLink: fc.Arbitrary<RecordLink> = fc.oneof(
  fc.record({
    path: fc.integer({ min: 0, max: 99 }).map(linkPath),
    link: fc.constant(null),
    label: text(MAX_LABEL_LENGTH),
    isRevoked: fc.boolean(),
  }),
  fc.record({
    path: fc.constant(null),
    link: fc.integer({ min: 0, max: 99 }).map((n) => Buffer.from(noise(16, `name ${n}`)).toString("base64url")),
    label: text(MAX_LABEL_LENGTH),
    isRevoked: fc.boolean(),
  }),
);
const anyRecord: fc.Arbitrary<PortalRecord> = fc
  .record({
    as: fc.constantFrom(...RECORD_ORIGINS),
    portal: fc.constant(portalName),
    relayOrigin: fc.constantFrom("http://localhost:8080", "https://relay.example"),
    relays: fc.subarray(["https://b.example", "https://c.example:8443", "http://[::1]:8080", "http://127.0.0.1:81"]),
    kind: fc.constantFrom(...PORTAL_KINDS),
    title: text(MAX_RECORD_TITLE),
    bytesTotal: fc.maxSafeNat(),
    entriesTotal: fc.nat(),
    createdAtMs: time,
    expiresAtMs: fc.option(time),
    secret: bytes32,
    ownerSecret: bytes32,
    adminLink: fc.option(fc.integer({ min: 0, max: 3 }).map(linkPath)),
    adminToken: bytes32,
    links: fc.uniqueArray(anyLink, { maxLength: 8, selector: ({ path, link }) => path ?? link }),
    ended: fc.option(fc.constantFrom(...END_REASONS, "unknown" as const)),
    // Often the same moment: what a relay tells of a portal does not count as a change.
    changedAtMs: fc.oneof(fc.constantFrom(7, 8), time),
    ownerNumber: fc.nat(3),
  })
  .map((record) => ({
    ...record,
    ownerNumber: record.ownerSecret === null ? 0 : record.ownerNumber,
    adminToken: record.adminLink === null ? null : record.adminToken,
  }));

function codeOf(work: () => unknown): string {
  try {
    work();
    return "accepted";
  } catch (error) {
    return error instanceof Failure ? error.code : `not a failure: ${String(error)}`;
  }
}

describe("a record", () => {
  it("comes back as it was written", () => {
    expect(decodeRecord(encodeRecord(plain))).toEqual(plain);
    const managed = { ...plain, adminLink: linkPath("admin"), adminToken: noise(32, "token") };
    expect(decodeRecord(encodeRecord(managed))).toEqual(managed);
  });

  it("comes back as it was written, whatever it holds", () =>
    fc.assert(
      fc.property(anyRecord, (record) => {
        expect(decodeRecord(encodeRecord(record))).toEqual(record);
      }),
    ));

  it("has one written form: what is read is written again alike", () =>
    fc.assert(
      fc.property(anyRecord, (record) => {
        const written = encodeRecord(record);
        expect(encodeRecord(decodeRecord(written))).toEqual(written);
      }),
    ));

  it("[VAULT-11] is never larger than 3 KiB: long texts are cut between characters, links beyond 64 are left out", () => {
    const links = Array.from({ length: MAX_LINKS + 6 }, (_, i) => ({
      path: linkPath(i),
      link: null,
      label: "\u{1f409}".repeat(100),
    }));
    const huge = { ...plain, title: "\u{1f432}".repeat(500), relayOrigin: `https://${"r".repeat(240)}`, links };
    const written = encodeRecord(huge);
    expect(written.length).toBeLessThanOrEqual(MAX_RECORD_BYTES);
    const read = decodeRecord(written);
    expect(read.links.map(({ path }) => path)).toEqual(links.slice(0, MAX_LINKS).map(({ path }) => path));
    expect(huge.title.startsWith(read.title)).toBe(true);
    expect(read.title).toBe(read.title.toWellFormed());
    const dead = { path: linkPath("dead"), link: null, label: "", isRevoked: true };
    const shuffled = decodeRecord(encodeRecord({ ...plain, links: [dead, ...links.slice(0, MAX_LINKS)] }));
    expect(shuffled.links.map(({ path }) => path)).toEqual(links.slice(0, MAX_LINKS).map(({ path }) => path));
    const few = decodeRecord(encodeRecord({ ...huge, links: links.slice(0, 3) }));
    expect(few.title).toBe("\u{1f432}".repeat(MAX_RECORD_TITLE / 2));
    expect(few.links.map(({ label }) => label)).toEqual(Array(3).fill("\u{1f409}".repeat(MAX_LABEL_LENGTH / 2)));
  });

  it("[VAULT-11] is never larger than 3 KiB, however many relays it names: the last links are left out", () => {
    const relays = Array.from({ length: 7 }, (_, i) => `https://${String(i).repeat(247)}`);
    const links = Array.from({ length: MAX_LINKS }, (_, i) => ({ path: linkPath(i), link: null, label: "a label" }));
    const written = encodeRecord({ ...plain, relayOrigin: `https://${"r".repeat(247)}`, relays, links });
    expect(written.length).toBeLessThanOrEqual(MAX_RECORD_BYTES);
    const read = decodeRecord(written);
    expect(read.relays).toEqual(relays);
    expect(read.links.length).toBeGreaterThan(0);
    expect(read.links.map(({ path }) => path)).toEqual(links.slice(0, read.links.length).map(({ path }) => path));
  });

  it("names relays only where there are any, so that one from before there were is read as one at home alone", () => {
    const fields = decodeCanonical(encodeRecord(plain), LIMITS) as Record<string, unknown>;
    expect(fields["o"]).toBe(plain.relayOrigin);
    const several = { ...plain, relays: ["https://b.example", "https://c.example:8443"] };
    expect(decodeRecord(encodeRecord(several))).toEqual(several);
  });

  it("keeps no name of a link beside its path, and no link without both", () => {
    const path = linkPath("named");
    const link = Buffer.from(noise(16, "name")).toString("base64url");
    const record = {
      ...plain,
      links: [
        { path, link, label: "" },
        { path: null, link: null, label: "nothing" },
      ],
    };
    expect(decodeRecord(encodeRecord(record)).links).toEqual([{ path, link: null, label: "", isRevoked: false }]);
  });

  it.each<[string, Partial<PortalRecord>]>([
    [
      "a link of another portal",
      { links: [{ path: formatLink({ portal: noise(16, "x"), secret: noise(32, "y") }), link: null, label: "" }] },
    ],
    ["a cut link", { links: [{ path: linkPath(1).slice(0, -1), link: null, label: "" }] }],
    ["a secret of 31 bytes", { secret: noise(31, "short") }],
    ["an owner's secret of 33 bytes", { ownerSecret: noise(33, "long") }],
    ["a portal's name of 15 bytes", { portal: Buffer.from(noise(15, "p")).toString("base64url"), links: [] }],
    ["an origin that is none", { relayOrigin: "javascript:alert(1)" }],
    ["an origin with a line break", { relayOrigin: "https://a\nb" }],
    ["a further relay that is no origin", { relays: ["https://b.example/"] }],
    ["a further relay twice", { relays: ["https://b.example", "https://b.example"] }],
    ["eight further relays", { relays: Array.from({ length: 8 }, (_, i) => `https://r${i}.example`) }],
    ["a name of a link that is no base64url", { links: [{ path: null, link: "??", label: "" }] }],
  ])("with %s is not written", (_, change) => {
    expect(codeOf(() => encodeRecord({ ...plain, ...change }))).toBe("journal/damaged");
  });

  it("with a number that is none is written with the nearest one", () => {
    const odd = { ...plain, bytesTotal: Number.NaN, entriesTotal: -1, createdAtMs: 12.75, changedAtMs: 2 ** 60 };
    expect(decodeRecord(encodeRecord(odd))).toMatchObject({
      bytesTotal: 0,
      entriesTotal: 0,
      createdAtMs: 12,
      changedAtMs: Number.MAX_SAFE_INTEGER,
    });
  });

  it.each<[string, (fields: Record<string, unknown>) => unknown]>([
    ["no map", () => [1]],
    ["another version", (fields) => ({ ...fields, v: 2 })],
    ["a field too few", ({ m: _, ...fields }) => fields],
    ["a field of another name", ({ m, ...fields }) => ({ ...fields, z: m })],
    ["a list of relays without a further one", (fields) => ({ ...fields, o: [fields["o"]] })],
    ["relays and no home", (fields) => ({ ...fields, o: [] })],
    ["an unknown kind", (fields) => ({ ...fields, k: "steal" })],
    ["a negative number", (fields) => ({ ...fields, b: -1 })],
    ["a fraction", (fields) => ({ ...fields, b: 0.5 })],
    ["a title that is too long", (fields) => ({ ...fields, n: "t".repeat(MAX_RECORD_TITLE + 1) })],
    ["65 links", (fields) => ({ ...fields, l: Array(65).fill([new Uint8Array(32), null, "", false]) })],
    ["a link with neither path nor name", (fields) => ({ ...fields, l: [[null, null, "", false]] })],
    ["a link with both", (fields) => ({ ...fields, l: [[new Uint8Array(32), new Uint8Array(16), "", false]] })],
    ["an owner's secret without its number", (fields) => ({ ...fields, w: new Uint8Array(32) })],
    ["an admin link without its token's place", (fields) => ({ ...fields, d: [new Uint8Array(32)] })],
    ["an end for no reason", (fields) => ({ ...fields, f: "bored" })],
  ])("with %s is refused when it is read", (_, change) => {
    const fields = decodeCanonical(encodeRecord(plain), LIMITS) as Record<string, unknown>;
    expect(codeOf(() => decodeRecord(encodeCanonical(change(fields))))).toBe("journal/damaged");
  });

  it("that is damaged anywhere is refused or another one, and never anything but a coded failure", () => {
    const written = encodeRecord(plain);
    return fc.assert(
      fc.property(fc.nat(written.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, flip, isCut) => {
        const damaged = isCut ? written.slice(0, at) : written.map((byte, i) => (i === at ? byte ^ flip : byte));
        const code = codeOf(() => {
          const read = decodeRecord(damaged);
          expect(encodeRecord(read)).toEqual(damaged);
        });
        expect(["accepted", "journal/damaged"]).toContain(code);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("two records of one portal", () => {
  it("[VAULT-15] become the same one whichever comes first, and again nothing new", () =>
    fc.assert(
      fc.property(anyRecord, anyRecord, (one, other) => {
        const merged = mergeRecords(one, other);
        expect(sameRecord(merged, mergeRecords(other, one))).toBe(true);
        expect(sameRecord(merged, mergeRecords(merged, one))).toBe(true);
        expect(sameRecord(merged, mergeRecords(other, merged))).toBe(true);
      }),
      { numRuns: 500 },
    ));

  it("[VAULT-15] become one that has all links, the later one's text, and the end that is known", () =>
    fc.assert(
      fc.property(anyRecord, anyRecord, (one, other) => {
        fc.pre(one.changedAtMs > other.changedAtMs);
        const merged = mergeRecords(other, one);
        expect(merged).toMatchObject({ title: one.title, expiresAtMs: one.expiresAtMs, changedAtMs: one.changedAtMs });
        const names = (record: PortalRecord) => record.links.map(({ path, link }) => path ?? link);
        expect(new Set(names(merged))).toEqual(new Set([...names(one), ...names(other)]));
        for (const { path, link } of [...one.links, ...other.links].filter(({ isRevoked }) => isRevoked))
          expect(merged.links.find((each) => each.path === path && each.link === link)?.isRevoked).toBe(true);
        const known = [one.ended, other.ended].find((ended) => ended !== null && ended !== "unknown");
        expect(merged.ended).toBe(known ?? one.ended);
      }),
    ));

  it("[VAULT-15] an older record never takes a secret away or puts an old one back", () => {
    const renewed = { ...plain, ownerSecret: noise(32, "renewed"), changedAtMs: plain.changedAtMs + 1 };
    expect(mergeRecords(renewed, plain).ownerSecret).toEqual(renewed.ownerSecret);
    expect(mergeRecords(plain, renewed).ownerSecret).toEqual(renewed.ownerSecret);
    // The device that sends says at the end what it sent; by then another one has replaced the secret.
    const told = { ...plain, title: "told last", changedAtMs: renewed.changedAtMs + 1 };
    const replaced = { ...renewed, ownerNumber: 1 };
    expect(mergeRecords(told, replaced)).toMatchObject({ title: "told last", ownerSecret: renewed.ownerSecret });
    const received = { ...plain, as: "received" as const, ownerSecret: null, secret: null, changedAtMs: 2 ** 44 };
    expect(mergeRecords(received, plain)).toMatchObject({
      as: "sent",
      ownerSecret: plain.ownerSecret,
      secret: plain.secret,
    });
  });

  it("that were only not found may be found again", () => {
    const lost = { ...plain, ended: "unknown" as const };
    expect(mergeRecords(lost, { ...plain, changedAtMs: plain.changedAtMs + 1 }).ended).toBe(null);
    expect(mergeRecords({ ...plain, ended: "time" }, { ...lost, changedAtMs: 2 ** 44 }).ended).toBe("time");
  });
});
