import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import { DESCRIPTION, FakeNetwork } from "../../tests/support/fake-channel.ts";
import { FakeClock, settle } from "../../tests/support/fake-clock.ts";
import { deriveContentKeys } from "../seal/keys.ts";
import { EVERYBODY, openSignal, type Signal, sealSignal } from "../seal/signal.ts";
import { MAX_SIGNAL_BYTES } from "../wire/frame.ts";
import { PackShelf } from "./pack-shelf.ts";
import { MAX_PEERS, Pairings } from "./pairings.ts";
import { PeerLink } from "./peer-link.ts";

const portal = noise(16, "portal");
let key: CryptoKey;
beforeAll(async () => {
  key = (await deriveContentKeys(portal, noise(32, "R"))).signal as CryptoKey;
});

/** Sealing and opening that is under way: it takes real time, while all else is driven by hand. */
const sealing = new Set<Promise<unknown>>();
beforeEach(() => {
  for (const method of ["encrypt", "decrypt"] as const) {
    const real = crypto.subtle[method].bind(crypto.subtle);
    vi.spyOn(crypto.subtle, method).mockImplementation((...values) => {
      const work = real(...values);
      sealing.add(work);
      work.finally(() => sealing.delete(work)).catch(() => {});
      return work;
    });
  }
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Until nothing is under way but time. */
async function quiet(): Promise<void> {
  await settle();
  for (; sealing.size > 0; await settle()) await Promise.allSettled(sealing);
}

interface Sent {
  readonly from: number;
  readonly to: number;
  readonly body: Uint8Array<ArrayBuffer>;
}

const STEP_MS = 500;

/** A relay, the network and the clock that all members share. */
class Place {
  readonly clock = new FakeClock();
  readonly network = new FakeNetwork();
  readonly members = new Map<number, Member>();
  readonly sent: Sent[] = [];
  /** What the relay makes of a signal: what it hands on, to whom. */
  relay: (signal: Sent) => readonly Sent[] = (signal) => [signal];
  #last = 0;

  join(): Member {
    this.#last += 1;
    const member = new Member(this, this.#last);
    this.members.set(member.number, member);
    member.pairings.changed();
    return member;
  }

  signal(from: number, to: number, body: Uint8Array): void {
    const signal = { from, to, body: new Uint8Array(body) };
    this.sent.push(signal);
    for (const each of this.relay(signal)) this.deliver(each);
  }

  deliver({ from, to, body }: Sent): void {
    for (const member of this.members.values())
      if (member.number !== from && (to === 0 || to === member.number)) member.pairings.signalled(from, body);
  }

  /** Lets so much time pass, and everything happen in it. */
  async meet(ms = 100): Promise<void> {
    for (let left = ms; left > 0; left -= STEP_MS) {
      await quiet();
      await this.clock.advance(Math.min(left, STEP_MS));
    }
    await quiet();
  }

  /** What was sent so far, opened. */
  opened(): Promise<Signal[]> {
    return Promise.all(this.sent.map(({ body }) => openSignal(key, portal, body)));
  }
}

class Member {
  number: number;
  readonly pairings: Pairings;
  readonly shelf = new PackShelf();
  changes = 0;

  constructor(place: Place, number: number) {
    this.number = number;
    const member = () => this.number;
    this.pairings = new Pairings({
      portal,
      key,
      link: {
        get member() {
          return member();
        },
        signal: (to, body) => place.signal(this.number, to, body),
      },
      broker: place.network.broker(),
      clock: place.clock,
      random: () => 0.5,
      join: (channel) =>
        new PeerLink({ channel, shelf: this.shelf, clock: place.clock, isHeld: () => false, onChange: () => {} }),
      onChange: () => {
        this.changes += 1;
      },
    });
    all.push(this.pairings);
  }

  get peers(): number {
    return this.pairings.links.length;
  }
}

const all: Pairings[] = [];
afterEach(() => {
  for (const pairings of all.splice(0)) pairings.close();
});

describe("members of a portal", () => {
  it("[PEER-1, PEER-4] announce themselves, hear of each other, and are connected once, by the one with the smaller name", async () => {
    const place = new Place();
    const [one, two, three] = [place.join(), place.join(), place.join()];
    await place.meet();
    expect([one.peers, two.peers, three.peers]).toEqual([2, 2, 2]);
    expect(place.network.open.size).toBe(6);
    const signals = await place.opened();
    const offers = signals.filter(({ said }) => said.kind === "offer");
    expect(offers).toHaveLength(3);
    for (const { from, to } of offers) expect(Buffer.compare(from, to)).toBe(-1);
    expect(new Set(signals.map(({ from }) => Buffer.from(from).toString("hex"))).size).toBe(3);
    expect([one.pairings.isAlone, one.changes > 0]).toEqual([false, true]);
    for (const { body } of place.sent) expect(body.length).toBeLessThanOrEqual(MAX_SIGNAL_BYTES);
  });

  it("[PEER-1] are announced again on another connection to the relay, and not before there is one", async () => {
    const place = new Place();
    const one = place.join();
    await place.meet();
    one.pairings.changed();
    one.number = 0;
    one.pairings.changed();
    await place.meet();
    expect(place.sent).toHaveLength(1);
    one.number = 9;
    one.pairings.changed();
    await place.meet();
    expect(place.sent.map(({ from, to }) => [from, to])).toEqual([
      [1, 0],
      [9, 0],
    ]);
  });

  it("[PEER-4] have eight connections at most", async () => {
    const place = new Place();
    const first = place.join();
    for (let i = 0; i < MAX_PEERS + 2; i++) place.join();
    await place.meet(3000);
    expect(first.peers).toBeGreaterThan(MAX_PEERS - 4);
    for (const member of place.members.values()) expect(member.peers).toBeLessThanOrEqual(MAX_PEERS);
  });

  it("[PEER-4] are connected again when a connection dies, after growing delays", async () => {
    const place = new Place();
    const [one, two] = [place.join(), place.join()];
    await place.meet();
    one.pairings.links[0]?.close();
    await place.meet(10);
    expect([one.peers, two.peers]).toEqual([0, 0]);
    await place.meet(1000);
    expect([one.peers, two.peers]).toEqual([1, 1]);
    expect(place.network.open.size).toBe(2);
  });

  it("[PEER-4] that cannot reach each other are tried three times, and again when they come anew", async () => {
    const place = new Place();
    place.network.isApart = true;
    const [one, two] = [place.join(), place.join()];
    await place.meet(120_000);
    expect(place.network.begun).toBe(6);
    expect([place.network.open.size, one.pairings.isAlone, two.pairings.isAlone]).toEqual([0, true, true]);
    place.network.isApart = false;
    two.number = 7;
    place.members.delete(2);
    place.members.set(7, two);
    two.pairings.changed();
    await place.meet(1000);
    expect([one.peers, two.peers]).toEqual([1, 1]);
  });

  it("[PEER-4] that do not answer are given up", async () => {
    const place = new Place();
    place.relay = (signal) => (signal.body[0] === 3 ? [] : [signal]);
    const [one, two] = [place.join(), place.join()];
    await place.meet(120_000);
    expect([one.peers, two.peers, place.network.open.size]).toEqual([0, 0, 0]);
    expect((await place.opened()).filter(({ said }) => said.kind === "offer")).toHaveLength(3);
  });

  it("[PEER-14] that gave wrong bytes are left and not met again", async () => {
    const place = new Place();
    const [one, two] = [place.join(), place.join()];
    await place.meet();
    const [link] = one.pairings.links;
    if (link === undefined) throw new Error("they met");
    one.pairings.distrust(link);
    await place.meet(60_000);
    two.number = 8;
    two.pairings.changed();
    await place.meet(60_000);
    expect([one.peers, two.peers]).toEqual([0, 0]);
  });

  it("leave no timer, connection or word behind when it is over", async () => {
    const place = new Place();
    const [one, two] = [place.join(), place.join()];
    await place.meet();
    one.pairings.close();
    two.pairings.close();
    await place.meet(1);
    const said = place.sent.length;
    expect([place.clock.sleeping, place.network.open.size, one.peers, one.pairings.isAlone]).toEqual([0, 0, 0, true]);
    one.number = 5;
    one.pairings.changed();
    for (const signal of place.sent.slice()) place.deliver(signal);
    await place.meet(60_000);
    expect([place.sent.length, place.network.open.size]).toEqual([said, 0]);
  });
});

describe("a relay that meddles with signals", () => {
  it.each<[string, (signal: Sent, place: Place) => readonly Sent[]]>([
    [
      "changes a bit",
      (signal) => [{ ...signal, body: signal.body.with(-9, (signal.body.at(-9) ?? 0) ^ 1) as Sent["body"] }],
    ],
    ["cuts the end", (signal) => [{ ...signal, body: signal.body.slice(0, -1) }]],
    ["gives everybody their own words", (signal) => [{ from: 99, to: signal.from, body: signal.body }]],
    ["keeps everything", () => []],
    ["gives only announcements", (signal) => (signal.body[0] === 1 ? [signal] : [])],
    ["gives noise", (signal) => [{ ...signal, body: noise(500, 7) }]],
    [
      "gives the first signal only",
      (signal, { sent }) => sent.slice(0, 1).map((first) => ({ ...first, to: signal.to })),
    ],
  ])("[PEER-2] gets no connection made: one that %s", async (_what, meddle) => {
    const place = new Place();
    place.relay = (signal) => meddle(signal, place);
    const [one, two] = [place.join(), place.join()];
    await place.meet(120_000);
    expect([one.peers, two.peers, place.network.open.size]).toEqual([0, 0, 0]);
  });

  it("[PEER-3] that repeats everything, to everybody, again and again, changes nothing", async () => {
    const place = new Place();
    place.relay = (signal) => [
      signal,
      { ...signal, to: 0 },
      ...place.sent.slice(-6).map((old) => ({ ...old, from: 50, to: 0 })),
    ];
    const [one, two, three] = [place.join(), place.join(), place.join()];
    await place.meet();
    expect([one.peers, two.peers, three.peers]).toEqual([2, 2, 2]);
    for (const signal of place.sent.slice()) place.deliver({ ...signal, from: 70, to: 0 });
    await place.meet(10_000);
    expect([one.peers, two.peers, three.peers]).toEqual([2, 2, 2]);
    expect(place.network.begun).toBe(6);
  });

  it("[PEER-3] that gives an answer to another offer than the one it answers gets no connection", async () => {
    const place = new Place();
    let early: Sent | undefined;
    // The first answer is kept back, and given in place of every later one.
    place.relay = (signal) => {
      if (signal.body[0] !== 3) return [signal];
      early ??= signal;
      return signal === early ? [] : [early];
    };
    const [one, two] = [place.join(), place.join()];
    await place.meet(120_000);
    expect([one.peers, two.peers]).toEqual([0, 0]);
  });

  it("[PEER-2] cannot make one member connect to another portal's", async () => {
    const place = new Place();
    const other = (await deriveContentKeys(portal, noise(32, "another R"))).signal as CryptoKey;
    place.join();
    await place.meet();
    const place2 = { from: noise(16, "stranger"), to: EVERYBODY, number: 1 };
    const body = await sealSignal(other, portal, { ...place2, said: { kind: "announce" } });
    place.deliver({ from: 9, to: 0, body });
    await place.meet(1000);
    expect(place.sent).toHaveLength(1);
  });
});

describe("a member that misuses signals", () => {
  /** Tells one honest member something, sealed as any member can. */
  async function tell(place: Place, signal: Signal): Promise<void> {
    place.deliver({ from: 9, to: 1, body: await sealSignal(key, portal, signal) });
    await place.meet(1);
  }

  async function faceMember() {
    const place = new Place();
    const honest = place.join();
    await place.meet();
    const [announced] = await place.opened();
    if (announced === undefined) throw new Error("it announces itself");
    return { place, honest, self: announced.from };
  }

  it("[PEER-4] is not answered when the other side should offer", async () => {
    const { place, self } = await faceMember();
    const description = DESCRIPTION;
    const from = new Uint8Array(16).fill(255);
    await tell(place, { from, to: self, number: 1, said: { kind: "offer", description } });
    expect([place.network.begun, place.sent.length]).toEqual([0, 1]);
  });

  it("[PEER-1] under ever new names is remembered 32 times at the most, and takes no more than eight connections", async () => {
    const { place, honest } = await faceMember();
    for (let n = 0; n < 200; n++) {
      const from = noise(16, `name ${n}`);
      from[0] = 255;
      await tell(place, { from, to: EVERYBODY, number: 1, said: { kind: "announce" } });
    }
    expect(place.network.open.size).toBeLessThanOrEqual(MAX_PEERS);
    await place.meet(400_000);
    expect([place.network.open.size, honest.pairings.isAlone]).toEqual([0, true]);
    expect(place.network.begun).toBeLessThanOrEqual(3 * 200);
  });

  it("[PEER-1] in a flood is heard 64 signals at a time", async () => {
    const { place, honest } = await faceMember();
    const bodies = await Promise.all(
      Array.from({ length: 100 }, (_, n) => {
        const from = noise(16, `name ${n}`).with(0, 0) as Uint8Array<ArrayBuffer>;
        return sealSignal(key, portal, { from, to: EVERYBODY, number: 1, said: { kind: "announce" } });
      }),
    );
    for (const body of bodies) honest.pairings.signalled(9, body);
    await place.meet();
    expect(place.sent.length).toBe(1 + 64);
  });
});
