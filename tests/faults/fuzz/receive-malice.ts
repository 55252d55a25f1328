/**
 * What a hostile relay may do to a receiver, and how the receive must end.
 *
 * @module
 */
import type { FailureCode } from "../../../core/failure.ts";
import { MIB, SEALED_PACK_BYTES } from "../../../core/units.ts";
import { encodeHeader, type SealedObject } from "../../../core/wire/object.ts";
import { noise, objectHash } from "../../support/bytes.ts";
import type { Behaviour } from "./hostile-relay.ts";
import { frameCases } from "./receive-frames.ts";

/** `right`: every byte arrives. `waits`: it goes on waiting until it is cancelled. Else it fails with that code. */
export type Ending = FailureCode | "right" | "waits";

/** The portal's own objects, and one of another portal. */
export interface Loot {
  readonly packs: readonly SealedObject[];
  readonly pages: readonly SealedObject[];
  readonly foreign: SealedObject;
}

/** What the relay does, how a receive from it ends, and how it does it. */
export type ReceiveCase = readonly [what: string, ending: Ending, behaviour: Behaviour];

function flipped({ header, bytes }: SealedObject): SealedObject {
  const copy = bytes.slice();
  copy[copy.length >> 1] = (copy[copy.length >> 1] ?? 0) ^ 1;
  return { header, bytes: copy };
}

/** The same bytes under another header; its hash is right for them unless it is given. */
function relabelled({ header, bytes }: SealedObject, change: Partial<SealedObject["header"]>): SealedObject {
  return { header: { ...header, hash: objectHash(bytes), length: bytes.length, ...change }, bytes };
}

const changing =
  (kind: "pack" | "page", change: (object: SealedObject) => SealedObject): Behaviour =>
  () => ({ object: (object, pass) => pass(object.header.kind === kind ? change(object) : object) });

const streaming =
  (bytes: Uint8Array): Behaviour =>
  (wire) => ({
    object: (object, pass) => {
      pass(object);
      wire.stream(bytes);
    },
  });

