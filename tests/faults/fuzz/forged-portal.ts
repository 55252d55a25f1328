/**
 * A portal made by hand by somebody who holds its keys: everything is sealed as it should be, and one thing in it is a lie.
 *
 * @module
 */
import { merkleRoot } from "../../../core/hash/merkle.ts";
import type { EntryEvent, Page, RunRow } from "../../../core/manifest/page.ts";
import type { Engine } from "../../../core/ports/engine.ts";
import { createSealBuffer, seal } from "../../../core/seal/seal.ts";
import { KIB, MAX_SEALED_PAGE_BYTES, SEALED_PACK_BYTES } from "../../../core/units.ts";
import { encodeCanonical } from "../../../core/wire/codec.ts";
import type { SealedObject } from "../../../core/wire/object.ts";
import { noise } from "../../support/bytes.ts";
import { FakeRelay } from "../../support/fake-relay.ts";
import { createPortal, type Portal } from "../../support/fake-transfer.ts";

export const CHUNK_BYTES = 30 * KIB;
const CHUNKS = 4;

/** What a forger changes. */
export interface Forgery {
  /** The manifest, before it is encoded: one page or more. */
  readonly pages?: (page: Page) => readonly Page[];
  /** A page's encoded value, before it is sealed. */
  readonly value?: (value: Record<string, unknown>) => unknown;
  /** The payload of the one pack. */
  readonly payload?: (payload: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;
}

export interface Forged {
  readonly relay: FakeRelay;
  readonly portal: Portal;
  /** The files as an honest sender's receiver has them. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** The honest page: two files of two chunks, a repetition of the first, and an empty folder. */
export async function honestPage(
  engine: Engine,
  content: Uint8Array<ArrayBuffer>,
): Promise<Omit<Page, "packHashes" | "end">> {
  const ends = Uint32Array.from({ length: CHUNKS }, (_, i) => (i + 1) * CHUNK_BYTES);
  const hashes = await engine.hash(content, ends);
  const rootOf = (from: number, to: number) => merkleRoot("chunks", hashes.subarray(32 * from, 32 * to));
  const run: RunRow = { codec: "none", storedBytes: 2 * CHUNK_BYTES, chunks: 2 };
  const file = (path: string) => ({ kind: "file" as const, path, size: 2 * CHUNK_BYTES, mtimeMs: 1_700_000_000_000 });
  const whole = (entry: number, firstChunk: number): EntryEvent[] => [
    { kind: "extent", entry, firstChunk, chunks: 2 },
    { kind: "end", entry, root: rootOf(firstChunk, firstChunk + 2) },
  ];
  return {
    entries: [file("a"), file("d/b"), file("d/c"), { kind: "directory", path: "empty", size: 0, mtimeMs: 0 }],
    listed: true,
    runs: [run, run],
    chunkHashes: hashes,
    chunkBytes: Array.from({ length: CHUNKS }, () => CHUNK_BYTES),
    events: [...whole(0, 0), ...whole(1, 2), ...whole(2, 0), { kind: "end", entry: 3, root: null }],
  };
}

/** Puts the forged portal on a relay. */
export async function forge(engine: Engine, { pages, value, payload }: Forgery): Promise<Forged> {
  const relay = new FakeRelay();
  const portal = await createPortal();
  const content = noise(CHUNKS * CHUNK_BYTES, "forged");
  const stored = payload?.(content.slice()) ?? content;
  const { keys, link } = portal;
  const buffer = createSealBuffer(SEALED_PACK_BYTES);
  buffer.room.set(stored);
  const pack = await seal(keys.pack, link.portal, "pack", 0, true, buffer, stored.length);
  const rows = await honestPage(engine, content);
  const packRoot = merkleRoot("packs", pack.header.hash);
  const end = { packs: 1, runs: rows.runs.length, chunks: CHUNKS, entries: rows.entries.length, packRoot };
  const page: Page = { ...rows, packHashes: pack.header.hash, end };
  relay.objects.set("pack 0", pack);
  const all = pages?.(page) ?? [page];
  for (const [index, each] of all.entries()) {
    const sealed = await sealPage(portal, index, index === all.length - 1, each, value);
    relay.objects.set(`page ${index}`, sealed);
  }
  relay.commitment = { packs: 1, pages: all.length, root: relay.root };
  const piece = (from: number) => content.subarray(from * CHUNK_BYTES, (from + 2) * CHUNK_BYTES);
  return {
    relay,
    portal,
    files: new Map([
      ["a", piece(0)],
      ["d/b", piece(2)],
      ["d/c", piece(0)],
    ]),
  };
}

async function sealPage(
  { keys, link }: Portal,
  index: number,
  final: boolean,
  page: Page,
  value: Forgery["value"] = (same) => same,
): Promise<SealedObject> {
  const buffer = createSealBuffer(MAX_SEALED_PAGE_BYTES);
  // Not by `encodePage`: a forger's values need not be of the right types.
  const encoded = encodeCanonical(value(plainPage(page)));
  buffer.room.set(encoded);
  return seal(keys.page, link.portal, "page", index, final, buffer, encoded.length);
}

/** A page as docs/protocol.md has it. */
function plainPage(page: Page): Record<string, unknown> {
  const roots = page.events.flatMap((event) => (event.kind === "end" && event.root !== null ? [event.root] : []));
  return {
    v: 1,
    e: page.entries.map(({ kind, path, size, mtimeMs }) => [kind === "file" ? 0 : 1, path, size, mtimeMs]),
    l: page.listed,
    r: page.runs.flatMap(({ codec, storedBytes, chunks }) => [
      ["none", "lz4", "zstd"].indexOf(codec),
      storedBytes,
      chunks,
    ]),
    h: page.chunkHashes,
    n: page.chunkBytes,
    x: page.events.flatMap((event) =>
      event.kind === "extent" ? [event.entry, event.chunks, event.firstChunk] : [event.entry, 0, event.root ? 1 : 0],
    ),
    d: new Uint8Array(Buffer.concat(roots)),
    p: page.packHashes,
    z: page.end && { ...page.end },
  };
}
