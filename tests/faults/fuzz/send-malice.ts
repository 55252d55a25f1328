/**
 * What a hostile relay may do to a sender, and how the send must end.
 *
 * @module
 */
import { FAILURES, type FailureCode } from "../../../core/failure.ts";
import type { RelayFrame } from "../../../core/wire/frame.ts";
import type { Behaviour } from "./hostile-relay.ts";
import type { Ending } from "./receive-malice.ts";

/** As for a receiver; `believes`: the sender is told that all is stored, and a receiver finds out that it is not. */
export type SendEnding = Ending | "believes";

type Case = readonly [what: string, ending: SendEnding, behaviour: Behaviour];

const numberOf = (name: FailureCode) => FAILURES[name].wire;
const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

const refusing =
  (code: number): Behaviour =>
  (wire) => ({
    stored: async ({ kind, index }) => wire.tell({ t: "refuse", kind, index, code }),
  });

const telling =
  (...frames: readonly RelayFrame[]): Behaviour =>
  (wire) => ({ greeted: () => setImmediate(() => wire.tell(...frames)) });

const welcoming =
  (change: (welcome: RelayFrame & { t: "welcome" }) => RelayFrame): Behaviour =>
  () => ({ frame: (frame, pass) => pass(frame.t === "welcome" ? change(frame) : frame) });

const committing =
  (answer: (tell: (frame: RelayFrame) => void) => void): Behaviour =>
  (wire) => ({
    heard: (frame, pass) => {
      if (frame.t === "commit") answer((told) => wire.tell(told));
      else pass(frame);
    },
  });

/** After each acknowledgement, so long as the connection stands. */
const acknowledging =
  (then: (ack: RelayFrame & { t: "ack" }, tell: (...frames: RelayFrame[]) => void) => void): Behaviour =>
  (wire) => ({
    frame: (frame, pass) => {
      pass(frame);
      if (frame.t === "ack") then(frame, (...frames) => wire.tell(...frames));
    },
  });

const committed = (tell: (frame: RelayFrame) => void) => tell({ t: "committed" });

