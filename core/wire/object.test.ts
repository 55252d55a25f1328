import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import { withoutStacks } from "../../tests/support/fake-effort.ts";
import { Failure } from "../failure.ts";
import { MAX_PACKS, MAX_PAGES, MAX_SEALED_PAGE_BYTES, SEALED_PACK_BYTES } from "../units.ts";
import {
  decodeHeader,
  encodeHeader,
  MIN_SEALED_BYTES,
  OBJECT_HEADER_BYTES,
  type ObjectHeader,
  ObjectReader,
  type SealedObject,
} from "./object.ts";

const hash = new Uint8Array(32).fill(9);
const page: ObjectHeader = { kind: "page", final: false, index: 3, length: 100, hash };

function codeOf(work: () => unknown): string {
  try {
    work();
    return "accepted";
  } catch (error) {
    return error instanceof Failure ? error.code : `not a failure: ${String(error)}`;
  }
}

describe("object headers", () => {
  it("[WIRE-9] come back as they were", () => {
    const header = fc.oneof(
      fc.record({
        kind: fc.constant("pack" as const),
        final: fc.constant(true),
        index: fc.integer({ min: 0, max: MAX_PACKS - 1 }),
        length: fc.integer({ min: MIN_SEALED_BYTES, max: SEALED_PACK_BYTES }),
      }),
      fc.record({
        kind: fc.constant("page" as const),
        final: fc.boolean(),
        index: fc.integer({ min: 0, max: MAX_PAGES - 1 }),
        length: fc.integer({ min: MIN_SEALED_BYTES, max: MAX_SEALED_PAGE_BYTES }),
      }),
    );
    fc.assert(
      fc.property(header, (fields) => {
        expect(decodeHeader(encodeHeader({ ...fields, hash }))).toEqual({ ...fields, hash });
      }),
    );
  });

  it.each<[string, Partial<ObjectHeader>, string]>([
    ["a pack that is neither full nor final", { kind: "pack", length: SEALED_PACK_BYTES - 1 }, "object/size"],
    ["a pack above the limit", { kind: "pack", final: true, length: SEALED_PACK_BYTES + 1 }, "wire/too-large"],
    ["a page above the limit", { length: MAX_SEALED_PAGE_BYTES + 1 }, "wire/too-large"],
    ["4 GiB", { length: 0xffffffff }, "wire/too-large"],
    ["less than a seal", { length: MIN_SEALED_BYTES - 1 }, "object/size"],
    ["nothing", { length: 0 }, "object/size"],
    ["a pack past the last", { kind: "pack", final: true, index: MAX_PACKS }, "wire/malformed"],
    ["a page past the last", { index: 0xffffffff }, "wire/malformed"],
  ])("[WIRE-10] are refused for %s", (_what, change, code) => {
    expect(codeOf(() => decodeHeader(encodeHeader({ ...page, ...change })))).toBe(code);
  });

  it.each([
    ["no kind", 0, 0],
    ["an unknown kind", 0, 3],
    ["an unknown flag", 1, 2],
    ["reserved bytes in use", 2, 1],
    ["reserved bytes in use", 3, 128],
  ])("[WIRE-10] are refused for %s", (_what, at, value) => {
    const bytes = encodeHeader(page);
    bytes[at] = value;
    expect(codeOf(() => decodeHeader(bytes))).toBe("wire/malformed");
  });

  it("[WIRE-10] are refused when they are not 44 bytes", () => {
    expect(codeOf(() => decodeHeader(encodeHeader(page).subarray(0, 43)))).toBe("wire/malformed");
    expect(codeOf(() => decodeHeader(new Uint8Array(45)))).toBe("wire/malformed");
  });
});

describe("objects on a stream", () => {
  const objects: SealedObject[] = [60, 32, 1000].map((length, index) => ({
    header: { kind: "page", final: index === 2, index, length, hash: noise(32, index) },
    bytes: noise(length, `bytes ${index}`),
  }));
  const stream = Buffer.concat(objects.flatMap(({ header, bytes }) => [encodeHeader(header), bytes]));

  const read = (slices: readonly Uint8Array[]) => {
    const found: SealedObject[] = [];
    let sliced = 0;
    const reader = new ObjectReader({
      begin: ({ length }) => new Uint8Array(length + 5),
      slice: (slice) => {
        sliced += slice.length;
      },
      end: ({ header, bytes }) => found.push({ header, bytes: bytes.slice() }),
    });
    for (const slice of slices) reader.push(slice);
    return { found, sliced, reader };
  };

  it("[WIRE-9] are found at every place where the stream may be split", () => {
    for (let at = 0; at <= stream.length; at++) {
      const { found, sliced, reader } = read([stream.subarray(0, at), stream.subarray(at)]);
      const again = Buffer.concat(found.flatMap(({ header, bytes }) => [encodeHeader(header), bytes]));
      expect(again.equals(stream)).toBe(true);
      expect(sliced).toBe(1092);
      expect(reader.idle).toBe(true);
    }
    expect(read(Array.from(stream, (byte) => Uint8Array.of(byte))).found).toEqual(objects);
  });

  it("[WIRE-9] are not given before their last byte", () => {
    const whole = OBJECT_HEADER_BYTES + 60;
    const { found, reader } = read([stream.subarray(0, whole - 1)]);
    expect(found).toEqual([]);
    expect(reader.idle).toBe(false);
  });

  it("[WIRE-10] end the stream when a header is bad, before room for it is asked for", () => {
    const asked: number[] = [];
    const reader = new ObjectReader({
      begin: ({ length }) => {
        asked.push(length);
        return new Uint8Array(length);
      },
      end: () => {},
    });
    expect(codeOf(() => reader.push(encodeHeader({ ...page, length: 0xffffffff })))).toBe("wire/too-large");
    expect(asked).toEqual([]);
  });

  it("[WIRE-4] made of 200,000 random headers give only failures", () => {
    const bytes = noise(OBJECT_HEADER_BYTES * 1000, "headers");
    withoutStacks(() => {
      for (let run = 0; run < 200_000; run++) {
        const at = (run % 1000) * OBJECT_HEADER_BYTES;
        const header = bytes.slice(at, at + OBJECT_HEADER_BYTES);
        // Mostly right, so that the later checks are reached.
        header.set([1 + (run % 2), run % 3 === 0 ? 1 : 0, 0, 0]);
        header[4 + (run % 8)] = run & 255;
        if (run % 5 === 0) header.set([0, 0], 6);
        const code = codeOf(() => decodeHeader(header));
        if (!["accepted", "wire/malformed", "wire/too-large", "object/size"].includes(code)) throw new Error(code);
      }
    });
  }, 120_000);
});
