/**
 * What a hostile relay may do to a receiver, and how the receive must end.
 *
 * @module
 */
import { FAILURES, type FailureCode } from "../../../core/failure.ts";
import { MIB, SEALED_PACK_BYTES } from "../../../core/units.ts";
import { encodeCanonical } from "../../../core/wire/codec.ts";
import { type PortalState, PROTOCOL_VERSION, type RelayFrame } from "../../../core/wire/frame.ts";
import { encodeHeader, type SealedObject } from "../../../core/wire/object.ts";
import { noise, objectHash } from "../../support/bytes.ts";
import { EMPTY_STATE } from "../../support/fake-pipe.ts";
import type { Behaviour } from "./hostile-relay.ts";

/** `right`: every byte arrives. `waits`: it goes on waiting until it is cancelled. Else it fails with that code. */
export type Ending = FailureCode | "right" | "waits";

/** The portal's own objects, and one of another portal. */
export interface Loot {
  readonly packs: readonly SealedObject[];
  readonly pages: readonly SealedObject[];
  readonly foreign: SealedObject;
}

type Case = readonly [what: string, ending: Ending, behaviour: Behaviour];

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

const telling =
  (...frames: readonly RelayFrame[]): Behaviour =>
  (wire) => ({
    frame: (frame, pass) => {
      pass(frame);
      if (frame.t === "welcome") wire.tell(...frames);
    },
  });

const welcoming =
  (change: (welcome: RelayFrame & { t: "welcome" }) => RelayFrame): Behaviour =>
  () => ({ frame: (frame, pass) => pass(frame.t === "welcome" ? change(frame) : frame) });

const refusing =
  (kind: "pack" | "page", code: number): Behaviour =>
  (wire) => ({
    heard: (frame, pass) => {
      if (frame.t === "want" && frame.kind === kind) wire.tell({ t: "refuse", kind, index: frame.index, code });
      else pass(frame);
    },
  });

const streaming =
  (bytes: Uint8Array): Behaviour =>
  (wire) => ({
    object: (object, pass) => {
      pass(object);
      wire.stream(bytes);
    },
  });

const raw =
  (bytes: Uint8Array): Behaviour =>
  (wire) => ({
    frame: (frame, pass) => {
      pass(frame);
      if (frame.t === "welcome") wire.raw(bytes);
    },
  });

const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
const header = (length: number, kind = 1, index = 0) => {
  const bytes = encodeHeader({ kind: "pack", index, final: true, length, hash: new Uint8Array(32) });
  bytes[0] = kind;
  return bytes;
};
const lying = (change: Partial<PortalState>): Behaviour =>
  welcoming((welcome) => ({ ...welcome, state: { ...welcome.state, ...change } }));

