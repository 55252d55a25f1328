/**
 * Pieces arrive where they belong, and nothing else changes.
 *
 * @module
 */
import { beforeAll, describe, expect, it } from "vitest";
import { noise } from "../tests/support/bytes.ts";
import { openTestGpu, POISON, runShader } from "../tests/support/gpu.ts";
import { gather } from "./gather.ts";

const SIZES = [1, 2, 3, 0, 4, 63, 64, 65, 255, 256, 257, 511, 1000, 4099, 16_384];

describe("gather", () => {
  let device: GPUDevice;
  beforeAll(async () => {
    device = await openTestGpu("least");
  });

  it("copies pieces of all sizes, from anywhere, and touches nothing between them", async () => {
    const source = new Uint32Array(noise(4 * 20_000, "gather").buffer);
    const targetWords = SIZES.reduce((sum, size) => sum + size + 3, 7);
    const expected = new Uint32Array(targetWords).fill(POISON);
    let at = 5;
    const pieces = SIZES.map((words, i) => {
      const first = (i * 7919) % (source.length - words);
      expected.set(source.subarray(first, first + words), at);
      const piece = [first, at, words, 0];
      at += words + 3;
      return piece;
    });
    // One piece more than the count says, and workgroups in rows that do not divide it.
    const table = Uint32Array.from([...pieces, [0, 0, 100, 0]].flat());
    const params = Uint32Array.of(pieces.length, 0, 0, 0);
    const grid = [4, Math.ceil((pieces.length + 1) / 4)] as const;
    const [target] = await runShader(device, gather, [source, table, 4 * targetWords, params], grid);
    expect(target).toEqual(expected);
  });
});
