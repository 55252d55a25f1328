import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ChunkIndex } from "./chunk-index.ts";

function hashOf(seed: number): Uint8Array<ArrayBuffer> {
  const hash = new Uint8Array(32);
  new DataView(hash.buffer).setUint32(0, Math.imul(seed, 0x9e3779b1));
  new DataView(hash.buffer).setUint32(28, seed);
  return hash;
}

describe("ChunkIndex", () => {
  it("remembers the first number of each hash, through growth", () => {
    const index = new ChunkIndex();
    for (let id = 0; id < 10_000; id++) expect(index.remember(hashOf(id), id)).toBeUndefined();
    for (let id = 0; id < 10_000; id++) expect(index.remember(hashOf(id), 77)).toBe(id);
    expect(index.size).toBe(10_000);
    expect(index.get(hashOf(10_001))).toBeUndefined();
  });

  it("tells hashes apart that begin alike, also those that wrap around the table's end", () => {
    const index = new ChunkIndex();
    const alike = (last: number): Uint8Array => new Uint8Array(32).fill(0xff).fill(last, 31);
    for (let id = 0; id < 200; id++) expect(index.remember(alike(id), 2 ** 32 - 1 - id)).toBeUndefined();
    for (let id = 0; id < 200; id++) expect(index.get(alike(id))).toBe(2 ** 32 - 1 - id);
  });

  it("copies hashes, so that the caller may reuse its buffer", () => {
    const index = new ChunkIndex();
    const buffer = hashOf(1);
    index.remember(buffer, 5);
    buffer.fill(0);
    expect(index.get(hashOf(1))).toBe(5);
    expect(index.get(buffer)).toBeUndefined();
  });

  it("remembers nothing more when it is full, and still knows what it has", () => {
    const index = new ChunkIndex(3);
    for (let id = 0; id < 5; id++) index.remember(hashOf(id), id);
    expect(index.size).toBe(3);
    expect([0, 1, 2, 3, 4].map((id) => index.get(hashOf(id)))).toEqual([0, 1, 2, undefined, undefined]);
  });

  it("equals a Map", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(300), fc.nat())), (operations) => {
        const index = new ChunkIndex();
        const map = new Map<number, number>();
        for (const [seed, id] of operations) {
          expect(index.remember(hashOf(seed), id)).toBe(map.get(seed));
          if (!map.has(seed)) map.set(seed, id);
        }
        expect(index.size).toBe(map.size);
      }),
    );
  });
});
