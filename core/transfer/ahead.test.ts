import { describe, expect, it, onTestFinished } from "vitest";
import { noise, prose } from "../../tests/support/bytes.ts";
import { FakeClock } from "../../tests/support/fake-clock.ts";
import { memoryFile } from "../../tests/support/fake-host.ts";
import { FakeRelay } from "../../tests/support/fake-relay.ts";
import { batchSource, createPortal, repeaterOf, startSend } from "../../tests/support/fake-transfer.ts";
import { loadEngine } from "../../tests/support/kernels.ts";
import { MemoryJournal } from "../../tests/support/memory-journal.ts";
import { RangeSet } from "../chunk/range-set.ts";
import { PackShelf } from "../edge/pack-shelf.ts";
import { Failure } from "../failure.ts";
import { MIB, SEALED_PACK_BYTES } from "../units.ts";
import type { SealedObject } from "../wire/object.ts";
import { AHEAD_PACKS, Ahead } from "./ahead.ts";

const PLACES = 32;
const MADE = 10_000;
const MEMORY = new Uint8Array(SEALED_PACK_BYTES);

function pack(index: number): SealedObject {
  const header = { kind: "pack" as const, final: false, index, length: SEALED_PACK_BYTES, hash: new Uint8Array(32) };
  return { header, bytes: MEMORY };
}

function holding(from: number, to: number): RangeSet {
  const held = new RangeSet();
  held.add(from, to);
  return held;
}

/** A send of many packs, each made again in no time; what was made is noted. */
function stage({ made = MADE, failing = false } = {}) {
  const clock = new FakeClock();
  const shelf = new PackShelf(PLACES * SEALED_PACK_BYTES);
  shelf.open();
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const remade: number[] = [];
  const ahead = new Ahead({
    shelf,
    made: () => made,
    remake: async (wanted, take) => {
      if (failing) remade.push(-1);
      if (failing) throw new Failure("file/changed");
      for (const index of wanted) {
        remade.push(index);
        take(pack(index));
      }
    },
    clock,
    signal: stop.signal,
  });
  return { clock, shelf, stop, remade, ahead };
}

describe("packs laid out for others", () => {
  it("[PEER-16] are those behind what a receiver has, so many and no more", async () => {
    const { clock, shelf, ahead } = stage();
    ahead.look([holding(40, 50)]);
    await clock.advance(60_000);
    expect(shelf.held.toArray()).toEqual([50, 50 + AHEAD_PACKS]);
    // What the send goes on with does not push them off.
    for (let fresh = 5_000; fresh < 5_200; fresh++) shelf.put(pack(fresh));
    expect([...shelf.held][0]).toEqual([50, 50 + AHEAD_PACKS]);
    expect(shelf.held.count).toBe(PLACES);
  });

  it("follow a receiver that fetches them", async () => {
    const { clock, shelf, ahead, remade } = stage();
    for (let at = 1; at <= 200; at += 2) {
      ahead.look([holding(Math.max(0, at - 20), at)]);
      for (const next of [at, at + 1]) shelf.lend(next)?.giveBack();
      await clock.advance(100);
    }
    expect(new Set(remade).size).toBe(remade.length);
    expect(Math.max(...remade)).toBeGreaterThan(200);
  });

  it("are shared among several receivers, each at its place", async () => {
    const { clock, shelf, ahead } = stage();
    ahead.look([holding(0, 10), holding(490, 500), new RangeSet()]);
    await clock.advance(60_000);
    const each = AHEAD_PACKS / 2;
    const [first, second] = [10, 500];
    expect(shelf.held.toArray()).toEqual([first, first + each, second, second + each]);
  });

  it("are none for a receiver that told nothing, and none that were not made yet", async () => {
    const { clock, shelf, ahead } = stage({ made: 60 });
    ahead.look([new RangeSet()]);
    await clock.advance(1_000);
    expect(shelf.held.count).toBe(0);
    ahead.look([holding(40, 50)]);
    await clock.advance(1_000);
    expect(shelf.held.toArray()).toEqual([50, 60]);
    ahead.look([holding(5_000_000, 5_000_001)]);
    await clock.advance(1_000);
    expect(shelf.held.count).toBe(10);
  });

  it("[PEER-16] keep to 64 MiB a second, whatever a receiver says of where it is", async () => {
    const { clock, remade, ahead } = stage();
    const start = clock.now();
    for (let at = 100; clock.now() - start < 2_000; at += 500) {
      ahead.look([holding(at % MADE, (at % MADE) + 1)]);
      await clock.advance(10);
    }
    const seconds = (clock.now() - start) / 1000;
    expect(remade.length).toBeGreaterThan(4);
    expect((remade.length - 4) * SEALED_PACK_BYTES).toBeLessThanOrEqual(64 * MIB * seconds);
  });

  it("[PEER-16] stop for half a minute where nobody fetches them, and begin again", async () => {
    const { clock, remade, ahead } = stage();
    let at = 100;
    const run = async (ms: number) => {
      for (const end = clock.now() + ms; clock.now() < end; at += 60) {
        ahead.look([holding(at, at + 1)]);
        await clock.advance(500);
      }
    };
    await run(10_000);
    const before = remade.length;
    expect(before).toBeGreaterThanOrEqual(16);
    await run(15_000);
    expect(remade.length).toBe(before);
    await run(15_000);
    expect(remade.length).toBeGreaterThan(before);
  });

  it("are let be for half a minute where files are not what they were, and for good when the send ends", async () => {
    const { clock, remade, ahead, stop } = stage({ failing: true });
    for (let i = 0; i < 100; i++) {
      ahead.look([holding(i, i + 1)]);
      await clock.advance(100);
    }
    expect(remade).toEqual([-1]);
    await clock.advance(30_000);
    ahead.look([holding(1, 2)]);
    await clock.advance(100);
    expect(remade).toEqual([-1, -1]);
    stop.abort();
    ahead.look([holding(1, 2)]);
    await clock.advance(60_000);
    expect(remade).toEqual([-1, -1]);
    expect(clock.sleeping).toBe(0);
  });

  it("are the same bytes that the relay was given", async () => {
    const files = [memoryFile("noise", noise(60 * MIB, "ahead")), memoryFile("text", prose(20 * MIB, "ahead"))];
    const engine = await loadEngine();
    const [relay, portal, journal] = [new FakeRelay(), await createPortal(), new MemoryJournal()];
    const send = startSend(relay, portal, files, batchSource(files, engine), {
      journal,
      repeater: repeaterOf(files, engine),
      onFailed: () => {},
    });
    await send.done;
    const { clock, shelf, stop } = stage();
    const ahead = new Ahead({
      shelf,
      made: () => send.sender.packs,
      remake: (wanted, take) => send.sender.remake(wanted, take),
      clock,
      signal: stop.signal,
    });
    ahead.look([holding(0, 1)]);
    await expect
      .poll(async () => {
        await clock.advance(1_000);
        return shelf.held.toArray();
      })
      .toEqual([1, AHEAD_PACKS + 1]);
    for (let index = 1; index <= AHEAD_PACKS; index++) {
      const lent = shelf.lend(index);
      const stored = relay.objects.get(`pack ${index}`);
      if (lent === undefined || stored === undefined) throw new Error(`pack ${index} is not there`);
      expect(lent.object.header).toEqual(stored.header);
      expect(Buffer.compare(lent.object.bytes, stored.bytes)).toBe(0);
    }
  });
});
