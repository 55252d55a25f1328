/**
 * A sender that holds the link's keys and lies: in what it says of files, of chunks, of packs, and in the packs.
 *
 * @module
 */
import { beforeAll, describe, expect, it } from "vitest";
import { Failure, type FailureCode } from "../../core/failure.ts";
import { merkleRoot } from "../../core/hash/merkle.ts";
import type { EntryEvent, ManifestEnd, Page } from "../../core/manifest/page.ts";
import type { Engine } from "../../core/ports/engine.ts";
import { MAX_CHUNK_BYTES, MIB } from "../../core/units.ts";
import { noise } from "../support/bytes.ts";
import { MemorySink } from "../support/fake-host.ts";
import { startReceive } from "../support/fake-transfer.ts";
import { loadEngine } from "../support/kernels.ts";
import { CHUNK_BYTES, type Forgery, forge } from "./fuzz/forged-portal.ts";
import { usedBytes } from "./fuzz/judge.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await loadEngine();
});

async function receive(forgery: Forgery) {
  const forged = await forge(engine, forgery);
  const sink = new MemorySink();
  const error: unknown = await startReceive(forged.relay, forged.portal, engine, sink).done.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error !== undefined && !(error instanceof Failure)) throw error;
  return { code: error?.code ?? "arrived", sink, files: forged.files };
}

/** One page in place of the honest one. */
const one = (change: (page: Page) => Partial<Page>): Forgery => ({ pages: (page) => [{ ...page, ...change(page) }] });
const entry = (index: number, change: Partial<Page["entries"][number]>): Forgery =>
  one(({ entries }) => ({ entries: entries.map((each, i) => (i === index ? { ...each, ...change } : each)) }));
const events = (change: (events: readonly EntryEvent[]) => readonly EntryEvent[]): Forgery =>
  one((page) => ({ events: change(page.events) }));
const end = (change: Partial<ManifestEnd>): Forgery => one((page) => ({ end: page.end && { ...page.end, ...change } }));
const value = (change: (value: Record<string, unknown>) => Record<string, unknown>): Forgery => ({
  value: (same) => ({ ...same, ...change(same) }),
});
const row = (index: number, column: number, put: unknown): Forgery =>
  value(({ e }) => ({ e: (e as unknown[][]).map((each, i) => (i === index ? each.with(column, put) : each)) }));
const extent = (entryIndex: number, firstChunk: number, chunks = 1): EntryEvent => ({
  kind: "extent",
  entry: entryIndex,
  firstChunk,
  chunks,
});
/** The list in one page and the rest in a second one. */
const later = (change: (rest: Page) => Partial<Page>): Forgery => ({
  pages: (page) => {
    const empty = {
      runs: [],
      chunkHashes: new Uint8Array(0),
      chunkBytes: [],
      events: [],
      packHashes: new Uint8Array(0),
    };
    const rest = { ...page, entries: [] };
    return [
      { ...page, ...empty, end: null },
      { ...rest, ...change(rest) },
    ];
  },
});

const malformed = "manifest/malformed";
const rejected = "path/rejected";

