/**
 * What a hostile relay may say to a receiver, frame by frame, beside what it does to objects.
 *
 * @module
 */
import { FAILURES, type FailureCode } from "../../../core/failure.ts";
import { encodeCanonical } from "../../../core/wire/codec.ts";
import { type PortalState, PROTOCOL_VERSION, type RelayFrame } from "../../../core/wire/frame.ts";
import { noise } from "../../support/bytes.ts";
import { EMPTY_STATE } from "../../support/fake-pipe.ts";
import type { Behaviour } from "./hostile-relay.ts";
import type { ReceiveCase } from "./receive-malice.ts";

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

const raw =
  (bytes: Uint8Array): Behaviour =>
  (wire) => ({
    frame: (frame, pass) => {
      pass(frame);
      if (frame.t === "welcome") wire.raw(bytes);
    },
  });

const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
const lying = (change: Partial<PortalState>): Behaviour =>
  welcoming((welcome) => ({ ...welcome, state: { ...welcome.state, ...change } }));

/** What it says. */
export function frameCases(): ReceiveCase[] {
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
    [
      "passes on 5,000 signals of whomever",
      "right",
      many(5000, (i) => ({ t: "signal", from: i + 1, body: noise(1 + (i % 300), i) })),
    ],
    ["passes on an empty signal", "wire/malformed", raw(encodeCanonical({ t: "signal", from: 1, body: noise(0, "") }))],
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
