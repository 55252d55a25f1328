import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import { effortMs, sequence, withoutStacks } from "../../tests/support/fake-effort.ts";
import { Failure } from "../failure.ts";
import { merkleRoot } from "../hash/merkle.ts";
import { MAX_CHUNK_BYTES, MAX_SEALED_PAGE_BYTES } from "../units.ts";
import { decodeCanonical, encodeCanonical } from "../wire/codec.ts";
import type { Entry } from "./entry.ts";
import { Manifest } from "./manifest.ts";
import { decodePage, type EntryEvent, encodePage, type Page, type RunRow } from "./page.ts";

const file = (path: string, size: number): Entry => ({ kind: "file", path, size, mtimeMs: 1 });
const folder = (path: string): Entry => ({ kind: "directory", path, size: 0, mtimeMs: 0 });
const hashes = noise(32 * 8, "chunk hashes");
const chunkRoot = (...chunks: number[]) =>
  merkleRoot("chunks", Buffer.concat(chunks.map((chunk) => hashes.subarray(32 * chunk, 32 * chunk + 32))));
const packHash = noise(32, "pack");
const extent = (entry: number, firstChunk: number, chunks = 1): EntryEvent => ({
  kind: "extent",
  entry,
  firstChunk,
  chunks,
});
const ended = (entry: number, root: Uint8Array<ArrayBuffer> | null): EntryEvent => ({ kind: "end", entry, root });
const run = (codec: RunRow["codec"], storedBytes: number, chunks: number): RunRow => ({ codec, storedBytes, chunks });

/** A whole manifest in one page: `a` of chunks 0 and 1, an empty folder, `b/c` of chunks 1 and 2, an empty file. */
const good: Page = {
  entries: [file("a", 300), folder("empty"), file("b/c", 500), file("zero", 0)],
  listed: true,
  runs: [run("none", 300, 2), run("lz4", 200, 1)],
  chunkHashes: hashes.subarray(0, 96),
  chunkBytes: [100, 200, 300],
  events: [
    extent(0, 0, 2),
    ended(0, chunkRoot(0, 1)),
    ended(1, null),
    extent(2, 1),
    extent(2, 2),
    ended(2, chunkRoot(1, 2)),
    ended(3, chunkRoot()),
  ],
  packHashes: packHash,
  end: { packs: 1, runs: 2, chunks: 3, entries: 4, packRoot: merkleRoot("packs", packHash) },
};

function codeOf(work: () => unknown): string {
  try {
    work();
    return "accepted";
  } catch (error) {
    return error instanceof Failure ? error.code : `not a failure: ${String(error)}`;
  }
}

/** Reads pages as a receiver does: from bytes. */
function readAll(...pages: readonly Page[]): Manifest {
  const manifest = new Manifest();
  for (const page of pages) manifest.append(decodePage(encodePage(page)));
  return manifest;
}

