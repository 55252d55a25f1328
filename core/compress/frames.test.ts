import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Failure } from "../failure.ts";
import { LZ4_BLOCK_BYTES, type Lz4Block, readLz4Frame, writeLz4Frame } from "./lz4-frame.ts";
import { checkZstdFrame } from "./zstd-frame.ts";

const block = (length: number, stored: boolean): Lz4Block => ({ bytes: new Uint8Array(length).fill(length), stored });

describe("LZ4 frame", () => {
  it("gives back its blocks", () => {
    const blocks = [block(LZ4_BLOCK_BYTES, true), block(500, false), block(99, true)];
    const frame = writeLz4Frame(blocks);
    expect(readLz4Frame(frame, 2 * LZ4_BLOCK_BYTES + 99)).toEqual(blocks);
    expect(readLz4Frame(writeLz4Frame([]), 0)).toEqual([]);
  });

  it("is refused for any other number of blocks or size of a stored one", () => {
    const frame = writeLz4Frame([block(LZ4_BLOCK_BYTES, true), block(99, true)]);
    for (const size of [
      0,
      1,
      99,
      LZ4_BLOCK_BYTES,
      LZ4_BLOCK_BYTES + 98,
      LZ4_BLOCK_BYTES + 100,
      2 * LZ4_BLOCK_BYTES + 1,
    ]) {
      expect(() => readLz4Frame(frame, size), `${size}`).toThrow(Failure);
    }
  });

  it("is refused when it is cut, longer, empty-blocked, or has another header", () => {
    const frame = writeLz4Frame([block(40, false)]);
    for (let length = 0; length < frame.length; length++) {
      expect(() => readLz4Frame(frame.subarray(0, length), 100)).toThrow(Failure);
    }
    expect(() => readLz4Frame(Uint8Array.of(...frame, 0), 100)).toThrow(Failure);
    expect(() => readLz4Frame(writeLz4Frame([block(0, false)]), 100)).toThrow(Failure);
    for (let i = 0; i < 7; i++) {
      expect(() =>
        readLz4Frame(
          frame.map((byte, at) => (at === i ? byte ^ 1 : byte)),
          100,
        ),
      ).toThrow(Failure);
    }
  });
});

describe("Zstandard frame", () => {
  /** One raw block of `length` bytes, with the size declared in one byte. */
  const raw = (length: number): Uint8Array<ArrayBuffer> =>
    Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, length, 1 | (length << 3), length >> 5, 0, ...new Uint8Array(length));

  it("passes when it is whole and declares the size", () => {
    for (const length of [0, 1, 31, 200]) checkZstdFrame(raw(length), length);
    const withChecksum = Uint8Array.of(...raw(9), 1, 2, 3, 4).map((byte, at) => (at === 4 ? 0x24 : byte));
    checkZstdFrame(withChecksum, 9);
  });

  it("is refused for another size, when cut, followed by more, or with a dictionary", () => {
    const frame = raw(20);
    expect(() => checkZstdFrame(frame, 21)).toThrow(Failure);
    for (let length = 0; length < frame.length; length++) {
      expect(() => checkZstdFrame(frame.subarray(0, length), 20)).toThrow(Failure);
    }
    expect(() => checkZstdFrame(Uint8Array.of(...frame, ...frame), 20)).toThrow(Failure);
    for (const flags of [0x21, 0x28, 0x00]) {
      expect(
        () =>
          checkZstdFrame(
            frame.map((byte, at) => (at === 4 ? flags : byte)),
            20,
          ),
        `${flags}`,
      ).toThrow(Failure);
    }
  });

  it("answers any bytes with nothing or its failure", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(300), (tail, size) => {
        try {
          checkZstdFrame(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, ...tail), size);
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
