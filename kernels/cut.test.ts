import { hash as jitHash } from "blake3-jit";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { concat } from "../core/bytes.ts";
import { cutRule, cutSizesFor, MAX_BATCH_BYTES } from "../core/chunk/cut-sizes.ts";
import { GEAR, gearFinder } from "../core/chunk/gear.ts";
import { cutEnds, STRICT_CANDIDATE, selectCuts } from "../core/chunk/select-cuts.ts";
import type { CutSizes, Engine } from "../core/ports/engine.ts";
import { GIB, MIB } from "../core/units.ts";
import { noise, prose } from "../tests/support/bytes.ts";
import { cutPiece, loadEngine, loadKernels } from "../tests/support/kernels.ts";
import type { Kernels } from "./loader.ts";

const SMALL = cutSizesFor(0);
const TINY: CutSizes = { minBytes: 64, averageBytes: 256, maxBytes: 1024 };

/** As in the kernel. */
const STRIP = 768;
const BLOCK = 6 * STRIP;
/** Zero bits that make a lone candidate. */
const BITS = 14;

/** Ends and hashes of a file that an engine gets in reads of the given sizes, repeated. */
async function cutInReads(engine: Engine, file: Uint8Array<ArrayBuffer>, sizes: CutSizes, reads: readonly number[]) {
  const ends: number[] = [];
  const hashes: string[] = [];
  let start = 0;
  let seen = 0;
  for (let i = 0; start < file.length; i++) {
    seen = Math.min(file.length, seen + (reads[i % reads.length] ?? file.length));
    const cut = await cutPiece(engine, file.subarray(start, seen), sizes, seen === file.length);
    for (const [row, end] of cut.ends.entries()) {
      ends.push(start + end);
      hashes.push(Buffer.from(cut.hashes.subarray(32 * row, 32 * row + 32)).toString("hex"));
    }
    expect(cut.hashes).toHaveLength(32 * cut.ends.length);
    start = ends.at(-1) ?? 0;
  }
  return { ends, hashes };
}

/** The slow truth: every position judged by itself. */
function listCandidates(bytes: Uint8Array, looseBits: number, strictBits: number): number[] {
  const found: number[] = [];
  for (let i = 0; i < bytes.length; i++) {
    let state = 0;
    for (let k = 0; k < 32 && k <= i; k++) state = (state + ((GEAR[bytes[i - k] ?? 0] ?? 0) << k)) | 0;
    if (state >>> (32 - looseBits) === 0) found.push(state >>> (32 - strictBits) === 0 ? i + STRICT_CANDIDATE : i);
  }
  return found;
}

/** Bytes that make the position of their last one, and no other, a candidate when they stand among those of `quiet`. */
function loneCandidate(quiet: Uint8Array): Uint8Array {
  const [before, after] = [quiet.slice(0, 64), quiet.slice(0, 64)];
  for (let seed = 0; ; seed++) {
    const lone = noise(32, seed);
    if (String(listCandidates(concat([lone]), BITS, BITS)) !== String([31 + STRICT_CANDIDATE])) continue;
    if (listCandidates(concat([before, lone, after]), BITS, BITS).length === 1) return lone;
  }
}

