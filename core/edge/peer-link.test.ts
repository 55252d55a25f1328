import { afterEach, describe, expect, it } from "vitest";
import { noise, objectHash } from "../../tests/support/bytes.ts";
import { FakeChannel } from "../../tests/support/fake-channel.ts";
import { FakeClock, settle } from "../../tests/support/fake-clock.ts";
import { codeOf } from "../../tests/support/fake-http.ts";
import { LINK_SILENCE_MS, SEALED_PACK_BYTES } from "../units.ts";
import { encodeHeader, type SealedObject } from "../wire/object.ts";
import { decodePeerMessage, encodePeerFrame, type PeerFrame, SliceWriter } from "../wire/peer-frame.ts";
import { PackShelf } from "./pack-shelf.ts";
import { PeerLink } from "./peer-link.ts";
import { MAX_BUFFERED_BYTES, MAX_PEER_WANTS } from "./peer-serving.ts";

const links: PeerLink[] = [];
afterEach(() => {
  for (const link of links.splice(0)) link.close();
});

function pack(index: number, length = SEALED_PACK_BYTES): SealedObject {
  const bytes = noise(length, `pack ${index}`);
  const header = { kind: "pack" as const, final: length < SEALED_PACK_BYTES, index, length, hash: objectHash(bytes) };
  return { header, bytes };
}

/** One side of a connection. */
class Side {
  readonly shelf = new PackShelf();
  readonly link: PeerLink;
  changes = 0;
  isHeld = false;

  constructor(channel: FakeChannel, clock: FakeClock, ...packs: readonly SealedObject[]) {
    this.shelf.open();
    for (const one of packs) this.shelf.put(one);
    this.link = new PeerLink({
      channel,
      shelf: this.shelf,
      clock,
      isHeld: () => this.isHeld,
      onChange: () => {
        this.changes += 1;
      },
    });
    links.push(this.link);
  }

  get(index: number, signal: AbortSignal = new AbortController().signal, onBytes: (bytes: number) => void = () => {}) {
    return this.link.get(index, async ({ header, bytes }) => ({ header, bytes: bytes.slice() }), signal, onBytes);
  }
}

/** Two sides; the packs lie at the second one. */
async function connect(...packs: readonly SealedObject[]) {
  const clock = new FakeClock();
  const [here, there] = FakeChannel.pair();
  const [asker, giver] = [new Side(here, clock), new Side(there, clock, ...packs)];
  here.open();
  await clock.advance(1);
  return { clock, here, there, asker, giver };
}

/** A link whose other end is the test. */
async function faceStranger(...packs: readonly SealedObject[]) {
  const clock = new FakeClock();
  const [here, there] = FakeChannel.pair();
  const side = new Side(here, clock, ...packs);
  there.start({ open() {}, message() {}, closed() {} });
  here.open();
  await clock.advance(1);
  const say = async (frame: PeerFrame) => {
    here.tell(encodePeerFrame(frame));
    await settle();
  };
  const slice = (id: number, bytes: Uint8Array) => here.tell(new SliceWriter().write(id, bytes));
  return { clock, here, there, side, say, slice };
}

/** Comparing millions of bytes one by one would take seconds. */
function expectSame(object: SealedObject, expected: SealedObject | undefined): void {
  expect(object.header).toEqual(expected?.header);
  expect(Buffer.compare(object.bytes, expected?.bytes ?? new Uint8Array(0))).toBe(0);
}

const framesOf = (channel: FakeChannel) =>
  channel.sent.flatMap((message) => {
    const decoded = decodePeerMessage(message);
    return "frame" in decoded ? decoded.frame : [];
  });
const slicesOf = (channel: FakeChannel) =>
  channel.sent.flatMap((message) => {
    const decoded = decodePeerMessage(message);
    return "slice" in decoded ? decoded : [];
  });