/** Found in the manifest: nothing is asked of the sink. */
const LIES: readonly (readonly [string, FailureCode, Forgery])[] = [
  ["a size too large by one byte", malformed, entry(0, { size: 2 * CHUNK_BYTES + 1 })],
  ["a size too small by one byte", malformed, entry(0, { size: 2 * CHUNK_BYTES - 1 })],
  ["no size at all", malformed, entry(0, { size: 0 })],
  ["a size of 2^53 - 1", "manifest/limit", entry(0, { size: Number.MAX_SAFE_INTEGER })],
  ["a size that is no number", malformed, row(0, 2, Number.NaN)],
  ["an infinite size", malformed, row(0, 2, Number.POSITIVE_INFINITY)],
  ["a negative size", malformed, row(0, 2, -1)],
  ["half a byte", malformed, row(0, 2, 0.5)],
  ["a size as text", malformed, row(0, 2, "61440")],
  ["a folder with bytes", malformed, entry(3, { size: 7 })],
  ["a time that is no number", malformed, row(0, 3, Number.NaN)],
  ["an infinite time", malformed, row(0, 3, Number.NEGATIVE_INFINITY)],
  ["a time before 1970", malformed, row(0, 3, -1)],
  ["a time that no calendar has", malformed, row(0, 3, 8.64e15 + 1)],
  ["a time as a date", malformed, row(0, 3, "2026-01-01")],
  ["an entry that is neither file nor folder", malformed, row(0, 0, 2)],
  ["an extent past the last chunk", malformed, events((all) => all.with(0, extent(0, 3, 2)))],
  ["an extent of 2^32 - 1 chunks", malformed, events((all) => all.with(0, extent(0, 0, 0xffff_ffff)))],
  ["an extent that begins at 2^32 - 1", malformed, events((all) => all.with(0, extent(0, 0xffff_ffff, 2)))],
  ["extents that overlap and give too much", malformed, events((all) => all.toSpliced(1, 0, extent(0, 1)))],
  [
    "the same extent a thousand times",
    malformed,
    events((all) => all.toSpliced(1, 0, ...Array.from({ length: 1000 }, () => extent(0, 0, 2)))),
  ],
  ["an extent for a folder", malformed, events((all) => all.toSpliced(-1, 0, extent(3, 0)))],
  ["an extent for a file that ended", malformed, events((all) => [...all, extent(0, 0)])],
  ["an extent for a file that is not there", malformed, events((all) => all.with(0, extent(999_999, 0, 2)))],
  [
    "files that begin out of order",
    malformed,
    events((all) => [...all.slice(2, 4), ...all.slice(0, 2), ...all.slice(4)]),
  ],
  ["a file that ends twice", malformed, events((all) => all.toSpliced(1, 0, all[1] as EntryEvent))],
  ["a file that ends before it is whole", malformed, events((all) => all.toSpliced(0, 1))],
  ["a file that never ends", malformed, events((all) => all.toSpliced(1, 1))],
  ["a file without an identity", malformed, events((all) => all.with(1, { kind: "end", entry: 0, root: null }))],
  [
    "a folder with an identity",
    malformed,
    events((all) => all.with(-1, { kind: "end", entry: 3, root: noise(32, 1) })),
  ],
  [
    "a run of more chunks than there are",
    malformed,
    one(({ runs }) => ({ runs: [...runs.slice(0, 1), { codec: "none", storedBytes: 2 * CHUNK_BYTES, chunks: 3 }] })),
  ],
  ["chunks that lie in no run", malformed, one(({ runs }) => ({ runs: runs.slice(0, 1) }))],
  ["runs that share their chunks", malformed, one(({ runs }) => ({ runs: [...runs, ...runs] }))],
  [
    "a stored run of another length",
    malformed,
    one(({ runs }) => ({ runs: [...runs.slice(0, 1), { codec: "none", storedBytes: CHUNK_BYTES, chunks: 2 }] })),
  ],
  [
    "a compressed run that is longer than its bytes",
    malformed,
    one(({ runs }) => ({ runs: [...runs.slice(0, 1), { codec: "zstd", storedBytes: 2 * CHUNK_BYTES, chunks: 2 }] })),
  ],
  [
    "a run of two chunks of 4 MiB",
    malformed,
    one(({ chunkBytes }) => ({ chunkBytes: chunkBytes.map(() => MAX_CHUNK_BYTES) })),
  ],
  [
    "a chunk of 4 MiB and a byte",
    malformed,
    one(({ chunkBytes }) => ({ chunkBytes: [MAX_CHUNK_BYTES + 1, ...chunkBytes.slice(1)] })),
  ],
  ["a chunk of nothing", malformed, one(({ chunkBytes }) => ({ chunkBytes: [0, ...chunkBytes.slice(1)] }))],
  ["fewer hashes than chunks", malformed, one(({ chunkHashes }) => ({ chunkHashes: chunkHashes.subarray(32) }))],
  ["a run of no codec", malformed, value(({ r }) => ({ r: (r as number[]).with(0, 3) }))],
  [
    "a run that lies in a pack that does not exist",
    malformed,
    one(({ runs }) => ({ runs: [...runs.slice(0, 1), { codec: "none", storedBytes: 5 * MIB, chunks: 2 }] })),
  ],
  [
    "more packs than the stream fills",
    malformed,
    one((page) => ({ packHashes: noise(64, 2), end: page.end && { ...page.end, packs: 2 } })),
  ],
  [
    "no packs",
    malformed,
    one((page) => ({ packHashes: new Uint8Array(0), end: page.end && { ...page.end, packs: 0 } })),
  ],
  ["2^20 + 1 packs", malformed, end({ packs: 2 ** 20 + 1 })],
  ["another number of runs", malformed, end({ runs: 1 })],
  ["another number of chunks", malformed, end({ chunks: 0xffff_ffff })],
  ["a million entries that are not listed", malformed, end({ entries: 1_000_000 })],
  ["another root of packs", malformed, end({ packRoot: noise(32, 3) })],
  ["a list that never closes", malformed, one(() => ({ listed: false }))],
  ["a field that no page has", malformed, value(() => ({ more: 1 }))],
  ["a later version", malformed, value(() => ({ v: 2 }))],
  ["a name that leads out of the folder", rejected, entry(2, { path: "../../.ssh/authorized_keys" })],
  ["a name that leads out from within", rejected, entry(2, { path: "d/../../x" })],
  ["an absolute name", rejected, entry(2, { path: "/etc/passwd" })],
  ["a name that leads out by backslashes", rejected, entry(2, { path: "d\\..\\..\\x" })],
  ["a name with a NUL", rejected, entry(2, { path: "d/c\u0000.exe" })],
  ["a name that clears a terminal", rejected, entry(2, { path: "\u001b[2J" })],
  ["a name of one dot", rejected, entry(2, { path: "." })],
  ["no name", rejected, entry(2, { path: "" })],
  ["a name of 256 bytes", rejected, entry(2, { path: "x".repeat(256) })],
  ["65 folders in each other", rejected, entry(2, { path: `${"x/".repeat(65)}x` })],
  ["half a letter", rejected, row(2, 1, "\ud800")],
  ["a name twice", malformed, entry(2, { path: "a" })],
  ["a file where a folder is", malformed, entry(2, { path: "d" })],
  ["a folder where a file is", malformed, entry(3, { path: "a" })],
  ["a file below a file", malformed, entry(2, { path: "a/b" })],
];

