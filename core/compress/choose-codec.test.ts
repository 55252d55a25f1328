import { describe, expect, it } from "vitest";
import { type CodecSituation, chooseCodec } from "./choose-codec.ts";
import { entropyBits, isWorthwhile, looksIncompressible, type Probe } from "./entropy.ts";

const MB = 1e6;
const SITUATION: CodecSituation = {
  pathBytesPerSecond: 100 * MB,
  engineBytesPerSecond: 600 * MB,
  lz4: { bytesPerSecond: 500 * MB, ratio: 2.5 },
  zstd: { bytesPerSecond: 300 * MB, ratio: 3.8 },
};
const flat = (count: number): Uint32Array => new Uint32Array(256).fill(count);
const RANDOM: Probe = { histogram: flat(64), repeats: 0, sampledBytes: 16_384 };

describe("choice of codec", () => {
  it("is the strongest while the path is what is slow", () => {
    expect(chooseCodec({ ...SITUATION, pathBytesPerSecond: 10 * MB })).toBe("zstd");
  });

  it("is LZ4 where Zstandard would become what is slow", () => {
    expect(chooseCodec({ ...SITUATION, pathBytesPerSecond: 150 * MB })).toBe("lz4");
  });

  it("is none where the path is faster than compressing", () => {
    expect(chooseCodec({ ...SITUATION, pathBytesPerSecond: 900 * MB })).toBe("none");
  });

  it("is none for what does not shrink, whether measured or probed", () => {
    const stiff = { bytesPerSecond: 500 * MB, ratio: 1 };
    expect(chooseCodec({ ...SITUATION, lz4: stiff, zstd: stiff, pathBytesPerSecond: MB })).toBe("none");
    expect(chooseCodec({ ...SITUATION, probe: RANDOM, pathBytesPerSecond: MB })).toBe("none");
    expect(chooseCodec({ ...SITUATION, probe: { ...RANDOM, repeats: 4000 }, pathBytesPerSecond: MB })).toBe("zstd");
  });
});

describe("entropy", () => {
  it("is eight bits for flat counts, none for one value or nothing, one for two", () => {
    expect(entropyBits(flat(9))).toBeCloseTo(8, 10);
    expect(entropyBits(new Uint32Array(256).fill(5, 3, 4))).toBe(0);
    expect(entropyBits(new Uint32Array(256))).toBe(0);
    expect(entropyBits(new Uint32Array(256).fill(100, 0, 2))).toBeCloseTo(1, 10);
  });

  it("condemns only flat samples without repeats that are large enough to tell", () => {
    expect(looksIncompressible(RANDOM)).toBe(true);
    expect(looksIncompressible({ ...RANDOM, repeats: 200 })).toBe(false);
    expect(looksIncompressible({ ...RANDOM, sampledBytes: 1000 })).toBe(false);
    expect(looksIncompressible({ ...RANDOM, histogram: flat(64).fill(0, 0, 100) })).toBe(false);
  });

  it("counts a result that is 3 % smaller, and no larger one", () => {
    expect([isWorthwhile(1000, 970), isWorthwhile(1000, 971), isWorthwhile(0, 0), isWorthwhile(10, 15)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });
});
