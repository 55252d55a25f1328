import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { decompress as fzstdDecompress } from "fzstd";
import { decompress as lz4jsDecompress } from "lz4js";
import { beforeAll, describe, expect, it } from "vitest";
import { isWorthwhile } from "../core/compress/entropy.ts";
import { writeLz4Frame } from "../core/compress/lz4-frame.ts";
import { Failure } from "../core/failure.ts";
import type { Engine } from "../core/ports/engine.ts";
import { MAX_CHUNK_BYTES } from "../core/units.ts";
import { noise, prose } from "../tests/support/bytes.ts";
import { compressRun, loadEngine, loadKernels } from "../tests/support/kernels.ts";
import { KERNEL_MEMORY_BYTES } from "./loader.ts";

type Decoder = (packed: Uint8Array) => Uint8Array;

/** The decoders of other people: always the npm one, and the command-line tool where it is installed. */
function decoders(tool: string, library: Decoder): Decoder[] {
  const command: Decoder = (packed) => {
    const ran = spawnSync(tool, ["-d", "-c", "-q"], { input: packed, maxBuffer: 2 * MAX_CHUNK_BYTES });
    expect(ran.status, `${tool}: ${ran.stderr}`).toBe(0);
    return new Uint8Array(ran.stdout);
  };
  return spawnSync(tool, ["--version"]).error === undefined ? [library, command] : [library];
}
const DECODERS = {
  lz4: decoders("lz4", lz4jsDecompress),
  zstd: decoders("zstd", (packed) => fzstdDecompress(packed)),
};
const CODECS = ["lz4", "zstd"] as const;

/** Repetitive in ways that reach each branch of the parser: runs, short periods, long matches, noise between. */
function patchwork(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const random = noise(length, seed);
  const draws = noise(4096, seed + 1);
  let at = 0;
  for (let i = 0; at < length; i++) {
    const size = 1 + (draws[i % 4096] ?? 0) * ((draws[(i + 1) % 4096] ?? 0) % 40);
    const kind = (draws[(i + 2) % 4096] ?? 0) % 5;
    if (kind === 0) random.fill(i, at, at + size);
    if (kind === 1) for (let j = at + 3; j < Math.min(length, at + size); j++) random[j] = random[j - 3] ?? 0;
    if (kind === 2 && at > size) random.copyWithin(at, at - size, at);
    if (kind === 3 && at > 70_000) random.copyWithin(at, at - 70_000, at - 70_000 + size);
    at += size;
  }
  return random;
}

const LENGTHS = [64, 1000, 65_535, 65_536, 65_537, 131_072, 200_001, 1 << 20, MAX_CHUNK_BYTES];

describe.each(CODECS)("%s", (codec) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await loadEngine();
  });

  it("output is decoded by independent decoders and by the engine", async () => {
    for (const [i, length] of LENGTHS.entries()) {
      for (const plain of [prose(length, i), patchwork(length, i), new Uint8Array(length)]) {
        const packed = await compressRun(engine, plain, codec);
        if (packed === undefined) continue; // a short patchwork may be incompressible
        expect(isWorthwhile(plain.length, packed.length)).toBe(true);
        expect(Buffer.compare(await engine.decompress(packed, codec, length), plain)).toBe(0);
        for (const decode of DECODERS[codec]) expect(Buffer.compare(decode(packed), plain), `${length}`).toBe(0);
      }
    }
  });

  it("survives any mixture of repetitions", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 300_000 }), fc.nat(1_000_000), async (length, seed) => {
        const plain = patchwork(length, seed);
        const packed = await compressRun(engine, plain, codec);
        if (packed === undefined) return;
        expect(packed.length).toBeLessThanOrEqual(length * 0.97);
        expect(Buffer.compare(await engine.decompress(packed, codec, length), plain)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it("stores what does not become at least 3 % smaller", async () => {
    for (const length of [0, 1, 4, 13, 40, 1000, 5000, 65_536, 1 << 20]) {
      expect(await compressRun(engine, noise(length, length), codec)).toBeUndefined();
    }
    const nearly = noise(1 << 20, "nearly");
    nearly.fill(0, 0, 20_000); // about 2 %
    expect(await compressRun(engine, nearly, codec)).toBeUndefined();
  });

  it("tries what has flat byte counts but repeats", async () => {
    const unit = noise(16_384, "unit");
    const plain = new Uint8Array(1 << 20);
    for (let at = 0; at < plain.length; at += unit.length) plain.set(unit, at);
    expect((await compressRun(engine, plain, codec))?.length).toBeLessThan(plain.length / 2);
  });

  it("answers every malformed input with its code", async () => {
    const plain = patchwork(150_000, 1);
    plain.set(prose(50_000, 1), 1000);
    const packed = (await compressRun(engine, plain, codec)) ?? expect.fail("the sample must be compressible");
    const mutation = fc.tuple(fc.nat(packed.length - 1), fc.nat(255));
    const inputs = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.nat(packed.length - 1).map((length) => packed.slice(0, length)),
      fc.array(mutation, { minLength: 1, maxLength: 6 }).map((edits) => {
        const copy = packed.slice();
        for (const [at, value] of edits) copy[at] = value;
        return copy;
      }),
      fc.uint8Array({ minLength: 1, maxLength: 30 }).map((tail) => Uint8Array.from([...packed, ...tail])),
      fc.uint8Array({ maxLength: 200 }).map((tail) => Uint8Array.from([...packed.subarray(0, 11), ...tail])),
    );
    const sizes = fc.oneof(
      fc.constant(plain.length),
      fc.nat(MAX_CHUNK_BYTES),
      fc.constantFrom(0, -1, 0.5, 2 ** 40, NaN),
    );
    await fc.assert(
      fc.asyncProperty(inputs, sizes, async (input, plainBytes) => {
        const before = Uint8Array.from(input);
        try {
          const out = await engine.decompress(input, codec, plainBytes);
          expect(out).toHaveLength(plainBytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
          expect((error as Failure).code).toBe("chunk/mismatch");
        }
        expect(Buffer.compare(input, before)).toBe(0);
      }),
      { numRuns: 500 },
    );
    // Nothing that was fed to it broke it.
    expect(Buffer.compare(await engine.decompress(packed, codec, plain.length), plain)).toBe(0);
  });

  it("refuses a size that the manifest does not promise", async () => {
    const plain = prose(100_000, 3);
    const packed = (await compressRun(engine, plain, codec)) ?? expect.fail("prose must be compressible");
    for (const size of [0, 1, 65_536, 99_999, 100_001, 1 << 20, 2 ** 32, MAX_CHUNK_BYTES + 1]) {
      await expect(engine.decompress(packed, codec, size)).rejects.toMatchObject({ code: "chunk/mismatch" });
    }
  });
});