describe("cut-candidates", () => {
  let kernels: Kernels;
  beforeAll(async () => {
    kernels = await loadKernels();
  });

  function kernelCandidates(bytes: Uint8Array, looseBits: number, strictBits: number, capacity = 16_000): number[] {
    const { call, input, table } = kernels;
    kernels.bytes.set(bytes, input);
    const count = call.cutCandidates(input, input, input + bytes.length, looseBits, strictBits, table, capacity);
    return [...new Uint32Array(kernels.bytes.buffer, table, count)];
  }

  it("finds what the definition says at every length around its strips and blocks, on random and repetitive bytes", () => {
    const around = [1, 2, 3, 4, 5, 6, 7, 12].flatMap((strips) => [-1, 0, 1].map((more) => strips * STRIP + more));
    // The first bytes are judged one by one; blocks follow.
    const afterFirst = around.map((length) => length + 32);
    for (const length of [...Array(301).keys(), ...around, ...afterFirst, 9000, 20_000]) {
      const random = noise(length, "candidates");
      expect(kernelCandidates(random, 4, 7), `${length} random`).toEqual(listCandidates(random, 4, 7));
      const text = prose(length, "candidates");
      expect(kernelCandidates(text, 6, 10), `${length} text`).toEqual(listCandidates(text, 6, 10));
      // Rare ones, so that most blocks have none.
      expect(kernelCandidates(random, 12, 14), `${length} rare`).toEqual(listCandidates(random, 12, 14));
    }
  });

  it("finds a lone candidate at every position of a block, wherever the block lies in memory", () => {
    const { call, input, table, bytes } = kernels;
    // Bytes without candidates, but for one at the end of these last 32.
    const quiet = new Uint8Array(3 * BLOCK);
    const lone = loneCandidate(quiet);
    for (let offset = 0; offset < 8; offset++) {
      const base = input + offset;
      for (let place = 32 + offset; place < 32 + BLOCK + 64; place += 8) {
        const piece = quiet.slice();
        piece.set(lone, place - lone.length + 1);
        bytes.set(piece, base);
        const count = call.cutCandidates(base, base + 32, base + piece.length, BITS, BITS, table, 2);
        expect([count, new Uint32Array(bytes.buffer, table, 1)[0]], `${offset}, ${place}`).toEqual([
          1,
          place + STRICT_CANDIDATE,
        ]);
      }
    }
  });

  it("finds what the definition says between any two positions", () => {
    const { call, input, table, bytes } = kernels;
    const data = noise(30_000, "windows");
    const all = listCandidates(data, 12, 14);
    fc.assert(
      fc.property(
        fc.nat(data.length),
        fc.nat(data.length),
        fc.nat(63),
        fc.constantFrom(1, 2, 16_000),
        (one, other, offset, capacity) => {
          const [from, to] = [Math.min(one, other), Math.max(one, other)];
          const base = input + offset;
          bytes.set(data, base);
          const count = call.cutCandidates(base, base + from, base + to, 12, 14, table, capacity);
          const inside = all.filter((found) => found % STRICT_CANDIDATE >= from && found % STRICT_CANDIDATE < to);
          expect([...new Uint32Array(bytes.buffer, table, count)]).toEqual(inside.slice(0, capacity));
        },
      ),
      { numRuns: 400 },
    );
  });

  it("starts anywhere, and stops when the list is full", () => {
    const bytes = noise(20_000, "window");
    const all = kernelCandidates(bytes, 6, 8);
    expect(kernelCandidates(bytes, 6, 8, 10)).toEqual(all.slice(0, 10));
    const { call, input, table } = kernels;
    for (const from of [1, 30, 31, 32, 5000, 19_999]) {
      const count = call.cutCandidates(input, input + from, input + bytes.length, 6, 8, table, 16_000);
      const inside = all.filter((candidate) => candidate % STRICT_CANDIDATE >= from);
      expect([...new Uint32Array(kernels.bytes.buffer, table, count)]).toEqual(inside);
    }
  });

  it("has no byte whose endless repetition makes every position a candidate", () => {
    for (const g of GEAR) expect(-g >>> (32 - cutRule(SMALL).looseBits)).toBeGreaterThan(0);
  });
});

