import { describe, expect, it } from "vitest";
import { FakeClock } from "../../tests/support/fake-clock.ts";
import { PacedRelay } from "../../tests/support/paced-relay.ts";
import { type Failure, toFailure } from "../failure.ts";
import type { RelaysMode } from "../portal/portal.ts";
import { SEALED_PACK_BYTES } from "../units.ts";
import type { Commitment } from "../wire/frame.ts";
import type { ObjectKind, SealedObject } from "../wire/object.ts";
import { SendFleet } from "./send-fleet.ts";

const PACKS = 40;
const PAGES = 5;
const COMMITMENT: Commitment = { packs: PACKS, pages: PAGES, root: new Uint8Array(32) };
const NO_WAITS = { disk: 0, engine: 0 };
const ALL = Array.from({ length: PACKS }, (_, pack) => pack);

function objectOf(kind: ObjectKind, index: number): SealedObject {
  const hash = new Uint8Array(32).fill(index % 256);
  const length = kind === "pack" ? SEALED_PACK_BYTES : 1000;
  return { header: { kind, index, final: false, length, hash }, bytes: Uint8Array.of(index) };
}

interface World {
  readonly clock: FakeClock;
  readonly relays: readonly PacedRelay[];
  readonly fleet: SendFleet;
  readonly lost: string[];
  /** Sends all packs with pages between them, fourteen packs under way, and commits. */
  send(): Promise<void>;
  /** Lets time pass until `work` settles. */
  settled(work: Promise<void>): Promise<Failure | "done">;
}

function world(mode: RelaysMode, ...rates: readonly number[]): World {
  const clock = new FakeClock();
  const relays = rates.map((rate, i) => new PacedRelay(`relay-${i}`, clock, rate * 1e6));
  const [home, ...others] = relays;
  if (home === undefined) throw new Error("a home");
  const lost: string[] = [];
  const onLost = (kind: ObjectKind, index: number) => {
    lost.push(`${kind} ${index}`);
    void fleet.put(objectOf(kind, index));
  };
  const fleet: SendFleet = new SendFleet({ home, mode, clock, seed: 3, onLost });
  for (const relay of others) fleet.join(relay);
  for (const relay of relays) relay.onChange = () => fleet.changed();
  fleet.setEnd(PACKS);
  const send = async () => {
    let next = 0;
    const lane = async () => {
      for (let pack = next++; pack < PACKS; pack = next++) {
        await fleet.put(objectOf("pack", pack));
        if (pack % 10 === 0) await fleet.put(objectOf("page", pack / 10));
      }
    };
    await Promise.all(Array.from({ length: 14 }, lane));
    await fleet.put(objectOf("page", PAGES - 1));
    await fleet.commit(COMMITMENT);
  };
  const settled = async (work: Promise<void>) => {
    let outcome: Failure | "done" | undefined;
    work.then(
      () => {
        outcome = "done";
      },
      (error: unknown) => {
        outcome = toFailure(error, "engine/failed");
      },
    );
    for (let step = 0; step < 20_000 && outcome === undefined; step++) await clock.advance(20);
    if (outcome === undefined) throw new Error("it never ended");
    return outcome;
  };
  return { clock, relays, fleet, lost, send, settled };
}

