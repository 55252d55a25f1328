import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { noise, objectHash } from "../../tests/support/bytes.ts";
import { ObjectHasher } from "./object-hasher.ts";

const SEGMENT = 512 * 1024;

function hash(bytes: Uint8Array, cut: number): Uint8Array {
  const hasher = new ObjectHasher();
  for (let at = 0; at < bytes.length; at += cut) hasher.update(bytes.subarray(at, at + cut));
  return new Uint8Array(hasher.digest());
}

describe("the hash of an object", () => {
  it.each([0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 3 * SEGMENT, 8 * SEGMENT])(
    "[SEAL-7] of %i bytes does not depend on how they come",
    (length) => {
      const bytes = noise(length, length);
      for (const cut of [64 * 1024, 65_521, SEGMENT, 700_001, 8 * SEGMENT])
        expect(hash(bytes, cut)).toEqual(objectHash(bytes));
    },
  );

  it("[SEAL-7] tells bytes from the digests of others", () => {
    const bytes = noise(2 * SEGMENT, "two");
    const [first, second] = [bytes.subarray(0, SEGMENT), bytes.subarray(SEGMENT)];
    const exchanged = new Uint8Array(bytes.length);
    exchanged.set(second);
    exchanged.set(first, SEGMENT);
    const digests = Buffer.concat([first, second].map((each) => createHash("sha256").update(each).digest()));
    const others = [exchanged, digests, first].map((each) => hash(each, SEGMENT));
    for (const other of others) expect(other).not.toEqual(hash(bytes, SEGMENT));
  });
});