describe("a peer", () => {
  it("[PEER-7, PEER-8] says what it holds and gives it, byte for byte, the last pack too", async () => {
    const packs = [pack(3), pack(4), pack(9, 70_000)];
    const { asker } = await connect(...packs);
    expect(asker.link.held.toArray()).toEqual([3, 5, 9, 10]);
    expect(asker.link).toMatchObject({ kind: "peer", name: "", isUp: true, maxActive: 4 });
    let bytes = 0;
    const count = (more: number) => {
      bytes += more;
    };
    for (const one of packs) expectSame(await asker.get(one.header.index, undefined, count), one);
    expect(bytes).toBe(2 * SEALED_PACK_BYTES + 70_000);
  });

  it("[PEER-7] tells the whole list at once, then every 250 ms while it changes, and not again what it told", async () => {
    const { clock, there, giver } = await connect(pack(1, 100));
    const told = () => framesOf(there).filter(({ t }) => t === "have");
    expect(told()).toEqual([{ t: "have", packs: [1, 2] }]);
    giver.shelf.put(pack(2, 100));
    giver.shelf.put(pack(5, 100));
    await clock.advance(248);
    expect(told()).toHaveLength(1);
    await clock.advance(2);
    expect(told()[1]).toEqual({ t: "have", packs: [1, 3, 5, 6] });
    giver.shelf.put(pack(5, 100));
    giver.link.tellHeld();
    await clock.advance(1000);
    expect(told()).toHaveLength(2);
  });

  it("[PEER-8] that does not have a pack says so, and is not taken to hold it any more", async () => {
    const { asker, giver, clock } = await connect(pack(1, 100), pack(2, 100));
    giver.shelf.shut();
    expect(await codeOf(asker.get(1))).toBe("object/absent");
    expect(asker.link.held.toArray()).toEqual([2, 3]);
    await clock.advance(300);
    expect(asker.link.held.count).toBe(0);
  });

  it("[PEER-8] is asked for four packs at a time, and gives slices of each in turn", async () => {
    const packs = [1, 2, 3, 4, 5].map((index) => pack(index, 400_000));
    const { clock, here, there, asker } = await connect(...packs);
    there.isStalled = true;
    const got = packs.map(({ header }) => asker.get(header.index));
    await settle();
    const wanted = framesOf(here).filter(({ t }) => t === "want");
    expect(wanted).toEqual([1, 2, 3, 4].map((n) => ({ t: "want", id: n, pack: n })));
    expect(
      slicesOf(there)
        .slice(0, 8)
        .map(({ id }) => id),
    ).toEqual([1, 2, 3, 4, 1, 2, 3, 4]);
    there.isStalled = false;
    there.flow();
    await clock.advance(100);
    for (const [i, object] of (await Promise.all(got)).entries()) expectSame(object, packs[i]);
  });

  it("[PEER-9] that is not wanted any more stops in the middle, and what came of it is not mistaken for another", async () => {
    const { clock, there, asker, giver } = await connect(pack(1), pack(2));
    there.isStalled = true;
    const stop = new AbortController();
    const first = asker.get(1, stop.signal);
    await settle();
    there.flow(3);
    stop.abort();
    expect(await codeOf(first)).toBe("cancelled");
    const second = asker.get(1);
    await settle();
    expect(giver.link.serving).toBe(1);
    there.isStalled = false;
    there.flow();
    await clock.advance(1000);
    expectSame(await second, pack(1));
    const ofFirst = slicesOf(there).filter(({ id }) => id === 1);
    expect(ofFirst.length).toBeLessThanOrEqual(MAX_BUFFERED_BYTES / 65_000);
    expect(framesOf(there)).toContainEqual({ t: "absent", id: 1 });
    expect(giver.link.serving).toBe(0);
  });

  it("[PEER-9] that is asked with a signal that was aborted is not asked", async () => {
    const { here, asker } = await connect(pack(1));
    const stop = new AbortController();
    stop.abort();
    expect(await codeOf(asker.get(1, stop.signal))).toBe("cancelled");
    expect(framesOf(here).some(({ t }) => t === "want")).toBe(false);
  });

  it("[PEER-10] gives no faster than the line takes it", async () => {
    const { clock, there, asker, giver } = await connect(pack(1), pack(2));
    there.isStalled = true;
    const got = Promise.all([asker.get(1), asker.get(2)]);
    for (let turn = 0; giver.link.serving > 0 || turn === 0; turn++) {
      expect(turn).toBeLessThan(1000);
      await clock.advance(4);
      there.flow(5);
    }
    there.isStalled = false;
    there.flow();
    await got;
    expect(there.mostBuffered).toBeLessThanOrEqual(MAX_BUFFERED_BYTES);
    expect(there.mostBuffered).toBeGreaterThan(MAX_BUFFERED_BYTES - 3 * 65_536);
    // Nothing runs on but the two heartbeats.
    await clock.advance(10);
    expect(clock.sleeping).toBe(2);
  });

  it("[PEER-11] measures the round trip", async () => {
    const { clock, here, asker } = await connect();
    expect(asker.link.rttMs).toBe(0);
    const [far, near] = [new FakeClock(), FakeChannel.pair()];
    const side = new Side(near[0], far);
    new Side(near[1], far);
    near[0].isStalled = true;
    near[0].open();
    await far.advance(70);
    expect(side.link.rttMs).toBeNull();
    near[0].flow();
    await settle();
    expect(side.link.rttMs).toBe(70);
    here.close();
    await clock.advance(1);
  });

  it("[PEER-11] is given up after 15 s in which nothing came, but not while its line still takes bytes", async () => {
    const { clock, here, there, asker, giver } = await connect(pack(1));
    await clock.advance(4 * LINK_SILENCE_MS);
    expect([asker.link.isUp, giver.link.isUp]).toEqual([true, true]);
    // The way back is cut, and the way there is slow.
    here.isStalled = true;
    there.isStalled = true;
    const got = codeOf(asker.get(1));
    await settle();
    here.flow();
    for (let second = 0; second < 20; second++) {
      there.flow(1);
      await clock.advance(1000);
    }
    expect(giver.link.isUp).toBe(true);
    await clock.advance(LINK_SILENCE_MS + 6000);
    expect((await asker.link.closed).details).toMatchObject({ carrier: "peer", what: "silence" });
    expect(giver.link.isUp).toBe(false);
    expect(await got).toBe("relay/unreachable");
    expect(await codeOf(asker.get(1))).toBe("relay/unreachable");
  });

  it("[PEER-13] gives nothing while that is not allowed, and says so when it changes", async () => {
    const { clock, asker, giver } = await connect(pack(1, 100));
    giver.isHeld = true;
    giver.link.tellHeld();
    expect(await codeOf(asker.get(1))).toBe("object/absent");
    await clock.advance(300);
    expect(asker.link.held.count).toBe(0);
    giver.isHeld = false;
    giver.link.tellHeld();
    await clock.advance(300);
    expect(asker.link.held.toArray()).toEqual([1, 2]);
    expect((await asker.get(1)).header.index).toBe(1);
  });

  it("hands on what the one who asked thinks of its bytes, and goes on", async () => {
    const { asker } = await connect(pack(1, 100), pack(2, 100));
    const refuse = () => Promise.reject(new Error("not what it should be"));
    await expect(asker.link.get(1, refuse, new AbortController().signal, () => {})).rejects.toThrow("not what");
    expect((await asker.get(2)).header.index).toBe(2);
  });

  it("leaves nothing behind when it ends: no timer, no pack lent, and everything pending ends with one reason", async () => {
    const { clock, here, there, asker, giver } = await connect(pack(1), pack(2));
    there.isStalled = true;
    const pending = [asker.get(1), asker.get(2), asker.get(3), asker.get(4), asker.get(5)].map(codeOf);
    await settle();
    expect(giver.link.serving).toBe(2);
    asker.link.close();
    await settle();
    expect(await Promise.all(pending)).toEqual(Array(5).fill("cancelled"));
    expect([(await asker.link.closed).code, (await giver.link.closed).code]).toEqual([
      "cancelled",
      "relay/unreachable",
    ]);
    expect([here.isClosed, there.isClosed, clock.sleeping, giver.link.serving]).toEqual([true, true, 0, 0]);
    expect([asker.link.isUp, asker.link.held.count]).toEqual([false, 0]);
    expect(await codeOf(giver.link.opened)).toBe("resolved");
  });

  it("that never opens says so", async () => {
    const [here] = FakeChannel.pair();
    const { link } = new Side(here, new FakeClock());
    link.close();
    expect(await codeOf(link.opened)).toBe("cancelled");
    here.open();
    expect(link.isUp).toBe(false);
  });
});

