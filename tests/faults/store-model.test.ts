import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Failure } from "../../core/failure.ts";
import type { Commitment } from "../../core/wire/frame.ts";
import type { ObjectKind } from "../../core/wire/object.ts";
import { random } from "../integration/relay-client.ts";
import { rounds } from "./scale.ts";
import { bytesOf, keyOf, type LeaseKind, StoreModel } from "./store-model.ts";
import { INDEXES, leaseNumber, objectOf, Real, requestOf, SLOTS } from "./store-real.ts";

const OPERATIONS = rounds(2_000, 100_000);
/** Stores that are driven side by side: each waits most of the time for its next commit. */
const LANES = 16;
const MAX_COMMANDS = 60;
const RUNS_AT_A_TIME = 2;
const CLAIMS = Array.from({ length: 4 }, () => random(16));

/** `ok`, or the code of the failure; anything else is a bug. */
async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "ok";
  } catch (error) {
    if (error instanceof Failure) return error.code;
    throw error;
  }
}

type Command = fc.AsyncCommand<StoreModel, Real>;

let done = 0;

/** A command on a portal that exists, followed by a comparison of everything. */
function command(
  name: string,
  slot: number | undefined,
  act: (model: StoreModel, real: Real) => Promise<void>,
): Command {
  return {
    check: (model) => slot === undefined || model.portals.has(slot),
    async run(model, real) {
      done++;
      await act(model, real);
      await compare(model, real);
    },
    toString: () => name,
  };
}

async function compare(model: StoreModel, real: Real): Promise<void> {
  expect(real.store.usage()).toEqual({ portals: model.active().length, bytes: model.bytes() });
  for (let slot = 0; slot < SLOTS; slot++) {
    const { key } = requestOf(slot);
    const stored = await real.store.loadPortal(key);
    const expected = model.portals.get(slot);
    if (expected === undefined) {
      expect(stored).toBeUndefined();
      continue;
    }
    const { lease, commitment, completed: claims, isEnded } = expected;
    expect(stored).toMatchObject({ lease, commitment, downloads: claims.size, bytes: bytesOf(expected) });
    expect(stored?.links[0]?.uses).toBe(claims.size);
    if (!isEnded) expect(await real.store.access.countClaims(key, real.nowMs)).toBe(expected.running.size);
    expect((stored?.endedAtMs ?? null) !== null).toBe(isEnded);
    const found = await real.portals.find(key);
    expect(found?.live === undefined).toBe(isEnded);
    for (const kind of ["pack", "page"] as const) {
      const held = model.held(slot, kind);
      expect(await real.store.heldIndexes(key, kind)).toEqual(held);
      if (found?.live !== undefined) expect(held.filter((n) => found.live?.held[kind].has(n))).toEqual(held);
      expect(found?.live?.held[kind].size ?? 0).toBe(held.length);
    }
  }
}

const slotOf = fc.nat({ max: SLOTS - 1 });
const kindOf = fc.constantFrom<ObjectKind>("pack", "page");
const indexOf = fc.nat({ max: INDEXES - 1 });
const leaseOf = fc.oneof(
  { weight: 6, arbitrary: fc.constant<LeaseKind>("held") },
  { weight: 1, arbitrary: fc.constantFrom<LeaseKind>("older", "never given") },
);
const variantOf = fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) });

const create = fc.tuple(slotOf, fc.boolean()).map(([slot, isSame]) =>
  command(`create ${slot} ${isSame ? "" : "otherwise"}`, undefined, async (model, real) => {
    const request = requestOf(slot);
    // A first creation is always by the request that the others are compared with.
    const isOther = !isSame && model.portals.has(slot);
    const sent = isOther ? { ...request, requestHash: random(32) } : request;
    expect(await outcome(real.portals.create(sent))).toBe(model.create(slot, request, !isOther));
  }),
);

