import { beforeAll, describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import { hurriedClock } from "../../tests/support/fake-clock.ts";
import { emptyFolder, memoryFile } from "../../tests/support/fake-host.ts";
import { cutPiece, loadEngine } from "../../tests/support/kernels.ts";
import { concat } from "../bytes.ts";
import { cutSizesFor } from "../chunk/cut-sizes.ts";
import { Failure } from "../failure.ts";
import { merkleRoot } from "../hash/merkle.ts";
import type { SourceEntry, SourceFile } from "../ports/byte-source.ts";
import type { Engine } from "../ports/engine.ts";
import { MIB, RUN_BYTES } from "../units.ts";
import type { ScannedBatch } from "./batch.ts";
import { READ_BYTES, readAhead, type Slice } from "./read-ahead.ts";
import { scan } from "./scan.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await loadEngine();
});

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe("reading ahead", () => {
  it("gives every byte in order, and a final slice for each entry, empty ones too", async () => {
    const contents = [noise(0, 0), noise(1, 1), noise(READ_BYTES, 2), noise(2 * READ_BYTES + 5, 3)];
    const entries = [...contents.map((bytes, i) => memoryFile(`${i}`, bytes)), emptyFolder("d")];
    const slices = await collect(readAhead(entries));
    for (const [index, bytes] of contents.entries()) {
      const own = slices.filter(({ entry }) => entry === index);
      expect(Buffer.concat(own.map((slice) => slice.bytes)).equals(bytes)).toBe(true);
      expect(own.map(({ final }) => final)).toEqual([...Array<boolean>(own.length - 1).fill(false), true]);
    }
    expect(slices.map(({ entry }) => entry)).toEqual([0, 1, 2, 3, 3, 3, 4]);
    expect(slices.at(-1)).toEqual({ entry: 4, bytes: new Uint8Array(0), final: true });
  });

  it("[CHUNK-5] has a bounded number of bytes read and not yet used", async () => {
    let reading = 0;
    let peak = 0;
    const file = (path: string, size: number): SourceFile => ({
      ...memoryFile(path, new Uint8Array(0)),
      size,
      read: async (_offset, length) => {
        reading += length;
        peak = Math.max(peak, reading);
        return new Uint8Array(length);
      },
    });
    const entries = [file("large", 100 * MIB), ...Array.from({ length: 200 }, (_, i) => file(`small${i}`, 10_000))];
    let slices = 0;
    for await (const { bytes } of readAhead(entries)) {
      await new Promise((resolve) => setImmediate(resolve));
      reading -= bytes.length;
      slices += 1;
    }
    expect(slices).toBe(25 + 200);
    expect(peak).toBeLessThanOrEqual(16 * MIB);
    expect(peak).toBeGreaterThan(READ_BYTES);
  });

  it("fails in the place of the slice that cannot be read", async () => {
    const bad: SourceFile = {
      ...memoryFile("bad", noise(10, 1)),
      read: () => Promise.reject(new Failure("file/unreadable")),
    };
    const seen: Slice[] = [];
    const reading = (async () => {
      for await (const slice of readAhead([memoryFile("good", noise(10, 2)), bad])) seen.push(slice);
    })();
    await expect(reading).rejects.toThrow("file/unreadable");
    expect(seen.map(({ entry }) => entry)).toEqual([0]);
  });
});

