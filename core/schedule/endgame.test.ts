import { describe, expect, it } from "vitest";
import { dispatcherOf, PACK, range, starts, VIEW } from "../../tests/support/dispatchers.ts";

describe("the end game", () => {
  it("asks an idle edge for the pack that is slowest, and cancels the loser", () => {
    const dispatcher = dispatcherOf([
      { bytesPerSec: PACK, maxActive: 1 },
      { bytesPerSec: PACK / 2, maxActive: 1 },
    ]);
    for (const pack of [0, 1]) dispatcher.want(pack);
    expect(starts(dispatcher.tick(0))).toEqual(["0@0"]);
    dispatcher.setEdge(1, { ...VIEW, bytesPerSec: 50 * PACK, maxActive: 1 });
    expect(starts(dispatcher.tick(50))).toEqual(["1@1"]);
    dispatcher.arrived(1, 1);
    const orders = dispatcher.fill(100);
    expect(orders.start).toEqual([{ pack: 0, edge: 1, isDuplicate: true, isRescue: true }]);
    expect(dispatcher.arrived(0, 1)).toBe(true);
    expect(dispatcher.fill(150).cancel).toEqual([{ pack: 0, edge: 0 }]);
    expect(dispatcher.arrived(0, 0)).toBe(false);
    expect(dispatcher.counts).toEqual({ wanted: 0, active: 0, waiting: 0, duplicates: 1 });
  });

  it("starts no more than one copy for fifty packs, and one in any case", () => {
    const dispatcher = dispatcherOf([{ bytesPerSec: PACK / 100, maxActive: 50 }]);
    for (let pack = 0; pack < 99; pack++) {
      dispatcher.want(pack);
      dispatcher.arrived(pack, 0);
    }
    for (let pack = 0; pack < 10; pack++) dispatcher.want(pack);
    for (let nowMs = 0; dispatcher.counts.active < 10; nowMs++) {
      for (const { pack } of dispatcher.tick(nowMs).start) dispatcher.progress(pack, 0, PACK - 10, nowMs);
    }
    dispatcher.setEdge(0, { ...VIEW, bytesPerSec: 1 });
    dispatcher.setEdge(1, { ...VIEW, bytesPerSec: 100 * PACK });
    dispatcher.holders(1, range(0, 100));
    const copies: boolean[] = [];
    for (let nowMs = 20; nowMs < 40; nowMs++) {
      for (const { pack, edge, isDuplicate } of dispatcher.tick(nowMs).start) {
        copies.push(isDuplicate);
        dispatcher.arrived(pack, edge);
      }
    }
    expect(copies).toEqual([true, true]);
  });

  it("makes the copy at the fastest idle holder, and no third one", () => {
    const dispatcher = dispatcherOf([{ bytesPerSec: PACK }, { weight: 0 }, { weight: 0 }, { weight: 0 }]);
    dispatcher.want(0);
    dispatcher.tick(0);
    for (const [edge, times] of [8, 10, 9].entries()) {
      dispatcher.setEdge(edge + 1, { ...VIEW, bytesPerSec: times * PACK });
    }
    for (let pack = 1; pack < 100; pack++) {
      dispatcher.want(pack);
      dispatcher.unwant(pack);
    }
    expect(dispatcher.tick(50).start).toEqual([{ pack: 0, edge: 2, isDuplicate: true, isRescue: true }]);
    expect(dispatcher.tick(1_700).start).toEqual([]);
  });

  it("rescues every pack that is stuck at a far slower edge, as long as much of it is lacking", () => {
    const dispatcher = dispatcherOf([{ bytesPerSec: PACK / 50 }, { bytesPerSec: 10 * PACK }]);
    const [stuck, almostThere] = [[0, 1, 2, 3], 4];
    for (const pack of stuck) dispatcher.adopt(pack, 0, PACK / 2, 0);
    dispatcher.adopt(almostThere, 0, PACK / 10, 0);
    const copies: { pack: number; isRescue: boolean }[] = [];
    for (let nowMs = 50; nowMs < 1_000; nowMs += 50) {
      for (const { pack, edge, isRescue = false } of dispatcher.tick(nowMs).start) {
        expect(edge).toBe(1);
        copies.push({ pack, isRescue });
        if (pack !== almostThere) expect(dispatcher.arrived(pack, edge)).toBe(true);
      }
    }
    expect(copies.toSorted((a, b) => a.pack - b.pack)).toEqual([
      ...stuck.map((pack) => ({ pack, isRescue: true })),
      { pack: almostThere, isRescue: false },
    ]);
  });

  it("makes no copy that would not gain", () => {
    const dispatcher = dispatcherOf([{ maxActive: 1 }, { bytesPerSec: PACK / 2, maxActive: 1 }]);
    dispatcher.want(0);
    dispatcher.tick(0);
    expect(dispatcher.tick(50).start).toEqual([]);
  });
});