describe("pages", () => {
  const hash32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => new Uint8Array(bytes));
  const page: fc.Arbitrary<Page> = fc
    .record({
      entries: fc.array(
        fc.record({
          kind: fc.constantFrom("file" as const, "directory" as const),
          path: fc.string({ unit: "grapheme", maxLength: 40 }).filter((path) => path.isWellFormed()),
          size: fc.maxSafeNat(),
          mtimeMs: fc.integer({ min: 0, max: 8.64e15 }),
        }),
        { maxLength: 5 },
      ),
      listed: fc.boolean(),
      runs: fc.array(
        fc.record({
          codec: fc.constantFrom("none" as const, "lz4" as const, "zstd" as const),
          storedBytes: fc.integer({ min: 1, max: 2 * MAX_CHUNK_BYTES }),
          chunks: fc.integer({ min: 1, max: 1000 }),
        }),
        { maxLength: 5 },
      ),
      chunks: fc.array(fc.tuple(hash32, fc.integer({ min: 1, max: MAX_CHUNK_BYTES })), { maxLength: 5 }),
      events: fc.array(
        fc.oneof(
          fc.record({
            kind: fc.constant("extent" as const),
            entry: fc.nat({ max: 999_999 }),
            firstChunk: fc.nat({ max: 0xffffffff }),
            chunks: fc.integer({ min: 1, max: 0xffffffff }),
          }),
          fc.record({
            kind: fc.constant("end" as const),
            entry: fc.nat({ max: 999_999 }),
            root: fc.option(hash32, { nil: null }),
          }),
        ),
        { maxLength: 6 },
      ),
      packs: fc.array(hash32, { maxLength: 3 }),
      end: fc.option(
        fc.record({
          packs: fc.nat({ max: 2 ** 20 }),
          runs: fc.nat({ max: 0xffffffff }),
          chunks: fc.nat({ max: 0xffffffff }),
          entries: fc.nat({ max: 1_000_000 }),
          packRoot: hash32,
        }),
        { nil: null },
      ),
    })
    .map(({ chunks, packs, ...rest }) => ({
      ...rest,
      chunkHashes: new Uint8Array(Buffer.concat(chunks.map(([hash]) => hash))),
      chunkBytes: chunks.map(([, bytes]) => bytes),
      packHashes: new Uint8Array(Buffer.concat(packs)),
    }));

  it("[PAGE-1] come back as they were", () => {
    fc.assert(
      fc.property(page, (plain) => {
        expect(decodePage(encodePage(plain))).toEqual(plain);
      }),
    );
  });

  /** The good page as MessagePack, with one of its columns changed. */
  const changed = (change: Record<string, unknown>) => {
    const limits = { maxBytes: 65_536, malformed: "wire/malformed", tooLarge: "wire/too-large" } as const;
    return encodeCanonical({ ...(decodeCanonical(encodePage(good), limits) as object), ...change });
  };
  it.each<[string, Record<string, unknown>]>([
    ["another version", { v: 2 }],
    ["a column too many", { more: [] }],
    ["a column missing", { z: undefined }],
    ["a column of another type", { n: "text" }],
    ["bytes as text", { h: "text" }],
    ["an entry with a field too many", { e: [[0, "a", 1, 1, 1]] }],
    ["an unknown kind of entry", { e: [[2, "a", 1, 1]] }],
    ["a negative size", { e: [[0, "a", -1, 1]] }],
    ["a fractional size", { e: [[0, "a", 1.5, 1]] }],
    ["a size that is no number", { e: [[0, "a", Number.NaN, 1]] }],
    ["a size past 2^53", { e: [[0, "a", 2 ** 60, 1]] }],
    ["a time that is no number", { e: [[0, "a", 1, Number.NaN]] }],
    ["a time that no calendar has", { e: [[0, "a", 1, 8.64e15 + 1]] }],
    ["a path above the limit", { e: [[0, "a".repeat(4097), 1, 1]] }],
    ["a path that is no text", { e: [[0, 7, 1, 1]] }],
    ["half a run", { r: [0, 300] }],
    ["an unknown codec", { r: [3, 300, 2, 1, 200, 1] }],
    ["a run of no chunks", { r: [0, 300, 0, 1, 200, 1] }],
    ["a run of no bytes", { r: [0, 0, 2, 1, 200, 1] }],
    ["a chunk of no bytes", { n: [0, 200, 300] }],
    ["a chunk above the limit", { n: [100, 200, MAX_CHUNK_BYTES + 1] }],
    ["half an event", { x: [0, 1] }],
    ["an event of an entry past the limit", { x: [1_000_000, 1, 1] }],
    ["an extent of 2^32 chunks", { x: [0, 2 ** 32, 0] }],
    ["an unknown root flag", { x: [0, 0, 2] }],
    ["a root missing", { d: new Uint8Array(64) }],
    ["a root too many", { d: new Uint8Array(128) }],
    ["half a root", { d: new Uint8Array(80) }],
    ["totals with a field missing", { z: { packs: 1, runs: 2, chunks: 3, entries: 4 } }],
    ["a short pack root", { z: { ...good.end, packRoot: new Uint8Array(31) } }],
    ["more packs than a portal holds", { z: { ...good.end, packs: 2 ** 20 + 1 } }],
    ["no answer whether the list is closed", { l: 1 }],
  ])("[PAGE-2] with %s are refused", (_what, change) => {
    expect(codeOf(() => decodePage(changed(change)))).toBe("manifest/malformed");
  });

  it("[PAGE-2] above the limit, or of anything but one map, are refused", () => {
    expect(codeOf(() => decodePage(changed({})))).toBe("accepted");
    expect(codeOf(() => decodePage(new Uint8Array(MAX_SEALED_PAGE_BYTES + 1)))).toBe("manifest/limit");
    for (const value of [null, 1, "page", [], new Uint8Array(3), {}])
      expect(codeOf(() => decodePage(encodeCanonical(value)))).toBe("manifest/malformed");
  });

  it("[PAGE-2] damaged in 20,000 ways give only failures", () => {
    const encoded = encodePage(good);
    const random = sequence(7);
    const allowed = ["accepted", "manifest/malformed", "manifest/limit", "path/rejected"];
    withoutStacks(() => {
      for (let turn = 0; turn < 20_000; turn++) {
        const input = encoded.slice(0, turn % 4 === 0 ? random() % encoded.length : encoded.length);
        for (let flips = turn % 3; flips >= 0; flips--) input[random() % encoded.length] = random() & 255;
        const code = codeOf(() => new Manifest().append(decodePage(input)));
        if (!allowed.includes(code)) throw new Error(code);
      }
    });
  }, 120_000);
});