describe("the scan", () => {
  const scanAll = (entries: readonly (SourceEntry | SourceFile)[]): Promise<ScannedBatch[]> =>
    collect(scan(entries, engine, cutSizesFor(0), hurriedClock));

  it("[CHUNK-1] finds the cuts and hashes that the engine finds in the whole file, whatever the slices", async () => {
    const bytes = noise(9 * MIB + 321, "file");
    const batches = await scanAll([memoryFile("f", bytes)]);
    const [head, tail] = [bytes.subarray(0, 8 * MIB), bytes.subarray(8 * MIB)];
    const first = await cutPiece(engine, head, cutSizesFor(0), false);
    const ends = Array.from(first.ends);
    const rest = await cutPiece(engine, concat([head.subarray(ends.at(-1)), tail]), cutSizesFor(0), true);
    const lengths = [...ends, ...Array.from(rest.ends, (end) => end + (ends.at(-1) ?? 0))].map(
      (end, i, all) => end - (all[i - 1] ?? 0),
    );
    expect(batches.flatMap(({ chunkBytes }) => chunkBytes)).toEqual(lengths);
    const hashes = Buffer.concat(batches.map(({ chunkHashes }) => chunkHashes));
    expect(hashes.equals(Buffer.concat([first.hashes, rest.hashes]))).toBe(true);
    const end = batches.at(-1)?.events.at(-1);
    expect(end).toEqual({ kind: "end", entry: 0, root: merkleRoot("chunks", hashes) });
    expect(batches.reduce((sum, { plainBytes }) => sum + plainBytes, 0)).toBe(bytes.length);
  });

  it("[CHUNK-2] drops every chunk that it has seen, and points to the first one", async () => {
    const bytes = noise(3 * MIB, "twice");
    const batches = await scanAll([memoryFile("a", bytes), memoryFile("b", bytes), emptyFolder("d")]);
    const events = batches.flatMap((batch) => batch.events);
    const chunks = batches.flatMap(({ chunkBytes }) => chunkBytes).length;
    expect(batches.reduce((sum, { knownBytes }) => sum + knownBytes, 0)).toBe(bytes.length);
    const extents = events.flatMap((event) => (event.kind === "extent" ? [event] : []));
    for (const entry of [0, 1]) {
      const own = extents.filter((extent) => extent.entry === entry);
      expect(
        own.flatMap(({ firstChunk, chunks: count }) => Array.from({ length: count }, (_, i) => firstChunk + i)),
      ).toEqual(Array.from({ length: chunks }, (_, i) => i));
    }
    expect(events.at(-1)).toEqual({ kind: "end", entry: 2, root: null });
  });

  it("[CHUNK-3] gathers new chunks into runs of at most 1 MiB that hold exactly them", async () => {
    const bytes = noise(6 * MIB, "runs");
    const shifted = Buffer.concat([noise(10, 0), bytes]);
    const batches = await scanAll([memoryFile("a", bytes), memoryFile("b", shifted), memoryFile("c", noise(500, 1))]);
    for (const { runs, chunkBytes, bytes: data, chunkHashes } of batches) {
      expect(runs.reduce((sum, { chunks }) => sum + chunks, 0)).toBe(chunkBytes.length);
      let chunk = 0;
      for (const { start, end, chunks } of runs) {
        expect(end - start).toBeLessThanOrEqual(RUN_BYTES);
        const lengths = chunkBytes.slice(chunk, chunk + chunks);
        expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(end - start);
        const ends = Uint32Array.from(lengths.map((_, i) => lengths.slice(0, i + 1).reduce((a, b) => a + b)));
        const hashes = await engine.hash(data.subarray(start, end), ends);
        expect(Buffer.compare(hashes, chunkHashes.subarray(32 * chunk, 32 * (chunk + chunks)))).toBe(0);
        chunk += chunks;
      }
    }
    // Ten bytes in front of a file change a chunk or two, not the rest.
    const known = batches.reduce((sum, { knownBytes }) => sum + knownBytes, 0);
    expect(known).toBeGreaterThan(0.9 * bytes.length);
  });

  it("hands on the very bytes that the engine cut, which it may still hold", async () => {
    const cut: Uint8Array[] = [];
    const watched: Engine = {
      kind: engine.kind,
      batchBytes: engine.batchBytes,
      cut: (bytes, ...rest) => {
        cut.push(bytes);
        return engine.cut(bytes, ...rest);
      },
      hash: (...args) => engine.hash(...args),
      compress: (...args) => engine.compress(...args),
      decompress: (...args) => engine.decompress(...args),
      createFileHasher: () => engine.createFileHasher(),
    };
    const files = [memoryFile("a", noise(9 * MIB, "held")), memoryFile("b", noise(1000, 2))];
    const batches = await collect(scan(files, watched, cutSizesFor(0), hurriedClock));
    expect(batches.map(({ bytes }) => [bytes.byteOffset, bytes.length])).toEqual(
      cut.map(({ byteOffset, length }) => [byteOffset, length]),
    );
    for (const [i, { bytes }] of batches.entries()) expect(bytes.buffer).toBe(cut[i]?.buffer);
  });

  it("[CHUNK-4] hands on batches of bounded size, also of nothing but empty files", async () => {
    const large = await scanAll([memoryFile("a", noise(30 * MIB, "batches"))]);
    for (const batch of large) expect(batch.bytes.length).toBeLessThanOrEqual(8 * MIB);
    expect(large.length).toBeGreaterThan(4);
    const empty = await scanAll(Array.from({ length: 10_000 }, (_, i) => memoryFile(`${i}`, new Uint8Array(0))));
    expect(empty.map(({ events }) => events.length)).toEqual([4096, 4096, 1808]);
    expect(await scanAll([])).toEqual([]);
  });

  it("tells of every run where its bytes lie in the files", async () => {
    const contents = [
      noise(5 * MIB + 7, "a"),
      noise(900, "b"),
      new Uint8Array(0),
      noise(20 * MIB, "c"),
      noise(900, "b"),
    ];
    const batches = await scanAll(contents.map((bytes, i) => memoryFile(`${i}`, bytes)));
    for (const { runs, bytes } of batches) {
      for (const { start, end, spans } of runs) {
        const parts: Uint8Array[] = [];
        for (let i = 0; i < spans.length; i += 3) {
          const [entry = 0, offset = 0, length = 0] = spans.slice(i, i + 3);
          parts.push(contents[entry]?.subarray(offset, offset + length) ?? new Uint8Array(0));
        }
        expect(Buffer.compare(concat(parts), bytes.subarray(start, end))).toBe(0);
      }
    }
  });

  it("[MOVE-11] goes on in the midst of a file as if it had not stopped, and refuses one that changed", async () => {
    const files = [
      memoryFile("a", noise(2 * MIB, "a")),
      memoryFile("b", noise(9 * MIB, "b")),
      memoryFile("c", noise(MIB, "a")),
    ];
    const whole = await scanAll(files);
    const before = whole.slice(0, 2);
    const chunkHashes = concat(before.map((batch) => batch.chunkHashes));
    const extents = before
      .flatMap(({ events }) => events)
      .flatMap((event) => (event.kind === "extent" && event.entry === 1 ? [event] : []));
    const openChunks = Uint32Array.from(
      extents.flatMap(({ firstChunk, chunks }) => Array.from({ length: chunks }, (_, i) => firstChunk + i)),
    );
    expect(openChunks.length).toBeGreaterThan(3);
    const begin = { entry: 1, chunkHashes, openChunks };
    const again = await collect(scan(files, engine, cutSizesFor(0), hurriedClock, undefined, begin));
    const hashesOf = (batches: readonly ScannedBatch[]) => concat(batches.map((batch) => batch.chunkHashes));
    expect(Buffer.compare(hashesOf(again), hashesOf(whole.slice(2)))).toBe(0);
    const endsOf = (batches: readonly ScannedBatch[]) =>
      batches.flatMap(({ events }) => events.filter(({ kind, entry }) => kind === "end" && entry > 0));
    expect(endsOf(again)).toEqual(endsOf(whole));

    const changed = noise(9 * MIB, "b");
    changed[70_000] = (changed[70_000] ?? 0) ^ 1;
    for (const other of [changed, noise(9 * MIB, "b").subarray(0, 100_000)]) {
      const entries = [files[0] ?? emptyFolder("a"), memoryFile("b", other)];
      await expect(collect(scan(entries, engine, cutSizesFor(0), hurriedClock, undefined, begin))).rejects.toThrow(
        "file/changed",
      );
    }
  });
});
