import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import { PACK_PAYLOAD_BYTES } from "../units.ts";
import { Packer, packSpans } from "./packer.ts";

interface Copy {
  readonly index: number;
  readonly final: boolean;
  readonly endOffset: number;
  readonly payload: Uint8Array;
}

/** Packs `stream`, appended in the given slices; buffers are reused at once, as a sender does. */
function pack(stream: Uint8Array, cuts: readonly number[]): Copy[] {
  const packer = new Packer();
  const packs: Copy[] = [];
  const take = (found: ReturnType<Packer["finish"]>) => {
    if (found === undefined) return;
    const { index, final, endOffset, buffer, payloadBytes } = found;
    packs.push({ index, final, endOffset, payload: buffer.room.slice(0, payloadBytes) });
    packer.recycle(buffer);
  };
  let start = 0;
  for (const end of [...cuts, stream.length]) {
    for (const found of packer.append(stream.subarray(start, end))) take(found);
    start = end;
    expect(packer.offset).toBe(end);
  }
  take(packer.finish());
  return packs;
}

describe("the packer", () => {
  const stream = noise(2 * PACK_PAYLOAD_BYTES + 12_345, "stream");

  it("[PACK-1] gives the same packs however the stream is sliced", () => {
    const expected = pack(stream, []);
    expect(expected.map(({ payload }) => payload.length)).toEqual([PACK_PAYLOAD_BYTES, PACK_PAYLOAD_BYTES, 12_345]);
    expect(expected.map(({ endOffset }) => endOffset)).toEqual([
      PACK_PAYLOAD_BYTES,
      2 * PACK_PAYLOAD_BYTES,
      stream.length,
    ]);
    const places = fc.oneof(
      fc.integer({ min: 0, max: stream.length }),
      fc.constantFrom(PACK_PAYLOAD_BYTES - 1, PACK_PAYLOAD_BYTES, PACK_PAYLOAD_BYTES + 1, 2 * PACK_PAYLOAD_BYTES),
    );
    fc.assert(
      fc.property(fc.array(places, { maxLength: 12 }), (cuts) => {
        const packs = pack(
          stream,
          cuts.toSorted((a, b) => a - b),
        );
        expect(packs.length).toBe(expected.length);
        for (const [i, { payload, ...rest }] of packs.entries()) {
          const { payload: whole, ...same } = expected[i] as Copy;
          expect(rest).toEqual(same);
          expect(Buffer.compare(payload, whole)).toBe(0);
        }
      }),
      { numRuns: 12 },
    );
  });

  it.each([
    [0, []],
    [1, [1]],
    [PACK_PAYLOAD_BYTES - 1, [PACK_PAYLOAD_BYTES - 1]],
    [PACK_PAYLOAD_BYTES, [PACK_PAYLOAD_BYTES]],
    [PACK_PAYLOAD_BYTES + 1, [PACK_PAYLOAD_BYTES, 1]],
    [2 * PACK_PAYLOAD_BYTES, [PACK_PAYLOAD_BYTES, PACK_PAYLOAD_BYTES]],
  ])("[PACK-2] marks the last pack, and only it, as final for %s bytes", (length, lengths) => {
    const packs = pack(stream.subarray(0, length), [Math.floor(length / 2)]);
    expect(packs.map(({ payload }) => payload.length)).toEqual(lengths);
    expect(packs.map(({ final }) => final)).toEqual(lengths.map((_, i) => i === lengths.length - 1));
    expect(packs.map(({ index }) => index)).toEqual(lengths.map((_, i) => i));
  });

  it("[PACK-3] tells where a run lies in the packs", () => {
    fc.assert(
      fc.property(fc.nat({ max: 3 * PACK_PAYLOAD_BYTES }), fc.nat({ max: 2 * PACK_PAYLOAD_BYTES }), (start, length) => {
        let at = start;
        for (const { pack: index, from, to } of packSpans(start, length)) {
          expect(index * PACK_PAYLOAD_BYTES + from).toBe(at);
          expect(to).toBeGreaterThan(from);
          expect(to).toBeLessThanOrEqual(PACK_PAYLOAD_BYTES);
          at += to - from;
        }
        expect(at).toBe(start + length);
      }),
    );
    expect(packSpans(7, 0)).toEqual([]);
  });
});