describe("a manifest", () => {
  it("[PAGE-3] tells where every chunk lies", () => {
    const manifest = readAll(good);
    expect(manifest.totalBytes).toBe(800);
    expect(manifest.run(0)).toEqual({
      codec: "none",
      start: 0,
      storedBytes: 300,
      plainBytes: 300,
      firstChunk: 0,
      chunks: 2,
    });
    expect(manifest.run(1)).toEqual({
      codec: "lz4",
      start: 300,
      storedBytes: 200,
      plainBytes: 300,
      firstChunk: 2,
      chunks: 1,
    });
    expect([0, 1, 2].map((chunk) => manifest.runOf(chunk))).toEqual([0, 0, 1]);
    expect([0, 1, 2].map((chunk) => manifest.chunkBytes(chunk))).toEqual([100, 200, 300]);
    expect(manifest.bytesBetween(1, 3)).toBe(500);
    expect(Buffer.compare(manifest.chunkHashes(1, 2), hashes.subarray(32, 96))).toBe(0);
    expect(Buffer.compare(manifest.packHash(0), packHash)).toBe(0);
    expect(Buffer.compare(manifest.entryRoot(2), chunkRoot(1, 2))).toBe(0);
    expect(manifest.end).toEqual(good.end);
    expect(manifest.listed).toBe(true);
  });

  it("[PAGE-3] may come in as many pages as its sender likes", () => {
    const nothing: Page = {
      entries: [],
      listed: false,
      runs: [],
      chunkHashes: new Uint8Array(0),
      chunkBytes: [],
      events: [],
      packHashes: new Uint8Array(0),
      end: null,
    };
    const manifest = readAll(
      { ...nothing, entries: good.entries.slice(0, 2) },
      { ...nothing, entries: good.entries.slice(2), listed: true },
      { ...nothing, listed: true, runs: good.runs, chunkHashes: good.chunkHashes, chunkBytes: good.chunkBytes },
      { ...nothing, listed: true, events: good.events.slice(0, 4) },
      { ...nothing, listed: true, packHashes: good.packHashes, events: good.events.slice(4) },
      { ...nothing, listed: true, end: good.end },
    );
    expect(manifest.end).toEqual(good.end);
    expect(manifest.entries).toEqual(good.entries);
  });

  it("[PAGE-3] may list an empty folder before or after what lies in it", () => {
    const listed = (...entries: Entry[]) => codeOf(() => readAll({ ...good, end: null, events: [], entries }));
    expect(listed(folder("d"), file("d/f", 1))).toBe("accepted");
    expect(listed(file("d/f", 1), folder("d"))).toBe("accepted");
    expect(listed(file("d/f", 1), folder("d"), folder("d"))).toBe("manifest/malformed");
  });

  const without = <T>(list: readonly T[], at: number) => list.filter((_, i) => i !== at);
  const withEvent = (at: number, event: EntryEvent): Page => ({ ...good, events: good.events.with(at, event) });
  const withEntry = (entry: Entry): Page => ({ ...good, entries: good.entries.with(0, entry) });
  const withEnd = (change: object): Page => ({
    ...good,
    end: { ...(good.end as NonNullable<Page["end"]>), ...change },
  });
  const malformed = "manifest/malformed";
  it.each<[string, Page | Page[], string]>([
    ["a file larger than its chunks", withEntry(file("a", 301)), malformed],
    ["a file smaller than its chunks", withEntry(file("a", 299)), malformed],
    ["a file of 2^53 - 1 bytes beside others", withEntry(file("a", Number.MAX_SAFE_INTEGER)), "manifest/limit"],
    ["a folder with bytes", { ...good, entries: good.entries.with(1, { ...folder("empty"), size: 5 }) }, malformed],
    ["a path out of the folder", withEntry(file("../a", 300)), "path/rejected"],
    ["an absolute path", withEntry(file("/etc/passwd", 300)), "path/rejected"],
    ["an empty path", withEntry(file("", 300)), "path/rejected"],
    ["a path with a control character", withEntry(file("a\u0000b", 300)), "path/rejected"],
    ["a path of half a letter", withEntry(file("\ud800", 300)), "path/rejected"],
    ["a path twice", withEntry(file("b/c", 300)), malformed],
    ["a file where a folder is", withEntry(file("b", 300)), malformed],
    ["a folder where a file is", { ...good, entries: good.entries.with(1, folder("a")) }, malformed],
    ["a file below a file", { ...good, entries: good.entries.with(3, file("a/b", 0)) }, malformed],
    [
      "an entry after the list was closed",
      [
        { ...good, end: null },
        { ...good, entries: [file("new", 1)] },
      ],
      malformed,
    ],
    [
      "a list that opens again",
      [
        { ...good, end: null },
        { ...good, entries: [], listed: false, events: [] },
      ],
      malformed,
    ],
    ["no end of the list", { ...good, listed: false }, malformed],
    ["fewer hashes than chunks", { ...good, chunkHashes: hashes.subarray(0, 64) }, malformed],
    ["more hashes than chunks", { ...good, chunkHashes: hashes.subarray(0, 128) }, malformed],
    ["a chunk outside of runs", { ...good, runs: [run("none", 300, 2)] }, malformed],
    ["a run with more chunks than there are", { ...good, runs: good.runs.with(1, run("lz4", 200, 2)) }, malformed],
    ["runs that overlap in chunks", { ...good, runs: [run("none", 300, 2), run("lz4", 200, 2)] }, malformed],
    ["a stored run of another length", { ...good, runs: good.runs.with(0, run("none", 299, 2)) }, malformed],
    ["a compressed run that is not smaller", { ...good, runs: good.runs.with(1, run("lz4", 300, 1)) }, malformed],
    [
      "a run too long",
      { ...good, chunkBytes: [700_000, 700_000, 300], runs: good.runs.with(0, run("zstd", 9, 2)) },
      malformed,
    ],
    ["an extent past the last chunk", withEvent(4, extent(2, 3)), malformed],
    ["an extent that runs past the last chunk", withEvent(3, extent(2, 1, 3)), malformed],
    ["an extent of 2^32 - 1 chunks", withEvent(0, extent(0, 0, 0xffffffff)), malformed],
    ["an extent that starts at 2^32 - 1", withEvent(0, extent(0, 0xffffffff, 2)), malformed],
    ["an extent of an entry not listed yet", withEvent(0, extent(9, 0, 2)), malformed],
    ["an extent of a later entry", withEvent(0, extent(2, 0, 2)), malformed],
    ["an extent of an entry that ended", withEvent(3, extent(0, 1)), malformed],
    ["an extent of a folder", { ...good, events: good.events.toSpliced(2, 0, extent(1, 0)) }, malformed],
    ["an extent in an empty file", { ...good, events: good.events.toSpliced(6, 0, extent(3, 0)) }, malformed],
    ["an extent missing", { ...good, events: without(good.events, 4) }, malformed],
    ["an extent twice", { ...good, events: good.events.toSpliced(0, 0, extent(0, 0, 2)) }, malformed],
    ["entries that end out of order", { ...good, events: [...good.events.slice(2, 3), ...good.events] }, malformed],
    [
      "an entry that ends twice",
      { ...good, events: good.events.toSpliced(2, 0, ended(0, chunkRoot(0, 1))) },
      malformed,
    ],
    ["an entry that never ends", { ...good, events: good.events.slice(0, -1) }, malformed],
    ["a file without an identity", withEvent(1, ended(0, null)), malformed],
    ["a folder with an identity", withEvent(2, ended(1, chunkRoot())), malformed],
    ["half a pack hash", { ...good, packHashes: packHash.subarray(0, 16) }, malformed],
    ["a pack hash missing", { ...good, packHashes: new Uint8Array(0) }, malformed],
    ["a pack that holds nothing", { ...good, packHashes: noise(64, "two") }, malformed],
    ["another number of packs", withEnd({ packs: 2 }), malformed],
    ["another number of runs", withEnd({ runs: 3 }), malformed],
    ["another number of chunks", withEnd({ chunks: 4 }), malformed],
    ["another number of entries", withEnd({ entries: 3 }), malformed],
    ["another pack root", withEnd({ packRoot: noise(32, "other") }), malformed],
    ["a pack root of another kind of tree", withEnd({ packRoot: merkleRoot("chunks", packHash) }), malformed],
    ["a page after the end", [good, { ...good, end: null, entries: [], events: [], runs: [] }], malformed],
  ])("[PAGE-4] with %s is refused", (_what, pages, code) => {
    expect(codeOf(() => readAll(...[pages].flat()))).toBe(code);
  });

  it("[PAGE-5] costs what its bytes cost, not what they claim", () => {
    // A million one-byte chunks, then pages full of extents that each name all of them.
    const manifest = new Manifest();
    const rows = 8_000;
    const chunks: Page = {
      entries: [file("huge", Number.MAX_SAFE_INTEGER)],
      listed: true,
      runs: Array.from({ length: rows / 1000 }, () => run("none", 1000, 1000)),
      chunkHashes: noise(32 * rows, "many"),
      chunkBytes: Array<number>(rows).fill(1),
      events: [],
      packHashes: new Uint8Array(0),
      end: null,
    };
    for (let page = 0; page < 125; page++) manifest.append({ ...chunks, entries: page === 0 ? chunks.entries : [] });
    expect(manifest.chunkCount).toBe(1_000_000);
    const extents = Array.from({ length: 20_000 }, () => extent(0, 0, 1_000_000));
    const nothing = { ...chunks, entries: [], runs: [], chunkHashes: new Uint8Array(0), chunkBytes: [] };
    expect(effortMs(() => manifest.append({ ...nothing, events: extents }))).toBeLessThan(50);
    const packs = { ...nothing, packHashes: noise(32 * 8_000, "packs") };
    expect(effortMs(() => manifest.append(packs))).toBeLessThan(200);
  });

  it("[PAGE-5] bounds the packs and the folders that a receiver keeps", () => {
    const page = (change: Partial<Page>): Page => ({ ...good, entries: [], events: [], end: null, ...change });
    const repeat = (change: Partial<Page>) =>
      codeOf(() => {
        const manifest = new Manifest();
        for (let turn = 0; turn < 5_000; turn++) manifest.append(page(change));
      });
    const none = { runs: [], chunkHashes: new Uint8Array(0), chunkBytes: [], packHashes: new Uint8Array(0) };
    expect(repeat({ ...none, packHashes: new Uint8Array(32 * 500) })).toBe("manifest/limit");
    const deep = (turn: number) => `${turn}/${Array<string>(60).fill("d").join("/")}`;
    const manifest = new Manifest();
    const listing = () => {
      for (let turn = 0; turn < 100; turn++) {
        const entries = Array.from({ length: 1000 }, (_, i) => file(deep(1000 * turn + i), 1));
        manifest.append(page({ ...none, entries, listed: false }));
      }
    };
    expect(codeOf(listing)).toBe("manifest/limit");
  }, 120_000);
});