describe("CPU engine's cuts", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await loadEngine();
  });

  it("equal the plain TypeScript reference, by search and by list, and hash each chunk", async () => {
    for (const file of [noise(3 * MIB, 1), prose(2 * MIB, 2), new Uint8Array(MIB), noise(100, 3)]) {
      const { ends, hashes } = await cutInReads(engine, file, SMALL, [file.length]);
      expect(ends).toEqual([...cutEnds(gearFinder(file), file.length, SMALL, true)]);
      let start = 0;
      for (const [i, end] of ends.entries()) {
        expect(hashes[i]).toBe(Buffer.from(jitHash(file.subarray(start, end))).toString("hex"));
        start = end;
      }
    }
    const file = noise(40_000, 4);
    const { looseBits, strictBits } = cutRule(TINY);
    const listed = Uint32Array.from(listCandidates(file, looseBits, strictBits));
    expect((await cutInReads(engine, file, TINY, [file.length])).ends).toEqual([
      ...selectCuts(listed, file.length, TINY, true),
    ]);
  });

  it("do not depend on how the input is sliced into pieces", async () => {
    const file = noise(2 * MIB, 5);
    const whole = await cutInReads(engine, file, SMALL, [file.length]);
    const mixed = noise(60_000, 6).fill(7, 10_000, 30_000);
    const mixedWhole = await cutInReads(engine, mixed, TINY, [mixed.length]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 30_000, max: 700_000 }), { minLength: 1, maxLength: 8 }),
        async (reads) => {
          expect(await cutInReads(engine, file, SMALL, reads)).toEqual(whole);
        },
      ),
      { numRuns: 25 },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 30 }), async (reads) => {
        expect(await cutInReads(engine, mixed, TINY, reads)).toEqual(mixedWhole);
      }),
      { numRuns: 25 },
    );
  });

  it("keep their sizes and are the average that was asked for", async () => {
    const file = noise(64 * MIB, 7);
    const { ends } = await cutInReads(engine, file, SMALL, [4 * MIB]);
    const sizes = ends.map((end, i) => end - (ends[i - 1] ?? 0));
    expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThanOrEqual(SMALL.minBytes);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(SMALL.maxBytes);
    const average = file.length / ends.length;
    expect(average / SMALL.averageBytes).toBeGreaterThan(0.92);
    expect(average / SMALL.averageBytes).toBeLessThan(1.08);
  });

  it("leave at least 99 % of the bytes in known chunks when one byte is inserted near the start", async () => {
    const file = noise(64 * MIB, 8);
    const before = await cutInReads(engine, file, SMALL, [4 * MIB]);
    const edited = new Uint8Array(file.length + 1);
    edited.set(file.subarray(0, 100_000));
    edited[100_000] = 99;
    edited.set(file.subarray(100_000), 100_001);
    const after = await cutInReads(engine, edited, SMALL, [4 * MIB]);
    const known = new Set(before.hashes);
    let knownBytes = 0;
    for (const [i, hash] of after.hashes.entries()) {
      if (known.has(hash)) knownBytes += (after.ends[i] ?? 0) - (after.ends[i - 1] ?? 0);
    }
    expect(knownBytes / edited.length).toBeGreaterThanOrEqual(0.99);
  });

  it("give an empty final piece no chunk, and a piece that may still go on none either", async () => {
    expect((await cutPiece(engine, new Uint8Array(0), SMALL, true)).ends).toHaveLength(0);
    expect((await cutPiece(engine, noise(10_000, 9), SMALL, false)).ends).toHaveLength(0);
    expect([...(await cutPiece(engine, noise(10_000, 9), SMALL, true)).ends]).toEqual([10_000]);
  });

  it("work in every size class on the largest batch, and refuse a larger one", async () => {
    const piece = new Uint8Array(MAX_BATCH_BYTES);
    for (const total of [0, 11 * GIB, 101 * GIB]) {
      const sizes = cutSizesFor(total);
      const { ends } = await cutPiece(engine, piece, sizes, true);
      expect(ends).toHaveLength(MAX_BATCH_BYTES / sizes.maxBytes);
    }
    const tooLarge = new Uint8Array(MAX_BATCH_BYTES + 1);
    await expect(cutPiece(engine, tooLarge, SMALL, true)).rejects.toThrow("assertion failed");
  });

  it("are the same in a piece that is larger than the kernels' memory", async () => {
    const piece = noise(20 * MIB + 77, "large");
    const reads = await cutInReads(engine, piece, SMALL, [MIB]);
    const whole = await cutInReads(engine, piece, SMALL, [piece.length]);
    expect(whole).toEqual(reads);
  });

  it("come for each piece of a batch", async () => {
    const files = [noise(300_000, 1), new Uint8Array(0), prose(1000, 2), noise(700_000, 3)];
    const batch = concat(files);
    let at = 0;
    const pieces = files.map((file, i) => {
      const start = at;
      at += file.length;
      return { start, end: at, final: i !== files.length - 1 };
    });
    const alone = await Promise.all(files.map((file, i) => cutPiece(engine, file, SMALL, i !== files.length - 1)));
    expect(await engine.cut(batch, pieces, SMALL)).toEqual(alone);
  });
});