function objectCases({ packs, pages, foreign }: Loot): Case[] {
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

function frameCases(): Case[] {
  const code = (name: FailureCode) => FAILURES[name].wire;
  const bye = (number: number) => telling({ t: "bye", code: number });
  const many = (count: number, make: (i: number) => RelayFrame) => telling(...times(count, make));
  return [
    ["greets in another version", "relay/version", welcoming((welcome) => ({ ...welcome, v: PROTOCOL_VERSION + 1 }))],
    [
      "greets twice",
      "wire/malformed",
      (wire) => ({
        frame: (frame, pass) => {
          pass(frame);
          if (frame.t === "welcome") wire.tell(frame);
        },
      }),
    ],
    ["never greets", "waits", () => ({ frame: () => {} })],
    [
      "breaks after every greeting",
      "waits",
      (wire) => ({
        frame: (frame, pass) => {
          pass(frame);
          if (frame.t === "welcome") wire.cut();
        },
      }),
    ],
    [
      "says nothing after its greeting",
      "waits",
      () => ({
        frame: (frame, pass) => {
          if (frame.t === "welcome") pass(frame);
        },
        object: () => {},
      }),
    ],
    [
      "allows the least that there is",
      "right",
      welcoming((welcome) => ({ ...welcome, limits: { windowBytes: 0, maxWants: 2 } })),
    ],
    ["gives a receiver a lease", "right", welcoming((welcome) => ({ ...welcome, lease: 2 ** 31 - 1 }))],
    ["says that it holds nothing", "right", lying({ heldPacks: [], heldPages: [], commitment: null })],
    ["says that it holds everything that can be", "right", lying({ heldPacks: [0, 2 ** 20], heldPages: [0, 2 ** 20] })],
    ["says that it holds every second object", "right", lying({ heldPacks: times(8192, (i) => 2 * i) })],
    ["lies about the commitment", "right", lying({ commitment: { packs: 2 ** 20, pages: 1, root: noise(32, "x") } })],
    [
      "says that the portal is over, with a crowd in it",
      "right",
      lying({ phase: "expired", senders: 65_535, receivers: 65_535, expiresAtMs: 0 }),
    ],
    [
      "tells ranges that touch",
      "wire/malformed",
      raw(encodeCanonical({ t: "state", state: { ...EMPTY_STATE, heldPacks: [0, 3, 3, 5] } })),
    ],
    [
      "tells its state 20,000 times",
      "right",
      many(20_000, (i) => ({ t: "state", state: { ...EMPTY_STATE, receivers: i % 100 } })),
    ],
    ["tells of 100,000 lost objects", "right", many(100_000, (index) => ({ t: "lost", kind: "pack", index }))],
    ["acknowledges what nobody sent", "right", many(1000, (index) => ({ t: "ack", kind: "page", index }))],
    [
      "refuses what nobody asked for",
      "right",
      many(1000, (i) => ({ t: "refuse", kind: "pack", index: i + 500, code: 18 })),
    ],
    [
      "answers what nobody asked",
      "right",
      telling({ t: "committed" }, { t: "completed" }, { t: "pong", n: 2 ** 53 - 1 }),
    ],
    [
      "never gives a pack",
      "waits",
      () => ({
        heard: (frame, pass) => {
          if (frame.t !== "want" || frame.kind === "page") pass(frame);
        },
      }),
    ],
    [
      "never gives a page",
      "waits",
      () => ({
        heard: (frame, pass) => {
          if (frame.t !== "want" || frame.kind === "pack") pass(frame);
        },
      }),
    ],
    ["refuses packs as absent", "object/absent", refusing("pack", code("object/absent"))],
    ["refuses pages as damaged", "object/corrupt", refusing("page", code("object/corrupt"))],
    ["refuses packs because its disk fails", "waits", refusing("pack", code("relay/storage"))],
    ["refuses packs as cancelled by the user", "wire/malformed", refusing("pack", code("cancelled"))],
    ["refuses pages because of a wrong password", "wire/malformed", refusing("page", code("password/wrong"))],
    ["refuses packs with a number that means nothing", "wire/malformed", refusing("pack", 60_000)],
    ["refuses packs with no code", "wire/malformed", refusing("pack", 0)],
    ["says good-bye because the portal is over", "portal/expired", bye(code("portal/expired"))],
    ["says good-bye as cancelled by the user", "waits", bye(code("cancelled"))],
    ["says good-bye with a number that means nothing", "waits", bye(65_535)],
    ["says good-bye without a reason", "waits", bye(0)],
    ["says what is no frame", "wire/malformed", raw(Uint8Array.of(0xc1))],
    ["says nothing in a frame", "wire/malformed", raw(new Uint8Array(0))],
    ["says what only clients say", "wire/malformed", raw(encodeCanonical({ t: "ping", n: 1 }))],
    ["says more than a frame may hold", "wire/too-large", raw(new Uint8Array(65_537))],
    ["nests 60,000 lists", "wire/malformed", raw(new Uint8Array(60_000).fill(0x91))],
  ];
}

/** Every behaviour towards a receiver. */
export function receiveCases(loot: Loot): Case[] {
  return [...objectCases(loot), ...frameCases()];
}
