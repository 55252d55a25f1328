/**
 * One manifest page as plain data and as canonical MessagePack. Pages are append-only: each carries what became known
 * since the one before, in columns, because a page of a large transfer is thousands of chunks.
 *
 * Positions are implicit: the runs lie in the pack stream one after the other, chunks and entries are numbered in
 * order of appearance. Checking that everything adds up is manifest.ts.
 *
 * @module
 */

import { Failure } from "../failure.ts";
import type { Codec } from "../ports/engine.ts";
import { MAX_CHUNK_BYTES, MAX_ENTRIES, MAX_PACKS, MAX_PATH_BYTES, MAX_SEALED_PAGE_BYTES } from "../units.ts";
import { asArray, asBytes, asFields, asInteger, asString } from "../wire/check.ts";
import { decodeCanonical, encodeCanonical } from "../wire/codec.ts";
import type { Entry } from "./entry.ts";

/** A run: consecutive new chunks compressed together. */
export interface RunRow {
  readonly codec: Codec;
  /** Bytes in the pack stream. */
  readonly storedBytes: number;
  readonly chunks: number;
}

/**
 * What happens to entries, in order: an extent appends chunks `[firstChunk, firstChunk + chunks)` to an entry; an end
 * says that the entry is complete and, for a file, gives its identity.
 */
export type EntryEvent =
  | { readonly kind: "extent"; readonly entry: number; readonly firstChunk: number; readonly chunks: number }
  | { readonly kind: "end"; readonly entry: number; readonly root: Uint8Array<ArrayBuffer> | null };

/** Totals in the last page. */
export interface ManifestEnd {
  readonly packs: number;
  readonly runs: number;
  readonly chunks: number;
  readonly entries: number;
  /** Merkle root over the sealed packs' hashes, u8[32]. */
  readonly packRoot: Uint8Array<ArrayBuffer>;
}

/** One page; its arrays are given by `decodePage` and borrowed by `encodePage`. */
export interface Page {
  readonly entries: readonly Entry[];
  /** True from the page on that completes the list of entries. */
  readonly listed: boolean;
  readonly runs: readonly RunRow[];
  /** BLAKE3-256 of the new chunks, u8[chunks, 32], and their plaintext lengths. */
  readonly chunkHashes: Uint8Array;
  readonly chunkBytes: readonly number[];
  readonly events: readonly EntryEvent[];
  /** Hashes of packs sealed since the last page, u8[packs, 32]. */
  readonly packHashes: Uint8Array;
  readonly end: ManifestEnd | null;
}

const PAGE_VERSION = 1;
/** The last moment that a Date can hold. */
const MAX_TIME_MS = 8.64e15;
const CODECS: readonly Codec[] = ["none", "lz4", "zstd"];
/** Rows of one column in one page; a page is at most MAX_SEALED_PAGE_BYTES anyway. */
const MAX_ROWS = MAX_SEALED_PAGE_BYTES;
const LIMITS = {
  maxBytes: MAX_SEALED_PAGE_BYTES,
  malformed: "manifest/malformed",
  tooLarge: "manifest/limit",
} as const;

/** Gives the page's MessagePack bytes. */
export function encodePage(page: Page): Uint8Array<ArrayBuffer> {
  const roots = page.events.flatMap((event) => (event.kind === "end" && event.root !== null ? [event.root] : []));
  return encodeCanonical({
    v: PAGE_VERSION,
    e: page.entries.map((entry) => [entry.kind === "file" ? 0 : 1, entry.path, entry.size, entry.mtimeMs]),
    l: page.listed,
    r: page.runs.flatMap((run) => [CODECS.indexOf(run.codec), run.storedBytes, run.chunks]),
    h: page.chunkHashes,
    n: page.chunkBytes,
    x: page.events.flatMap((event) =>
      event.kind === "extent" ? [event.entry, event.chunks, event.firstChunk] : [event.entry, 0, event.root ? 1 : 0],
    ),
    d: joinRoots(roots),
    p: page.packHashes,
    z: page.end === null ? null : { ...page.end },
  });
}