describe("a stranger as peer", () => {
  const header = (index: number, change: Partial<SealedObject["header"]> = {}) =>
    encodeHeader({ ...pack(1, 100).header, index, length: 5000, final: true, ...change });

  it.each<[string, (stranger: Awaited<ReturnType<typeof faceStranger>>) => void, string]>([
    ["a message that is none", ({ here }) => here.tell(new Uint8Array([9])), "wire/malformed"],
    ["bytes that nobody asked for", ({ slice }) => slice(77, new Uint8Array(10)), "wire/malformed"],
    ["a word about something that nobody asked for", ({ say }) => void say({ t: "absent", id: 77 }), "wire/malformed"],
    ["another pack than asked for", ({ slice }) => slice(1, header(4)), "wire/malformed"],
    ["a page", ({ slice }) => slice(1, header(3, { kind: "page" })), "wire/malformed"],
    ["a pack of another size", ({ slice }) => slice(1, header(3, { final: false })), "object/size"],
    ["a pack larger than any", ({ slice }) => slice(1, header(3, { length: 2 ** 24 })), "wire/too-large"],
    [
      "more bytes than the pack has",
      ({ slice }) => {
        slice(1, header(3));
        slice(1, new Uint8Array(5001));
      },
      "wire/malformed",
    ],
  ])("[PEER-9] that sends %s is left", async (_what, act, code) => {
    const stranger = await faceStranger();
    await stranger.say({ t: "have", packs: [3, 4] });
    const got = codeOf(stranger.side.get(3));
    await settle();
    act(stranger);
    expect((await stranger.side.link.closed).code).toBe(code);
    // One that was whole before is for whoever asked to look at.
    expect([code, "resolved"]).toContain(await got);
    expect(stranger.clock.sleeping).toBe(0);
  });

  it("[PEER-8] that asks for more than four packs, or under one number twice, is left", async () => {
    const packs = [1, 2, 3, 4, 5].map((index) => pack(index));
    const greedy = await faceStranger(...packs);
    greedy.here.isStalled = true;
    for (let n = 1; n <= MAX_PEER_WANTS + 1; n++) await greedy.say({ t: "want", id: n, pack: n });
    expect((await greedy.side.link.closed).code).toBe("wire/window");
    const confused = await faceStranger(...packs);
    confused.here.isStalled = true;
    for (const n of [1, 2]) await confused.say({ t: "want", id: 7, pack: n });
    expect((await confused.side.link.closed).code).toBe("wire/malformed");
  });

  it("[PEER-9] may send what was taken back to its end, and not a byte more", async () => {
    const { side, slice, here } = await faceStranger();
    const stop = new AbortController();
    const got = side.get(3, stop.signal);
    await settle();
    slice(1, encodeHeader({ ...pack(3).header }));
    stop.abort();
    expect(await codeOf(got)).toBe("cancelled");
    for (let left = SEALED_PACK_BYTES; left > 0; left -= 65_531) slice(1, new Uint8Array(Math.min(left, 65_531)));
    expect(side.link.isUp).toBe(true);
    expect(framesOf(here)).toContainEqual({ t: "unwant", id: 1 });
    slice(1, new Uint8Array(1));
    expect((await side.link.closed).code).toBe("wire/malformed");
  });

  it("[PEER-8] that claims to hold everything is asked, says that it does not, and costs nothing", async () => {
    const { side, say } = await faceStranger();
    await say({ t: "have", packs: [0, 2 ** 20] });
    const asked = [5, 6, 7].map((index) => codeOf(side.get(index)));
    await settle();
    for (const id of [1, 2, 3]) await say({ t: "absent", id });
    expect(await Promise.all(asked)).toEqual(Array(3).fill("object/absent"));
    expect(side.link.held.toArray()).toEqual([0, 5, 8, 2 ** 20]);
  });

  it("[PEER-10] that asks and does not read is left before its answers fill the memory", async () => {
    const { clock, side, here } = await faceStranger(pack(1));
    here.isStalled = true;
    here.tell(encodePeerFrame({ t: "want", id: 0, pack: 1 }));
    const question = encodePeerFrame({ t: "ping", n: 2 ** 40 });
    for (let rounds = 0; rounds < 8 && side.link.isUp; rounds++) {
      for (let n = 0; n < 40_000; n++) here.tell(question);
      await clock.advance(14_000);
    }
    expect((await side.link.closed).details).toMatchObject({ what: "unread" });
    expect(here.mostBuffered).toBeLessThan(6 * 2 ** 20);
  });

  it("[PEER-6] that says more than a peer has to say is left", async () => {
    const { side, here } = await faceStranger();
    const list = encodePeerFrame({ t: "have", packs: Array.from({ length: 500 }, (_, i) => 1000 + i) });
    let count = 0;
    while (side.link.isUp && count < 5000) {
      here.tell(list);
      count += 1;
    }
    expect((await side.link.closed).details).toMatchObject({ what: "frames" });
    expect(count).toBeGreaterThan(500);
  });
});
