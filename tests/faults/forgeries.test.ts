/**
 * What a relay, or anybody on the way, can do to a portal without its keys: every one of these forgeries is made from a good
 * portal by one change, is refused with its own code, and nothing of it is ever given out.
 *
 * @module
 */
import { beforeAll, describe, expect, it } from "vitest";
import type { FailureCode } from "../../core/failure.ts";
import type { Engine } from "../../core/ports/engine.ts";
import { SEGMENT_BYTES } from "../../core/units.ts";
import type { ObjectHeader, SealedObject } from "../../core/wire/object.ts";
import { noise } from "../support/bytes.ts";
import { MemorySink } from "../support/fake-host.ts";
import { codeOf } from "../support/fake-http.ts";
import { createPortal, startReceive } from "../support/fake-transfer.ts";
import { loadEngine } from "../support/kernels.ts";
import {
  exchanged,
  flipped,
  type GoodPortal,
  moved,
  objectAt,
  type Place,
  rewritten,
  sealAs,
  sendGood,
  withChanged,
} from "./fuzz/good-portal.ts";

let engine: Engine;
let good: GoodPortal;
/** The same portal, sent again by its own sender with other files: its objects were good once. */
let earlier: GoodPortal;
let other: GoodPortal;
beforeAll(async () => {
  engine = await loadEngine();
  good = await sendGood(engine);
  earlier = await sendGood(engine, good.portal, "earlier");
  other = await sendGood(engine);
}, 120_000);

async function receive(changed: ReadonlyMap<string, SealedObject | null>) {
  const sink = new MemorySink();
  const code = await codeOf(startReceive(withChanged(good, changed), good.portal, engine, sink).done);
  return { code, sink };
}

type Change = () =>
  | readonly (readonly [Place, SealedObject | null])[]
  | Promise<readonly (readonly [Place, SealedObject | null])[]>;
type Vector = readonly [what: string, code: FailureCode, change: Change];

const bytesOf = (place: Place) => objectAt(good, place).bytes;
/** Other bytes in one place, with the old hash in the header, or with their own. */
const bytes =
  (place: Place, change: (bytes: Uint8Array) => Uint8Array, isHonest: boolean): Change =>
  () => [[place, rewritten(objectAt(good, place), change(bytesOf(place)), isHonest)]];
const put =
  (place: Place, object: () => SealedObject | null): Change =>
  () => [[place, object()]];
const header = (place: Place, change: () => Partial<ObjectHeader>): Change =>
  put(place, () => moved(objectAt(good, place), change()));

const SPOTS: readonly (readonly [string, number])[] = [
  ["the first byte", 0],
  ["the last byte of an IV", 11],
  ["the payload's length", 12],
  ["a byte of the payload", 5_000],
  ["the first byte of the tag", -16],
  ["the last byte", -1],
];