describe("a send to several relays", () => {
  it("goes straight through to the one relay where there is one", async () => {
    const { relays, send, settled, fleet } = world("striped", 20);
    expect(await settled(send())).toBe("done");
    expect(relays[0]?.held("pack")).toEqual(ALL);
    expect(relays[0]?.readers).toEqual([]);
    expect(fleet.state).toBe(relays[0]?.link.state);
  });

  it("gives each relay as many packs as it can take, then completes home, which alone holds all of them", async () => {
    const { relays, send, settled, clock, lost } = world("striped", 10, 30);
    const before = clock.now();
    const [home, other] = relays;
    const sending = send();
    // Both together take as long as one that carries as much as both; completing home comes after that.
    await clock.advance((PACKS * SEALED_PACK_BYTES) / 40_000 + 300);
    expect(new Set([...(home?.held("pack") ?? []), ...(other?.held("pack") ?? [])]).size).toBeGreaterThan(PACKS - 4);
    expect(await settled(sending)).toBe("done");
    expect(home?.held("pack")).toEqual(ALL);
    expect(home?.held("page")).toEqual([0, 1, 2, 3, 4]);
    expect(other?.held("page")).toEqual([0, 1, 2, 3, 4]);
    expect(other?.held("pack").length).toBeGreaterThan(PACKS / 2);
    expect(other?.held("pack").length).toBeLessThan(PACKS);
    expect([home?.commitment, other?.commitment]).toEqual([COMMITMENT, COMMITMENT]);
    expect(lost).toEqual([]);
    expect(clock.now()).toBeGreaterThan(before);
  });

  it("completes every relay where portals are replicated", async () => {
    const { relays, send, settled } = world("replicated", 20, 20, 20);
    expect(await settled(send())).toBe("done");
    for (const relay of relays) {
      expect(relay.held("pack")).toEqual(ALL);
      expect(relay.commitment).toEqual(COMMITMENT);
    }
  });

  it("goes on at the others while home is away, and is done when home is back and complete", async () => {
    const { relays, send, settled, clock, fleet } = world("striped", 20, 20);
    const [home, other] = relays;
    const sending = send();
    await clock.advance(1500);
    home?.setUp(false);
    await clock.advance(8000);
    expect(new Set([...(home?.held("pack") ?? []), ...(other?.held("pack") ?? [])]).size).toBe(PACKS);
    expect(other?.held("page")).toEqual([0, 1, 2, 3, 4]);
    expect(home?.commitment).toBeUndefined();
    expect(fleet.status.failure).toBe("relay/unreachable");
    home?.setUp(true);
    expect(await settled(sending)).toBe("done");
    expect(home?.held("pack")).toEqual(ALL);
    expect(home?.held("page")).toEqual([0, 1, 2, 3, 4]);
  });

  it("makes again what only a relay held that is gone for good", async () => {
    const { relays, send, settled, clock, lost } = world("striped", 20, 20);
    const [home, other] = relays;
    const sending = send();
    await clock.advance(2000);
    other?.setUp(false);
    const onlyThere = other?.held("pack").filter((pack) => home?.held("pack").includes(pack) !== true) ?? [];
    expect(onlyThere.length).toBeGreaterThan(2);
    expect(await settled(sending)).toBe("done");
    expect(home?.held("pack")).toEqual(ALL);
    expect(lost.sort()).toEqual(onlyThere.map((pack) => `pack ${pack}`).sort());
    expect(other?.commitment).toBeUndefined();
  });

  it("fails when what only a lost relay held cannot be made again", async () => {
    const clock = new FakeClock();
    const [home, other] = [new PacedRelay("home", clock, 20e6), new PacedRelay("other", clock, 20e6)];
    const fleet = new SendFleet({ home, mode: "striped", clock, seed: 3, onLost: () => {} });
    fleet.join(other);
    for (const relay of [home, other]) relay.onChange = () => fleet.changed();
    await Promise.race([
      Promise.all(ALL.slice(0, 8).map((pack) => fleet.put(objectOf("pack", pack)))),
      clock.advance(20_000),
    ]);
    other.setUp(false);
    const ended = fleet
      .commit({ ...COMMITMENT, packs: 8, pages: 0 })
      .catch((error: unknown) => toFailure(error, "engine/failed"));
    await clock.advance(200_000);
    expect(home.commitment).toBeUndefined();
    await clock.advance(200_000);
    expect(await ended).toMatchObject({ code: "relay/unreachable" });
    fleet.close();
  });

  it("makes again what another relay gives back as something else", async () => {
    const { relays, send, settled, lost } = world("striped", 20, 20);
    const [home, other] = relays;
    if (other !== undefined) other.lies = true;
    expect(await settled(send())).toBe("done");
    expect(home?.held("pack")).toEqual(ALL);
    expect(lost.length).toBeGreaterThan(PACKS / 4);
  });

  it("is told what a relay lost, and makes again only what no other holds", async () => {
    const { relays, send, settled, clock, lost, fleet } = world("replicated", 20, 20);
    expect(await settled(send())).toBe("done");
    const [home, other] = relays;
    if (home === undefined || other === undefined) throw new Error("relays");
    fleet.lost(other.link, "pack", 3);
    expect(lost).toEqual([]);
    fleet.lost(home.link, "pack", 3);
    expect(lost).toEqual(["pack 3"]);
    await clock.advance(1000);
  });

  it("takes a relay that joins later, and tells of all of them", async () => {
    const { relays, send, settled, clock, fleet } = world("striped", 5);
    const late = new PacedRelay("late", clock, 40e6);
    late.onChange = () => fleet.changed();
    const sending = send();
    await clock.advance(3000);
    fleet.join(late);
    await clock.advance(1000);
    expect(await settled(sending)).toBe("done");
    expect(late.held("pack").length).toBeGreaterThan(PACKS / 4);
    expect(relays[0]?.held("pack")).toEqual(ALL);
    const { edges } = fleet.snapshot(NO_WAITS);
    expect(edges.map(({ name, standing }) => [name, standing])).toEqual([
      ["relay-0", "up"],
      ["late", "up"],
    ]);
    expect(edges[1]?.packs).toBeGreaterThan(0);
  });

  it("counts what all relays hold as stored, for a send that is resumed", async () => {
    const { relays, send, settled, fleet } = world("striped", 20, 20);
    expect(await settled(send())).toBe("done");
    for (const relay of relays) relay.setUp(true);
    expect(fleet.state?.heldPacks).toEqual([0, PACKS]);
  });

  it("ends what is under way when it is closed, and closes links and readers", async () => {
    const { relays, send, clock, fleet } = world("striped", 20, 20);
    const sending = send();
    sending.catch(() => {});
    await clock.advance(1000);
    fleet.close();
    for (const relay of relays) {
      expect(relay.isClosed).toBe(true);
      expect(relay.readers.every(({ isClosed }) => isClosed)).toBe(true);
    }
    await clock.advance(200);
  });

  it("gives slow lines the time that they need: what is under way for minutes is neither begun again nor given up", async () => {
    const { clock, relays, fleet } = world("striped", 0.05, 0.05);
    const packs = [0, 1, 2, 3, 4, 5, 6, 7];
    const stored: number[] = [];
    for (const pack of packs) void fleet.put(objectOf("pack", pack)).then(() => stored.push(pack));
    for (let step = 0; step < 20_000 && stored.length < packs.length; step++) await clock.advance(50);
    expect(stored.toSorted((a, b) => a - b)).toEqual(packs);
    const seconds = (packs.length * SEALED_PACK_BYTES) / 0.1e6;
    expect(clock.now() / 1000).toBeLessThan(1.3 * seconds);
    expect(relays.every(({ link }) => link.objectBytes > 0)).toBe(true);
  });
});