describe("decompress-lz4", () => {
  it("never writes outside its output, whatever the block says", async () => {
    const { call, bytes, input, output } = await loadKernels();
    const room = 3000;
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.nat(room), (block, plainBytes) => {
        bytes.fill(0xa5, output - 512, output + room + 512);
        bytes.set(block, input);
        call.decompressLz4(input, block.length, output, plainBytes);
        expect(bytes.subarray(output - 512, output).every((byte) => byte === 0xa5)).toBe(true);
        expect(bytes.subarray(output + plainBytes, output + room + 512).every((byte) => byte === 0xa5)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  it("refuses a match that begins before the output, near the ends and far from them", async () => {
    const { call, bytes, input, output } = await loadKernels();
    for (const behind of [0, 100]) {
      for (const [distance, good] of [
        [0, false],
        [8, true],
        [9, false],
        [255, false],
      ] as const) {
        // Eight literals, a match of four, then literals to the end.
        const tail = behind === 0 ? [0x10, 1] : [0xf0, behind - 15, ...new Uint8Array(behind)];
        const block = [0x80, 1, 2, 3, 4, 5, 6, 7, 8, distance, 0, ...tail];
        bytes.set(block, input);
        const plainBytes = 12 + Math.max(1, behind);
        expect(call.decompressLz4(input, block.length, output, plainBytes), `${distance}`).toBe(good ? 1 : 0);
      }
    }
  });

  it("decodes every distance and length of overlapping matches", async () => {
    const { call, bytes, input, output } = await loadKernels();
    for (let distance = 1; distance <= 40; distance++) {
      for (const length of [4, 5, 15, 18, 19, 20, 33, 100]) {
        const literals = noise(distance, distance);
        const extra = length - 4 >= 15 ? [length - 4 - 15] : [];
        const more = distance >= 15 ? [distance - 15] : [];
        const token = (Math.min(15, distance) << 4) | Math.min(15, length - 4);
        const block = [token, ...more, ...literals, distance, 0, ...extra, 0x10, 7];
        bytes.set(block, input);
        const expected = [...literals];
        for (let i = 0; i < length; i++) expected.push(expected[i] ?? 0);
        expected.push(7);
        expect(call.decompressLz4(input, block.length, output, expected.length)).toBe(1);
        expect([...bytes.subarray(output, output + expected.length)]).toEqual(expected);
      }
    }
  });
});

describe("bombs", () => {
  it("cost no memory: sizes are checked before anything is decoded", async () => {
    const engine = await loadEngine();
    const kernels = await loadKernels();
    expect(kernels.bytes.length).toBe(KERNEL_MEMORY_BYTES);
    // A Zstandard frame that declares 2^50 bytes in runs of one byte.
    const zstd = [0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 4, 0, 0x03, 0, 0x10, 0];
    await expect(engine.decompress(Uint8Array.from(zstd), "zstd", 2 ** 50)).rejects.toBeInstanceOf(Failure);
    await expect(engine.decompress(Uint8Array.from(zstd), "zstd", 1000)).rejects.toBeInstanceOf(Failure);
    const lz4 = writeLz4Frame([
      { bytes: Uint8Array.of(0x1f, 0, 1, 0, ...new Uint8Array(3000).fill(255)), stored: false },
    ]);
    await expect(engine.decompress(lz4, "lz4", 65_536)).rejects.toMatchObject({ code: "chunk/mismatch" });
  });
});