/** Each by one change to what the relay holds. */
function vectors(): Vector[] {
  const all: Vector[] = [];
  for (const [where, at] of SPOTS) {
    for (const place of ["pack 0", "pack 1", "page 0"] as const) {
      all.push([`${place}: a bit of ${where}`, "object/corrupt", bytes(place, (b) => flipped(b, at), false)]);
      // The manifest has a pack's hash; a page is vouched for by its seal alone.
      const code = place === "page 0" ? "manifest/malformed" : "object/corrupt";
      all.push([`${place}: a bit of ${where}, with a hash that fits`, code, bytes(place, (b) => flipped(b, at), true)]);
    }
  }
  const whole = 4 * 2 ** 20;
  all.push(
    ["a pack without its last byte", "object/size", bytes("pack 0", (b) => b.subarray(0, -1), true)],
    [
      "a pack without its last segment",
      "object/size",
      bytes("pack 0", (b) => b.subarray(0, whole - SEGMENT_BYTES), true),
    ],
    ["a pack with a byte more", "wire/too-large", bytes("pack 0", (b) => Buffer.concat([b, Buffer.alloc(1)]), true)],
    [
      "a pack with a segment more",
      "wire/too-large",
      bytes("pack 0", (b) => Buffer.concat([b, b.subarray(0, SEGMENT_BYTES)]), true),
    ],
    ["the last pack without its last byte", "object/corrupt", bytes("pack 1", (b) => b.subarray(0, -1), true)],
    [
      "the last pack cut inside a tag",
      "object/corrupt",
      bytes("pack 1", (b) => b.subarray(0, SEGMENT_BYTES - 3), true),
    ],
    [
      "the last pack with a byte more",
      "object/corrupt",
      bytes("pack 1", (b) => Buffer.concat([b, Buffer.alloc(1)]), true),
    ],
    ["a page without its last byte", "manifest/malformed", bytes("page 0", (b) => b.subarray(0, -1), true)],
    ["half of a page", "manifest/malformed", bytes("page 0", (b) => b.subarray(0, b.length >> 1), true)],
    [
      "a page with a byte more",
      "manifest/malformed",
      bytes("page 0", (b) => Buffer.concat([b, Buffer.alloc(1)]), true),
    ],
    ["a page twice over", "manifest/malformed", bytes("page 0", (b) => Buffer.concat([b, b]), true)],
    ["two segments exchanged", "object/corrupt", bytes("pack 0", (b) => exchanged(b, 1, 2), false)],
    [
      "two segments exchanged, with a hash that fits",
      "object/corrupt",
      bytes("pack 0", (b) => exchanged(b, 1, 2), true),
    ],
    [
      "the first segment twice",
      "object/corrupt",
      bytes(
        "pack 0",
        (b) =>
          Buffer.concat([b.subarray(0, SEGMENT_BYTES), b.subarray(0, SEGMENT_BYTES), b.subarray(2 * SEGMENT_BYTES)]),
        true,
      ),
    ],
    [
      "a segment of the next pack",
      "object/corrupt",
      bytes(
        "pack 0",
        (b) => Buffer.concat([bytesOf("pack 1").subarray(0, SEGMENT_BYTES), b.subarray(SEGMENT_BYTES)]),
        true,
      ),
    ],
    [
      "a segment of another portal's pack",
      "object/corrupt",
      bytes(
        "pack 0",
        (b) => Buffer.concat([objectAt(other, "pack 0").bytes.subarray(0, SEGMENT_BYTES), b.subarray(SEGMENT_BYTES)]),
        true,
      ),
    ],
    ["a pack of zeros", "object/corrupt", bytes("pack 0", (b) => new Uint8Array(b.length), true)],
    ["a page of zeros", "manifest/malformed", bytes("page 0", (b) => new Uint8Array(b.length), true)],
    ["another portal's pack", "object/corrupt", put("pack 0", () => objectAt(other, "pack 0"))],
    ["another portal's page", "manifest/malformed", put("page 0", () => objectAt(other, "page 0"))],
    [
      "another portal's last page",
      "manifest/malformed",
      put(`page ${1}`, () => moved(objectAt(other, lastOf(other)), { index: 1 })),
    ],
    ["a pack that the same sender sealed once", "object/corrupt", put("pack 0", () => objectAt(earlier, "pack 0"))],
    [
      "a last pack that the same sender sealed once",
      "object/corrupt",
      put("pack 1", () => objectAt(earlier, "pack 1")),
    ],
    [
      "the second pack in place of the first",
      "object/size",
      put("pack 0", () => moved(objectAt(good, "pack 1"), { index: 0, final: false })),
    ],
    [
      "the first pack in place of the second",
      "object/corrupt",
      put("pack 1", () => moved(objectAt(good, "pack 0"), { index: 1, final: true })),
    ],
    [
      "the second page in place of the first",
      "manifest/malformed",
      put("page 0", () => moved(objectAt(good, "page 1"), { index: 0 })),
    ],
    [
      "the first page again in place of the second",
      "manifest/malformed",
      put("page 1", () => moved(objectAt(good, "page 0"), { index: 1 })),
    ],
    [
      "a page in place of a pack",
      "object/corrupt",
      put("pack 1", () => moved(objectAt(good, "page 0"), { kind: "pack", index: 1, final: true })),
    ],
    [
      "a pack in place of a page",
      "wire/too-large",
      put("page 0", () => moved(objectAt(good, "pack 0"), { kind: "page" })),
    ],
    [
      "a small pack in place of a page",
      "wire/too-large",
      put("page 0", () => moved(objectAt(good, "pack 1"), { kind: "page", index: 0, final: false })),
    ],
    ["a first pack that says to be the last", "pack/forged", header("pack 0", () => ({ final: true }))],
    ["a last pack that says not to be", "object/size", header("pack 1", () => ({ final: false }))],
    ["a first page that says to be the last", "manifest/malformed", header("page 0", () => ({ final: true }))],
    ["a page with another hash", "object/corrupt", header("page 0", () => ({ hash: noise(32, "hash") }))],
    ["no first pack", "object/absent", put("pack 0", () => null)],
    ["no last pack", "object/absent", put("pack 1", () => null)],
    ["no first page", "object/absent", put("page 0", () => null)],
    ["no last page", "object/absent", () => [[lastOf(good), null]]],
    [
      "a last page that says not to be",
      "manifest/malformed",
      () => [[lastOf(good), moved(objectAt(good, lastOf(good)), { final: false })]],
    ],
    [
      "the last page of an earlier send",
      "manifest/malformed",
      () => [[lastOf(good), moved(objectAt(earlier, lastOf(earlier)), { index: good.pages - 1 })]],
    ],
    [
      "all pages of an earlier send",
      "object/corrupt",
      () =>
        Array.from({ length: earlier.pages }, (_, i): [Place, SealedObject] => [
          `page ${i}`,
          objectAt(earlier, `page ${i}`),
        ]),
    ],
    [
      "a pack sealed with another key",
      "object/corrupt",
      async () => [["pack 1", await sealAs(await createPortal(), "pack", 1, true, noise(100, 1))]],
    ],
    [
      "a page sealed with another key",
      "manifest/malformed",
      async () => [["page 0", await sealAs(await createPortal(), "page", 0, false, noise(100, 1))]],
    ],
    [
      "a page sealed with the key of packs",
      "manifest/malformed",
      async () => {
        const { link, keys } = good.portal;
        return [
          [
            "page 0",
            await sealAs({ link, keys: { pack: keys.page, page: keys.pack } }, "page", 0, false, noise(100, 1)),
          ],
        ];
      },
    ],
  );
  return all;
}

function lastOf({ pages }: GoodPortal): Place {
  return `page ${pages - 1}`;
}

describe("S4: a portal that was changed by one without its keys", () => {
  it("is received when nothing was changed", async () => {
    const { code, sink } = await receive(new Map());
    expect([code, sink.state, sink.files.size]).toEqual(["resolved", "finished", 2]);
    expect(good.pages).toBeGreaterThanOrEqual(3);
    expect(vectors().length).toBeGreaterThanOrEqual(60);
  }, 60_000);

  it.each(vectors())(
    "is refused: %s (%s)",
    async (_what, code, change) => {
      const { code: found, sink } = await receive(new Map(await change()));
      expect(found).toBe(code);
      expect([sink.state, sink.files.size, sink.open]).toEqual(["aborted", 0, 0]);
    },
    60_000,
  );
});