const upload = fc.tuple(slotOf, kindOf, indexOf, variantOf, leaseOf).map(([slot, kind, index, variant, lease]) =>
  command(`upload ${slot} ${kind} ${index}.${variant} ${lease}`, slot, async (model, real) => {
    const object = objectOf(kind, index, variant);
    expect(await outcome(real.upload(slot, object, lease))).toBe(model.upload(slot, object, lease));
  }),
);

/** The same object several times at once, and another one for its place: one of the two wins, for good. */
const uploadRace = fc.tuple(slotOf, kindOf, indexOf).map(([slot, kind, index]) =>
  command(`race for ${slot} ${kind} ${index}`, slot, async (model, real) => {
    const racers = [0, 1, 0, 1].map((variant) => objectOf(kind, index, variant));
    const before = model.portal(slot).objects.get(keyOf({ kind, index }))?.object;
    const outcomes = await Promise.all(racers.map((object) => outcome(real.upload(slot, object, "held"))));
    const winner = racers[outcomes.indexOf("ok")] ?? before ?? racers[0];
    for (const [at, object] of [...racers.entries()].sort(([, a]) => (a === winner ? -1 : 1))) {
      const expected = model.upload(slot, object, "held");
      // Two at once may be refused for want of room that only one of them takes.
      if (outcomes[at] === expected) continue;
      expect([outcomes[at], expected], `racer ${at} of ${outcomes}`).toEqual([
        expect.stringMatching(/^(portal|relay)\/full$/),
        expect.stringMatching(/^(ok|object\/conflict|portal\/full|relay\/full)$/),
      ]);
    }
  }),
);

const abort = fc.tuple(slotOf, kindOf, indexOf).map(([slot, kind, index]) =>
  command(`abort ${slot} ${kind} ${index}`, slot, async (model, real) => {
    if (model.portal(slot).isEnded) return;
    const live = await real.live(slot);
    const { header, bytes } = objectOf(kind, index, 0);
    const begun = await real.portals.upload(live, header, live.stored.lease);
    await begun.push(bytes.subarray(0, 500));
    begun.abort();
  }),
);

const read = fc.tuple(slotOf, kindOf, indexOf).map(([slot, kind, index]) =>
  command(`read ${slot} ${kind} ${index}`, slot, async (model, real) => {
    const reading = real.read(slot, kind, index);
    const code = await outcome(reading);
    expect(code).toBe(model.read(slot, kind, index));
    const known = model.portal(slot).objects.get(keyOf({ kind, index }));
    if (code === "ok") expect(Buffer.compare(await reading, known?.object.bytes ?? new Uint8Array(0))).toBe(0);
  }),
);

const rot = fc.tuple(slotOf, kindOf, indexOf).map(([slot, kind, index]) =>
  command(`rot ${slot} ${kind} ${index}`, slot, async (model, real) => {
    const known = model.portal(slot).objects.get(keyOf({ kind, index }));
    if (known?.condition !== "good" || index % 2 === 0) return;
    await real.rot(slot, kind, index);
    known.condition = "rotten";
  }),
);

const scrub = fc.constant(
  command("scrub", undefined, async (model, real) => expect((await real.scrub()).damaged).toBe(model.scrub())),
);

const commit = fc.tuple(slotOf, leaseOf, fc.boolean()).map(([slot, lease, isRight]) =>
  command(`commit ${slot} ${lease} ${isRight ? "" : "wrongly"}`, slot, async (model, real) => {
    const { commitment: before, isEnded } = model.portal(slot);
    const counts = { packs: model.held(slot, "pack").length, pages: model.held(slot, "page").length };
    const root = isRight ? model.root(slot) : random(32);
    const commitment: Commitment = isRight && before !== null ? before : { ...counts, root };
    const committing = isEnded
      ? Promise.reject(new Failure("portal/expired"))
      : real.live(slot).then((live) => real.portals.commit(live, commitment, leaseNumber(live, lease)));
    expect(await outcome(committing)).toBe(model.commit(slot, commitment, lease));
  }),
);