/** Every behaviour towards a sender with a journal. */
export const SEND_CASES: readonly Case[] = [
  [
    "acknowledges before the object left",
    "right",
    (wire) => ({
      stored: ({ kind, index }, pass) => {
        wire.tell({ t: "ack", kind, index });
        return pass();
      },
    }),
  ],
  [
    "acknowledges and forgets",
    "believes",
    (wire) => ({
      stored: async ({ kind, index }) => wire.tell({ t: "ack", kind, index }),
      heard: (frame, pass) => (frame.t === "commit" ? wire.tell({ t: "committed" }) : pass(frame)),
    }),
  ],
  ["acknowledges twice", "right", acknowledging((ack, tell) => tell(ack, ack))],
  [
    "acknowledges what was never sent",
    "right",
    telling(...times(5000, (index): RelayFrame => ({ t: "ack", kind: "pack", index: index + 100 }))),
  ],
  ["never acknowledges", "waits", () => ({ frame: (frame, pass) => (frame.t === "ack" ? undefined : pass(frame)) })],
  ["takes no bytes", "waits", () => ({ stored: () => new Promise(() => {}) })],
  ["breaks at every object", "waits", (wire) => ({ stored: async () => wire.cut() })],
  [
    "breaks at each of the first five objects",
    "right",
    (wire) => ({
      stored: async (_header, pass) => (wire.connection <= 5 ? wire.cut() : pass()),
    }),
  ],
  ["finds every object damaged", "object/hash", refusing(numberOf("object/hash"))],
  ["says that every object is there with other bytes", "object/conflict", refusing(numberOf("object/conflict"))],
  ["has no room, ever", "waits", refusing(numberOf("relay/full"))],
  ["refuses objects because of a file of the sender's", "wire/malformed", refusing(numberOf("file/changed"))],
  ["refuses objects with a number that means nothing", "wire/malformed", refusing(40_000)],
  [
    "allows nothing on the way",
    "right",
    welcoming((welcome) => ({ ...welcome, limits: { windowBytes: 0, maxWants: 2 } })),
  ],
  [
    "allows 2 GiB on the way",
    "right",
    welcoming((welcome) => ({ ...welcome, limits: { windowBytes: 2 ** 31, maxWants: 1024 } })),
  ],
  ["takes the lease back to none", "right", welcoming((welcome) => ({ ...welcome, lease: 0 }))],
  ["gives the last lease that there is", "right", welcoming((welcome) => ({ ...welcome, lease: 2 ** 31 - 1 }))],
  [
    "says that another sender took over",
    "portal/lease-lost",
    telling({ t: "bye", code: numberOf("portal/lease-lost") }),
  ],
  [
    "says that it holds everything already",
    "right",
    welcoming((welcome) => ({
      ...welcome,
      state: { ...welcome.state, heldPacks: [0, 2 ** 20], heldPages: [0, 2 ** 20] },
    })),
  ],
  [
    "says that it is committed already",
    "right",
    welcoming((welcome) => ({
      ...welcome,
      state: { ...welcome.state, commitment: { packs: 9, pages: 9, root: new Uint8Array(32) } },
    })),
  ],
  [
    "tells of 100,000 losses of what was never sent",
    "right",
    telling(...times(100_000, (index): RelayFrame => ({ t: "lost", kind: "page", index }))),
  ],
  [
    "says that it held everything, and lost it",
    "right",
    (wire) => ({
      frame: (frame, pass) => {
        if (frame.t !== "welcome" || wire.connection > 1) return pass(frame);
        pass({ ...frame, state: { ...frame.state, heldPacks: [0, 2 ** 20], heldPages: [0, 2 ** 20] } });
        setTimeout(() => wire.cut(), 2);
      },
    }),
  ],
  [
    "loses every object as soon as it has it",
    "relay/storage",
    acknowledging(({ kind, index }, tell) => tell({ t: "lost", kind, index })),
  ],
  [
    "loses the first pack again and again",
    "relay/storage",
    acknowledging(({ kind, index }, tell) => {
      if (kind === "pack" && index === 0) tell({ t: "lost", kind, index });
    }),
  ],
  [
    "tells of a loss of what is on its way",
    "right",
    (wire) => {
      const told = new Set<string>();
      return {
        stored: ({ kind, index }, pass) => {
          if (!told.has(`${kind} ${index}`)) wire.tell({ t: "lost", kind, index });
          told.add(`${kind} ${index}`);
          return pass();
        },
      };
    },
  ],
  [
    "says in 5,000 states that it holds nothing",
    "right",
    acknowledging((_ack, tell) =>
      tell(...times(500, (i): RelayFrame => ({ t: "state", state: { ...NOTHING, receivers: i } }))),
    ),
  ],
  ["commits without what it says it has", "right", committing(committed)],
  ["never answers the commitment", "waits", committing(() => {})],
  ["answers the commitment with another answer", "waits", committing((tell) => tell({ t: "completed" }))],
  [
    "ends the portal at the commitment",
    "portal/expired",
    committing((tell) => tell({ t: "bye", code: numberOf("portal/expired") })),
  ],
  [
    "says that something is missing at the commitment",
    "portal/incomplete",
    committing((tell) => tell({ t: "bye", code: numberOf("portal/incomplete") })),
  ],
  ["says committed before it was asked", "right", telling({ t: "committed" }, { t: "completed" })],
  [
    "sends objects to a sender",
    "right",
    (wire) => ({
      greeted: () => {
        for (let index = 0; index < 64; index++)
          wire.deliver(
            {
              header: { kind: "page", index, final: false, length: 1000, hash: new Uint8Array(32) },
              bytes: new Uint8Array(1000),
            },
            index % 4,
          );
      },
    }),
  ],
];

const NOTHING = {
  phase: "active",
  heldPacks: [],
  heldPages: [],
  commitment: null,
  senders: 1,
  receivers: 0,
  expiresAtMs: 2_000_000_000_000,
} as const;