const header = (length: number, kind = 1, index = 0) => {
  const bytes = encodeHeader({ kind: "pack", index, final: true, length, hash: new Uint8Array(32) });
  bytes[0] = kind;
  return bytes;
};
function objectCases({ packs, pages, foreign }: Loot): ReceiveCase[] {
  const [first, second] = packs as [SealedObject, SealedObject];
  const [page] = pages as [SealedObject];
  let flips = 0;
  return [
    [
      "gives the bytes of another pack",
      "object/corrupt",
      changing("pack", () => ({
        header: first.header,
        bytes: second.bytes.length === first.bytes.length ? second.bytes : foreign.bytes,
      })),
    ],
    [
      "swaps packs and labels them for it",
      "object/corrupt",
      changing("pack", (pack) => relabelled(pack.header.index === 0 ? second : first, { index: pack.header.index })),
    ],
    [
      "gives packs of another portal",
      "object/corrupt",
      changing("pack", (pack) => relabelled(foreign, { index: pack.header.index })),
    ],
    ["changes one bit of every pack", "object/corrupt", changing("pack", flipped)],
    [
      "changes one bit of every pack and states the hash of that",
      "object/corrupt",
      changing("pack", (pack) => relabelled(flipped(pack), {})),
    ],
    ["changes one bit of three packs", "right", changing("pack", (pack) => (flips++ < 3 ? flipped(pack) : pack))],
    ["changes one bit of every page", "object/corrupt", changing("page", flipped)],
    [
      "changes one bit of every page and states the hash of that",
      "manifest/malformed",
      changing("page", (each) => relabelled(flipped(each), {})),
    ],
    [
      "gives the first page for every page",
      "manifest/malformed",
      changing("page", ({ header: { index } }) => relabelled(page, { index })),
    ],
    [
      "cuts packs short",
      "object/corrupt",
      changing("pack", (pack) => relabelled({ ...pack, bytes: pack.bytes.slice(0, 100_000) }, { final: true })),
    ],
    [
      "cuts pages short",
      "manifest/malformed",
      changing("page", (each) => relabelled({ ...each, bytes: each.bytes.slice(0, 33) }, {})),
    ],
    [
      "says of every pack that it is the last",
      "pack/forged",
      changing("pack", (pack) => ({ ...pack, header: { ...pack.header, final: true } })),
    ],
    [
      "says of the last page that it is not",
      "manifest/malformed",
      changing("page", (each) => ({ ...each, header: { ...each.header, final: false } })),
    ],
    [
      "states wrong hashes of right packs",
      "right",
      changing("pack", (pack) => relabelled(pack, { hash: noise(32, "lie") })),
    ],
    [
      "gives each object twice",
      "right",
      () => ({
        object: (object, pass) => {
          pass(object);
          pass(object);
        },
      }),
    ],
    [
      "gives every object on a stream of its own, out of order",
      "right",
      (wire) => {
        const held: SealedObject[] = [];
        return {
          object: (object) => {
            held.push(object);
            setTimeout(() => {
              const last = held.pop();
              if (last !== undefined) wire.deliver(last, last.header.index % 4);
            }, 3);
          },
        };
      },
    ],
    [
      "gives pages in slices of three bytes",
      "right",
      (wire) => ({
        object: (object, pass) => {
          if (object.header.kind === "pack") return pass(object);
          wire.stream(encodeHeader(object.header));
          for (let at = 0; at < object.bytes.length; at += 3) wire.stream(object.bytes.subarray(at, at + 3));
        },
      }),
    ],
    [
      "gives 1 GiB of packs that nobody asked for",
      "right",
      (wire) => {
        let given = 0;
        return {
          object: (object, pass) => {
            for (; given < 256; given++)
              wire.deliver({ ...first, header: { ...first.header, index: 1000 + given } }, given % 4);
            pass(object);
          },
        };
      },
    ],
    [
      "stops in the middle of a pack and says no more",
      "waits",
      (wire) => ({
        object: (object, pass) => {
          if (object.header.kind === "page") return pass(object);
          wire.stream(encodeHeader(object.header), object.header.index);
          wire.stream(object.bytes.subarray(0, 1000), object.header.index);
        },
      }),
    ],
    [
      "drips packs byte by byte",
      "waits",
      (wire) => ({
        object: (object, pass) => {
          if (object.header.kind === "page") return pass(object);
          wire.stream(encodeHeader(object.header), object.header.index);
          for (let at = 0; at < 100; at++)
            setTimeout(() => wire.stream(object.bytes.subarray(at, at + 1), object.header.index), at);
        },
      }),
    ],
    [
      "breaks in the middle of every pack",
      "waits",
      (wire) => ({
        object: (object, pass) => {
          if (object.header.kind === "page") return pass(object);
          wire.stream(encodeHeader(object.header));
          wire.stream(object.bytes.subarray(0, 1000));
          wire.cut();
        },
      }),
    ],
    [
      "breaks in the middle of a pack three times",
      "right",
      (wire) => ({
        object: (object, pass) => {
          if (object.header.kind === "page" || wire.connection > 3) return pass(object);
          wire.stream(encodeHeader(object.header));
          wire.stream(object.bytes.subarray(0, 1000));
          wire.cut();
        },
      }),
    ],
    ["announces an object of 4 GiB", "wire/too-large", streaming(header(0xffff_ffff))],
    ["announces a pack of one byte more than a pack has", "wire/too-large", streaming(header(SEALED_PACK_BYTES + 1))],
    ["announces an object of nothing", "object/size", streaming(header(0))],
    ["announces an object of no kind", "wire/malformed", streaming(header(1000, 9))],
    ["announces pack 2^32 - 1", "wire/malformed", streaming(header(1000, 1, 0xffff_ffff))],
    ["streams noise without end", "wire/malformed", streaming(new Uint8Array(MIB).fill(0x55))],
  ];
}

/** Every behaviour towards a receiver. */
export function receiveCases(loot: Loot): ReceiveCase[] {
  return [...objectCases(loot), ...frameCases()];
}