const takeLease = slotOf.map((slot) =>
  command(`lease ${slot}`, slot, async (model, real) => {
    const taking = async () => {
      const { lease, leave } = await real.portals.admitSender(await real.live(slot), { lease: 0, takeOver: false }, {});
      leave();
      return lease;
    };
    const taken = taking();
    expect(await outcome(taken)).toBe(model.takeLease(slot));
    if (!model.portal(slot).isEnded) expect(await taken).toBe(model.portal(slot).lease);
  }),
);

const whichOf = fc.nat({ max: CLAIMS.length - 1 });
const claimOf = (which: number) => CLAIMS[which] ?? random(16);

const complete = fc.tuple(slotOf, whichOf).map(([slot, which]) =>
  command(`complete ${slot} ${which}`, slot, async (model, real) => {
    const counting = real.live(slot).then((live) => real.reader(live).complete(claimOf(which)));
    expect(await outcome(counting)).toBe(model.complete(slot, which));
  }),
);

const claim = fc.tuple(slotOf, whichOf).map(([slot, which]) =>
  command(`claim ${slot} ${which}`, slot, async (model, real) => {
    const claiming = real.live(slot).then((live) => real.reader(live).claim(claimOf(which)));
    expect(await outcome(claiming)).toBe(model.claim(slot, which));
  }),
);

const release = fc.tuple(slotOf, whichOf).map(([slot, which]) =>
  command(`release ${slot} ${which}`, slot, async (model, real) => {
    const releasing = real.live(slot).then((live) => real.reader(live).release(claimOf(which)));
    expect(await outcome(releasing)).toBe(model.release(slot, which));
  }),
);

const end = slotOf.map((slot) =>
  command(`end ${slot}`, slot, async (model, real) => {
    const ending = real.live(slot).then((live) => real.portals.end(live, "owner"));
    expect(await outcome(ending)).toBe(model.portal(slot).isEnded ? "portal/expired" : "ok");
    model.end(slot);
  }),
);

const forget = fc.constant(
  command("forget what ended", undefined, async (model, real) => {
    await real.forgetEnded();
    model.forgetEnded();
  }),
);

const restart = fc.constant(command("restart", undefined, (_model, real) => real.restart()));

const often = (weight: number, arbitrary: fc.Arbitrary<Command>) => Array.from({ length: weight }, () => arbitrary);
const COMMANDS = [
  ...often(3, create),
  ...often(12, upload),
  ...often(2, uploadRace),
  abort,
  ...often(4, read),
  ...often(3, rot),
  ...often(2, scrub),
  ...often(3, commit),
  ...often(2, takeLease),
  ...often(2, complete),
  ...often(3, claim),
  release,
  end,
  forget,
  restart,
];

const property = fc.asyncProperty(
  fc.commands(COMMANDS, { maxCommands: MAX_COMMANDS, size: "max" }),
  async (commands) => {
    const real = await Real.open();
    try {
      await fc.asyncModelRun(() => ({ model: new StoreModel(), real }), commands);
    } finally {
      await real.close();
    }
  },
);

/** Runs until all lanes together did enough, or one of them failed. */
async function lane(): Promise<void> {
  while (done < OPERATIONS) {
    try {
      await fc.assert(property, { numRuns: RUNS_AT_A_TIME });
    } catch (error) {
      done = Number.POSITIVE_INFINITY;
      throw error;
    }
  }
}

describe("the store against its model", () => {
  it(`[RELAY-5, RELAY-11, RELAY-12, RELAY-13, RELAY-36] R20: ${OPERATIONS} operations in any order give what the model says`, async () => {
    await Promise.all(Array.from({ length: LANES }, lane));
    expect(done).toBeGreaterThanOrEqual(OPERATIONS);
  }, 900_000);
});
