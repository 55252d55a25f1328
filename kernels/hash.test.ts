import { readFileSync } from "node:fs";
import { blake3 } from "@noble/hashes/blake3.js";
import { hash as jitHash } from "blake3-jit";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../core/ports/engine.ts";
import { MAX_CHUNK_BYTES } from "../core/units.ts";
import { noise } from "../tests/support/bytes.ts";
import { loadEngine, loadKernels } from "../tests/support/kernels.ts";

interface Vectors {
  readonly cases: readonly { readonly input_len: number; readonly hash: string }[];
}
const vectors = JSON.parse(
  readFileSync(new URL("../tests/vectors/blake3_test_vectors.json", import.meta.url), "utf8"),
) as Vectors;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const vectorInput = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i % 251);

/** Every place where the tree changes its shape, one byte around it. */
const BOUNDARIES = [0, 1, 2, 3, 4, 5, 8, 15, 16, 17, 31, 32, 33, 64, 100, 128, 256, 1024, 4096].map((n) => n * 1024);
const LENGTHS = [...BOUNDARIES, 64, 128, 960, 16 * 1024 + 64]
  .flatMap((length) => [length - 1, length, length + 1])
  .filter((length) => length >= 0 && length <= MAX_CHUNK_BYTES);

describe("BLAKE3 kernels", () => {
  let engine: Engine;
  const data = noise(MAX_CHUNK_BYTES + 64, "hash");

  beforeAll(async () => {
    engine = await loadEngine();
  });

  it.each(vectors.cases)("equals the published vector of $input_len bytes", async ({ input_len, hash }) => {
    const input = vectorInput(input_len);
    expect(hex(await engine.hash(input, Uint32Array.of(input_len)))).toBe(hash.slice(0, 64));
    const hasher = engine.createFileHasher();
    hasher.update(input);
    expect(hex(hasher.digest())).toBe(hash.slice(0, 64));
  });

  it("equals two independent libraries at every boundary, at any alignment", async () => {
    for (const [i, length] of LENGTHS.entries()) {
      const input = data.subarray(i % 17, (i % 17) + length);
      const own = hex(await engine.hash(input, Uint32Array.of(length)));
      expect(own, `${length} bytes`).toBe(hex(jitHash(input)));
      if (length <= 300_000) expect(own, `${length} bytes`).toBe(hex(blake3(input)));
    }
  });

  it("hashes consecutive slices, empty ones too, each as itself", async () => {
    const ends = Uint32Array.of(0, 5, 5, 70_000, 70_001, 1_000_000);
    const hashes = await engine.hash(data, ends);
    for (const [i, end] of ends.entries()) {
      expect(hex(hashes.subarray(32 * i, 32 * i + 32))).toBe(hex(jitHash(data.subarray(ends[i - 1] ?? 0, end))));
    }
  });

  it("hashes a stream as a whole, however it is sliced, with several streams at once", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1_500_000 }),
        fc.array(
          fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 400_000 }), fc.constant(65_536)),
        ),
        (length, steps) => {
          const input = data.subarray(0, length);
          const hasher = engine.createFileHasher();
          const other = engine.createFileHasher();
          let at = 0;
          for (const step of steps) {
            hasher.update(input.subarray(at, at + step));
            other.update(data.subarray(at, at + 100));
            at = Math.min(length, at + step);
          }
          hasher.update(input.subarray(at));
          expect(hex(hasher.digest())).toBe(hex(jitHash(input)));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("counts leaves beyond 2^32, as a file of more than 4 TiB needs", async () => {
    const { call, bytes, input, table } = await loadKernels();
    bytes.set(data.subarray(0, 1024), input);
    const hashAt = (counter: bigint, length: number): string => {
      call.hashSlice(input, length, counter, 0, table);
      return hex(bytes.subarray(table, table + 32));
    };
    // A lane that carries into the high word gives what the single leaf with that counter gives.
    const alone = hashAt(2n ** 32n, 1024);
    expect(alone).not.toBe(hashAt(0n, 1024));
    bytes.set(data.subarray(1024, 2048), input);
    bytes.set(data.subarray(0, 1024), input + 1024);
    const left = hashAt(2n ** 32n - 1n, 1024);
    const pair = hashAt(2n ** 32n - 1n, 2048);
    bytes.set(Buffer.from(left + alone, "hex"), table);
    call.hashTree(table, 2, 0);
    expect(hex(bytes.subarray(table, table + 32))).toBe(pair);
  });
});