/** @param bytes borrowed; the result holds copies. @throws Failure `manifest/malformed` | `manifest/limit` */
export function decodePage(bytes: Uint8Array): Page {
  const value = decodeCanonical(bytes, LIMITS);
  try {
    return readPage(value);
  } catch (cause) {
    throw new Failure("manifest/malformed", cause instanceof Failure ? cause.details : {}, { cause });
  }
}

function readPage(value: unknown): Page {
  const f = asFields(value, "page");
  if (Object.keys(f).length !== 10) throw new Failure("wire/malformed", { what: "page fields" });
  asInteger(f["v"], "page version", PAGE_VERSION, PAGE_VERSION);
  if (typeof f["l"] !== "boolean") throw new Failure("wire/malformed", { what: "listed" });
  return {
    entries: asArray(f["e"], "entries", MAX_ROWS).map(readEntry),
    listed: f["l"],
    runs: readRuns(asArray(f["r"], "runs", MAX_ROWS)),
    chunkHashes: asBytes(f["h"], "chunk hashes").slice(),
    chunkBytes: asArray(f["n"], "chunk lengths", MAX_ROWS).map((n) => asInteger(n, "chunk length", MAX_CHUNK_BYTES, 1)),
    events: readEvents(asArray(f["x"], "events", MAX_ROWS), asBytes(f["d"], "roots")),
    packHashes: asBytes(f["p"], "pack hashes").slice(),
    end: f["z"] === null ? null : readEnd(f["z"]),
  };
}

function readEntry(value: unknown): Entry {
  const row = asArray(value, "entry", 4);
  if (row.length !== 4) throw new Failure("wire/malformed", { what: "entry" });
  return {
    kind: asInteger(row[0], "entry kind", 1) === 0 ? "file" : "directory",
    path: asString(row[1], "path", MAX_PATH_BYTES),
    size: asInteger(row[2], "size"),
    mtimeMs: asInteger(row[3], "mtime", MAX_TIME_MS),
  };
}

function readRuns(flat: readonly unknown[]): RunRow[] {
  if (flat.length % 3 !== 0) throw new Failure("wire/malformed", { what: "runs" });
  return Array.from({ length: flat.length / 3 }, (_, i) => ({
    codec: CODECS[asInteger(flat[3 * i], "codec", CODECS.length - 1)] as Codec,
    storedBytes: asInteger(flat[3 * i + 1], "stored", 2 * MAX_CHUNK_BYTES, 1),
    chunks: asInteger(flat[3 * i + 2], "chunks", MAX_ROWS, 1),
  }));
}

function readEvents(flat: readonly unknown[], roots: Uint8Array): EntryEvent[] {
  if (flat.length % 3 !== 0 || roots.length % 32 !== 0) throw new Failure("wire/malformed", { what: "events" });
  let used = 0;
  const events = Array.from({ length: flat.length / 3 }, (_, i): EntryEvent => {
    const entry = asInteger(flat[3 * i], "entry index", MAX_ENTRIES - 1);
    const chunks = asInteger(flat[3 * i + 1], "chunk count", 0xffffffff);
    if (chunks > 0)
      return { kind: "extent", entry, chunks, firstChunk: asInteger(flat[3 * i + 2], "chunk", 0xffffffff) };
    if (asInteger(flat[3 * i + 2], "root flag", 1) === 0) return { kind: "end", entry, root: null };
    const root = roots.slice(used, used + 32) as Uint8Array<ArrayBuffer>;
    used += 32;
    return { kind: "end", entry, root };
  });
  if (used !== roots.length) throw new Failure("wire/malformed", { what: "roots" });
  return events;
}

function readEnd(value: unknown): ManifestEnd {
  const f = asFields(value, "end");
  if (Object.keys(f).length !== 5) throw new Failure("wire/malformed", { what: "end fields" });
  return {
    packs: asInteger(f["packs"], "packs", MAX_PACKS),
    runs: asInteger(f["runs"], "runs", 0xffffffff),
    chunks: asInteger(f["chunks"], "chunks", 0xffffffff),
    entries: asInteger(f["entries"], "entries", MAX_ENTRIES),
    packRoot: asBytes(f["packRoot"], "pack root", 32).slice(),
  };
}

function joinRoots(roots: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(roots.length * 32);
  for (const [i, root] of roots.entries()) out.set(root, i * 32);
  return out;
}