/** Found when the bytes are there, or when a later page comes: nothing stands under its name that is not right. */
const LATE_LIES: readonly (readonly [string, FailureCode, Forgery])[] = [
  [
    "entries after the list was closed",
    malformed,
    later(() => ({ entries: [{ kind: "file", path: "more", size: 0, mtimeMs: 0 }] })),
  ],
  ["a list that opens again", malformed, later(() => ({ listed: false }))],
  [
    "an extent that comes before its chunks",
    malformed,
    later(({ events: all }) => ({ events: [extent(0, 4, 2), ...all.slice(1)] })),
  ],
  [
    "chunks with wrong hashes",
    "chunk/mismatch",
    one(({ chunkHashes }) => ({ chunkHashes: noise(chunkHashes.length, 4) })),
  ],
  [
    "chunks that changed places",
    "chunk/mismatch",
    {
      payload: (bytes) => new Uint8Array(Buffer.concat([bytes.subarray(CHUNK_BYTES), bytes.subarray(0, CHUNK_BYTES)])),
    },
  ],
  ["one bit of a chunk", "chunk/mismatch", { payload: (bytes) => bytes.fill(0, 0, 1) }],
  ["a pack that holds less than it says", "pack/forged", { payload: (bytes) => bytes.subarray(0, bytes.length - 1) }],
  ["a pack of nothing", "pack/forged", { payload: () => new Uint8Array(0) }],
  [
    "the hash of a pack that it never sent",
    "object/corrupt",
    one(({ end: totals }) => ({
      packHashes: noise(32, 5),
      end: totals && { ...totals, packRoot: merkleRoot("packs", noise(32, 5)) },
    })),
  ],
  [
    "the identity of another file",
    malformed,
    events((all) => all.with(1, { kind: "end", entry: 0, root: noise(32, 6) })),
  ],
  ["a file of other chunks than its identity says", malformed, events((all) => all.with(0, extent(0, 2, 2)))],
  ["chunks of a file in another order", malformed, events((all) => all.toSpliced(0, 1, extent(0, 1), extent(0, 0)))],
  [
    "stored bytes that it calls LZ4",
    "chunk/mismatch",
    one(({ runs }) => ({ runs: runs.map((run) => ({ ...run, codec: "lz4", storedBytes: run.storedBytes - 1 })) })),
  ],
  [
    "stored bytes that it calls Zstandard",
    "chunk/mismatch",
    one(({ runs }) => ({ runs: runs.map((run) => ({ ...run, codec: "zstd", storedBytes: run.storedBytes - 1 })) })),
  ],
  [
    "chunks cut at other places",
    "chunk/mismatch",
    one(({ chunkBytes }) => ({ chunkBytes: chunkBytes.map((bytes, i) => bytes + (i % 2 === 0 ? 100 : -100)) })),
  ],
];

