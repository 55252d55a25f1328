/**
 * The two BLAKE3 shaders together, on a software GPU, against independent libraries and the CPU engine's kernels.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { blake3 } from "@noble/hashes/blake3.js";
import { hash as jitHash } from "blake3-jit";
import { beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../core/ports/engine.ts";
import type { Kernels } from "../kernels/loader.ts";
import { noise } from "../tests/support/bytes.ts";
import { openTestGpu, POISON, runShader } from "../tests/support/gpu.ts";
import { loadEngine, loadKernels } from "../tests/support/kernels.ts";
import { hashLeaves, hashLeavesWorkgroups, leavesOf, SUBTREE } from "./hash-leaves.ts";
import { hashTree, hashTreeWorkgroups } from "./hash-tree.ts";

interface Slice {
  readonly offset: number;
  readonly length: number;
  /** Number of the first leaf in a larger file; a whole file when absent. */
  readonly subtreeAt?: number;
}

interface Vectors {
  readonly cases: readonly { readonly input_len: number; readonly hash: string }[];
}
const vectors = JSON.parse(
  readFileSync(new URL("../tests/vectors/blake3_test_vectors.json", import.meta.url), "utf8"),
) as Vectors;

const MIB = 2 ** 20;
const LENGTHS = [
  ...[0, 1, 2, 3, 4, 5, 63, 64, 65, 127, 128, 1023, 1024, 1025, 2047, 2048, 2049, 3072, 3073, 4096, 5000],
  ...[8191, 8192, 8193, 16_385, 65_536, 65_537],
];
const OFFSETS = [0, 1, 2, 3, 4, 5, 6, 7, 16, 31];
/** Rows of poison behind each output, which must stay. */
const SPARE_ROWS = 3;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("BLAKE3 shaders", () => {
  let device: GPUDevice;
  let engine: Engine;
  let kernels: Kernels;
  const data = noise(MIB + 64, "gpu hash");

  beforeAll(async () => {
    [device, engine, kernels] = await Promise.all([openTestGpu(), loadEngine(), loadKernels()]);
  });

  /** Hashes of slices, in hex, in one dispatch of each shader. */
  async function hashSlices(bytes: Uint8Array, slices: readonly Slice[], columns?: number): Promise<string[]> {
    let leaves = 0;
    const rows: number[] = [];
    for (const { offset, length, subtreeAt } of slices) {
      rows.push(offset, length, leaves, subtreeAt === undefined ? 0 : (subtreeAt | SUBTREE) >>> 0);
      leaves += leavesOf(length);
    }
    const grid = (count: number) => (columns ? ([columns, Math.ceil(count / columns) + 1] as const) : count);
    const table = Uint32Array.from(rows);
    const [cvs = new Uint32Array()] = await runShader(
      device,
      hashLeaves,
      [bytes, table, (leaves + SPARE_ROWS) * 32, Uint32Array.of(slices.length, leaves, 0, 0)],
      grid(hashLeavesWorkgroups(leaves)),
    );
    const [reduced = new Uint32Array(), digests = new Uint32Array()] = await runShader(
      device,
      hashTree,
      [table, cvs, (slices.length + SPARE_ROWS) * 32, Uint32Array.of(slices.length, 0, 0, 0)],
      grid(hashTreeWorkgroups(slices.length)),
    );
    for (const output of [cvs, reduced, digests]) {
      expect([...output.subarray(-SPARE_ROWS * 8)]).toEqual(new Array(SPARE_ROWS * 8).fill(POISON));
    }
    const digestBytes = new Uint8Array(digests.buffer);
    return slices.map((_, i) => hex(digestBytes.subarray(32 * i, 32 * i + 32)));
  }

  const truth = ({ offset, length }: Slice): string => hex(jitHash(data.subarray(offset, offset + length)));

  it("equal the published vectors, all in one dispatch", async () => {
    const longest = Math.max(...vectors.cases.map((one) => one.input_len));
    const input = Uint8Array.from({ length: longest }, (_, i) => i % 251);
    const slices = vectors.cases.map((one) => ({ offset: 0, length: one.input_len }));
    expect(await hashSlices(input, slices)).toEqual(vectors.cases.map((one) => one.hash.slice(0, 64)));
  });

  it("equal two libraries and the CPU engine at every boundary and byte offset, in one dispatch", async () => {
    const slices = OFFSETS.flatMap((offset) => LENGTHS.map((length) => ({ offset, length })));
    const hashes = await hashSlices(data, slices);
    for (const [i, slice] of slices.entries()) {
      const bytes = data.subarray(slice.offset, slice.offset + slice.length);
      const what = `${slice.length} bytes from ${slice.offset}`;
      expect(hashes[i], what).toBe(truth(slice));
      if (slice.offset < 2) expect(hashes[i], what).toBe(hex(blake3(bytes)));
      if (slice.offset < 2) expect(hashes[i], what).toBe(hex(await engine.hash(bytes, Uint32Array.of(slice.length))));
    }
  });

  it("hash a slice of more leaves than a level of the tree has lanes", async () => {
    const slices = [0, 7, 31].map((offset) => ({ offset, length: MIB + 1 }));
    expect(await hashSlices(data, slices)).toEqual(slices.map(truth));
  });

  it("hash as many slices as there are lanes, one more and one less, on any grid", async () => {
    for (const count of [1, 63, 64, 65, 129]) {
      const slices = Array.from({ length: count }, (_, i) => ({ offset: i * 37, length: (i * i * 13) % 2500 }));
      expect(await hashSlices(data, slices), `${count} slices`).toEqual(slices.map(truth));
      expect(await hashSlices(data, slices, 5), `${count} slices, 5 columns`).toEqual(slices.map(truth));
    }
    for (const leaves of [63, 64, 65]) {
      const slices = [0, 1].map((offset) => ({ offset, length: leaves * 1024 }));
      expect(await hashSlices(data, slices), `${leaves} leaves`).toEqual(slices.map(truth));
    }
  });

  it("do not take what lies behind a slice for a part of it", async () => {
    const bytes = data.slice(0, 3000);
    const slices = [0, 5, 1023, 1025].map((length) => ({ offset: 3, length }));
    const before = await hashSlices(bytes, slices);
    bytes.fill(255, 3 + 1025);
    expect(await hashSlices(bytes, slices)).toEqual(before);
    expect(await hashSlices(bytes.slice(0, 3 + 1025), slices)).toEqual(before);
  });

  it("hash subtrees that the host joins to the hash of the file", async () => {
    const { call, bytes, table } = kernels;
    const joined = (values: readonly string[]): string => {
      bytes.set(Buffer.from(values.join(""), "hex"), table);
      call.hashTree(table, values.length, 1);
      return hex(bytes.subarray(table, table + 32));
    };
    const cut = (length: number, step: number): Slice[] =>
      Array.from({ length: Math.ceil(length / step) }, (_, i) => ({
        offset: i * step,
        length: Math.min(step, length - i * step),
        subtreeAt: (i * step) / 1024,
      }));
    for (const [length, step] of [
      [MIB + 1, MIB],
      [300_000, 65_536],
      [4096, 1024],
    ] as const) {
      expect(joined(await hashSlices(data, cut(length, step))), `${length} bytes`).toBe(truth({ offset: 0, length }));
    }
  });

  it("count leaves as the CPU does, up to the highest that a subtree may begin at", async () => {
    const { call, bytes, input, table } = kernels;
    const slices = [1, 63, 2 ** 31 - 2].flatMap((subtreeAt) =>
      [100, 1024, 5000].map((length) => ({ offset: 9, length, subtreeAt })),
    );
    const expected = slices.map(({ offset, length, subtreeAt }) => {
      bytes.set(data.subarray(offset, offset + length), input);
      call.hashSlice(input, length, BigInt(subtreeAt), 0, table);
      return hex(bytes.subarray(table, table + 32));
    });
    expect(await hashSlices(data, slices)).toEqual(expected);
  });
});
