import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import { Failure } from "../failure.ts";
import { MAX_PACKS } from "../units.ts";
import { encodeCanonical } from "./codec.ts";
import {
  decodePeerMessage,
  encodePeerFrame,
  MAX_HELD_BOUNDS,
  MAX_PEER_FRAME_BYTES,
  MAX_SLICE_BYTES,
  MAX_WANT_ID,
  type PeerFrame,
  SliceWriter,
} from "./peer-frame.ts";

const id = fc.integer({ min: 0, max: MAX_WANT_ID });
const frame: fc.Arbitrary<PeerFrame> = fc.oneof(
  fc
    .uniqueArray(fc.integer({ min: 0, max: MAX_PACKS }), { maxLength: 40 })
    .map((all) => ({ t: "have" as const, packs: all.toSorted((a, b) => a - b).slice(all.length % 2) })),
  fc.record({ t: fc.constant("want" as const), id, pack: fc.integer({ min: 0, max: MAX_PACKS - 1 }) }),
  fc.record({ t: fc.constantFrom("unwant" as const, "absent" as const), id }),
  fc.record({ t: fc.constantFrom("ping" as const, "pong" as const), n: fc.maxSafeNat() }),
);

const message = (value: unknown) => new Uint8Array([1, ...encodeCanonical(value)]);

function codeOf(bytes: Uint8Array): string {
  try {
    decodePeerMessage(bytes);
    return "nothing";
  } catch (error) {
    return error instanceof Failure ? error.code : String(error);
  }
}

describe("messages between peers", () => {
  it("[PEER-6] frames decode to what was encoded", () =>
    fc.assert(
      fc.property(frame, (value) => {
        expect(decodePeerMessage(encodePeerFrame(value))).toEqual({ frame: value });
      }),
    ));

  it("[PEER-6] slices are a number and bytes, and one message of memory serves all of them", () => {
    const writer = new SliceWriter();
    const bytes = noise(MAX_SLICE_BYTES, "slice");
    const first = writer.write(MAX_WANT_ID, bytes);
    expect(first.length).toBe(65_536);
    expect(decodePeerMessage(first)).toEqual({ id: MAX_WANT_ID, slice: bytes });
    const second = writer.write(3, bytes.subarray(0, 1));
    expect([...second]).toEqual([2, 3, 0, 0, 0, bytes[0]]);
    expect(second.buffer).toBe(first.buffer);
    expect(decodePeerMessage(second)).toEqual({ id: 3, slice: bytes.subarray(0, 1) });
  });

  it.each<[string, Uint8Array]>([
    ["nothing", new Uint8Array(0)],
    ["text, or an unknown mark", new Uint8Array([3, 1, 2])],
    ["a slice without bytes", new Uint8Array([2, 0, 0, 0, 0])],
    ["a slice that is too long", new Uint8Array(65_537).fill(2)],
    ["a mark alone", new Uint8Array([1])],
    ["no map", message([1])],
    ["an unknown name", message({ t: "hello" })],
    ["a field more", message({ t: "unwant", id: 1, more: 1 })],
    ["a want without a pack", message({ t: "want", id: 1 })],
    ["a pack past the last", message({ t: "want", id: 1, pack: MAX_PACKS })],
    ["a number past the last", message({ t: "want", id: MAX_WANT_ID + 1, pack: 1 })],
    ["a negative number", message({ t: "absent", id: -1 })],
    ["half a range", message({ t: "have", packs: [1] })],
    ["ranges that touch", message({ t: "have", packs: [1, 2, 2, 3] })],
    ["ranges that go back", message({ t: "have", packs: [5, 6, 1, 2] })],
    ["a range past the last pack", message({ t: "have", packs: [1, MAX_PACKS + 1] })],
    ["too many ranges", message({ t: "have", packs: Array.from({ length: MAX_HELD_BOUNDS + 2 }, (_, i) => i) })],
    [
      "a longer form than needed",
      new Uint8Array([1, 0x82, 0xa1, 0x74, 0xa4, ...Buffer.from("ping"), 0xa1, 0x6e, 0xcc, 1]),
    ],
  ])("[PEER-6] with %s are refused", (_what, bytes) => {
    expect(codeOf(bytes)).toBe("wire/malformed");
  });

  it("[PEER-6] a frame that is too large is refused before it is read", () => {
    expect(codeOf(new Uint8Array(2 + MAX_PEER_FRAME_BYTES).fill(1))).toBe("wire/too-large");
    const most = Array.from({ length: MAX_HELD_BOUNDS }, (_, i) => MAX_PACKS - MAX_HELD_BOUNDS + i + 1);
    expect(encodePeerFrame({ t: "have", packs: most }).length).toBeLessThan(MAX_PEER_FRAME_BYTES);
  });
});