describe("S15: a receiver", () => {
  it("gets everything when nothing is a lie, so that what follows is refused for what it says", async () => {
    const { code, sink, files } = await receive({});
    expect([code, sink.state]).toEqual(["arrived", "finished"]);
    for (const [path, bytes] of files) expect(Buffer.compare(sink.files.get(path) ?? Buffer.of(), bytes)).toBe(0);
    expect(sink.folders).toEqual(["empty"]);
  });

  it.each(LIES)("of %s fails with %s before anything is written", async (_what, expected, forgery) => {
    const { code, sink } = await receive(forgery);
    expect(code).toBe(expected);
    expect([sink.plan, sink.writes, sink.files.size, sink.open, sink.folders.length]).toEqual([undefined, 0, 0, 0, 0]);
  });

  it.each(LATE_LIES)("of %s fails with %s, and no wrong byte stands under a name", async (_what, expected, forgery) => {
    const { code, sink, files } = await receive(forgery);
    expect(code).toBe(expected);
    expect([sink.state, sink.open]).toEqual(["aborted", 0]);
    for (const [path, bytes] of sink.files) expect(Buffer.compare(bytes, files.get(path) ?? Buffer.of())).toBe(0);
    expect(sink.files.size).toBeLessThan(files.size);
  });

  it("of a million names and one more fails with manifest/limit, and keeps nothing of it", async () => {
    const before = usedBytes();
    const perPage = 5000;
    const names = (page: number) =>
      Array.from({ length: perPage }, (_, i) => ({ kind: "file" as const, path: `${page}/${i}`, size: 0, mtimeMs: 0 }));
    const { code, sink } = await receive({
      pages: (page) =>
        Array.from({ length: 202 }, (_, i) => ({
          ...page,
          entries: names(i),
          listed: false,
          runs: [],
          chunkHashes: new Uint8Array(0),
          chunkBytes: [],
          events: [],
          packHashes: new Uint8Array(0),
          end: null,
        })),
    });
    expect([code, sink.plan]).toEqual(["manifest/limit", undefined]);
    // A timer that still runs may hold on to a connection, and with it to the receive, for a moment.
    await expect.poll(() => usedBytes() - before, { timeout: 30_000 }).toBeLessThan(64 * MIB);
  }, 60_000);
});
