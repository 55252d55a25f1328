import { describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import { MAX_SEALED_PAGE_BYTES } from "../units.ts";
import type { Entry } from "./entry.ts";
import { decodePage, encodePage, type Page } from "./page.ts";
import { PageBuilder } from "./page-builder.ts";

const MAX_PAYLOAD_BYTES = MAX_SEALED_PAGE_BYTES - 32;
const end = { packs: 2 ** 20, runs: 0xffffffff, chunks: 0xffffffff, entries: 1_000_000, packRoot: noise(32, "root") };

/** Adds until the builder is full, then takes a last page. */
function fill(add: (builder: PageBuilder, turn: number) => void): Page {
  const builder = new PageBuilder();
  for (let turn = 0; !builder.full; turn++) add(builder, turn);
  return builder.take(end);
}

describe("the page builder", () => {
  const entry = (path: string): Entry => ({ kind: "file", path, size: Number.MAX_SAFE_INTEGER, mtimeMs: 8.64e15 });
  it.each<[string, (builder: PageBuilder, turn: number) => void]>([
    ["short names", (builder, turn) => builder.addEntry(entry(`${turn}`))],
    ["names of 4,096 letters of three bytes", (builder, turn) => builder.addEntry(entry("\u6f22".repeat(4090) + turn))],
    [
      "runs of one chunk",
      (builder) => builder.addRun({ codec: "zstd", storedBytes: 2 ** 22, chunks: 1 }, noise(32, 1), [2 ** 22]),
    ],
    [
      "runs of 1,024 chunks",
      (builder) =>
        builder.addRun(
          { codec: "none", storedBytes: 2 ** 20, chunks: 1024 },
          noise(32 * 1024, 2),
          Array<number>(1024).fill(2 ** 22),
        ),
    ],
    [
      "extents",
      (builder) => builder.addEvent({ kind: "extent", entry: 999_999, firstChunk: 0xffffffff, chunks: 0xffffffff }),
    ],
    ["ends", (builder) => builder.addEvent({ kind: "end", entry: 999_999, root: noise(32, 3) })],
    ["packs", (builder) => builder.addPack(noise(32, 4))],
  ])("[PAGE-6] never makes a page that does not fit its seal, full of %s", (_what, add) => {
    const encoded = encodePage(fill(add));
    expect(encoded.length).toBeLessThanOrEqual(MAX_PAYLOAD_BYTES);
    expect(encoded.length).toBeGreaterThan(MAX_PAYLOAD_BYTES / 4);
  });

  it("gives everything once and in order", () => {
    const builder = new PageBuilder();
    builder.addEntry({ kind: "directory", path: "d", size: 0, mtimeMs: 0 });
    builder.addRun({ codec: "none", storedBytes: 5, chunks: 2 }, noise(64, 1), [2, 3]);
    builder.addEvent({ kind: "end", entry: 0, root: null });
    builder.addPack(noise(32, 2));
    const first = builder.take(null);
    expect(first.listed).toBe(false);
    expect(decodePage(encodePage(first))).toEqual(first);
    expect(first.chunkBytes).toEqual([2, 3]);
    builder.closeList();
    const second = builder.take(end);
    expect(second).toEqual({
      entries: [],
      listed: true,
      runs: [],
      chunkHashes: new Uint8Array(0),
      chunkBytes: [],
      events: [],
      packHashes: new Uint8Array(0),
      end,
    });
    expect(builder.bytes).toBe(0);
  });

  it("gives what is fresh in slices that make the same page again", () => {
    const [builder, again] = [new PageBuilder(), new PageBuilder()];
    const slices: Page[] = [];
    const slice = (): void => {
      slices.push(builder.fresh(null));
    };
    builder.addEntry(entry("a"));
    slice();
    builder.addRun({ codec: "lz4", storedBytes: 5, chunks: 2 }, noise(64, 1), [3, 4]);
    builder.addPack(noise(32, 2));
    slice();
    slice();
    builder.closeList();
    builder.addRun({ codec: "none", storedBytes: 6, chunks: 1 }, noise(32, 3), [6]);
    builder.addEvent({ kind: "extent", entry: 0, firstChunk: 0, chunks: 3 });
    builder.addEvent({ kind: "end", entry: 0, root: noise(32, 4) });
    slice();
    expect(slices[2]).toMatchObject({ entries: [], runs: [], chunkBytes: [], events: [] });
    for (const rows of slices) again.addRows(rows);
    const page = builder.take(end);
    expect(Buffer.compare(encodePage(again.take(end)), encodePage(page))).toBe(0);
    builder.addEntry(entry("b"));
    expect(builder.fresh(null).entries.map(({ path }) => path)).toEqual(["b"]);
  });
});
