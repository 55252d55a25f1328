import { describe, expect, it } from "vitest";
import { dispatcherOf, PACK, range, starts, VIEW } from "../../tests/support/dispatchers.ts";
import { sequence } from "../../tests/support/fake-effort.ts";
import { RangeSet } from "../chunk/range-set.ts";
import type { Orders } from "./dispatch-orders.ts";
import { Dispatcher } from "./dispatcher.ts";
import { WEIGHT_ONE } from "./model.ts";

function wantAll(dispatcher: Dispatcher, end: number, start = 0): void {
  for (let pack = start; pack < end; pack++) dispatcher.want(pack);
}

const packs = ({ start }: Orders): number[] => start.map(({ pack }) => pack).sort((a, b) => a - b);

describe("the order", () => {
  it("is priority, deadline, fewest holders, number", () => {
    const dispatcher = dispatcherOf([{ maxActive: 1 }, { bytesPerSec: 1 }]);
    dispatcher.holders(1, range(0, 5));
    for (const pack of [4, 7, 6, 3]) dispatcher.want(pack);
    dispatcher.want(9, { deadlineMs: 500 });
    dispatcher.want(8, { deadlineMs: 400 });
    dispatcher.want(5, { priority: 1, deadlineMs: 900 });
    const served: number[] = [];
    for (let nowMs = 0; nowMs < 7; nowMs++) {
      for (const { pack, edge } of dispatcher.fill(nowMs).start) {
        served.push(pack);
        dispatcher.arrived(pack, edge);
      }
    }
    expect(served).toEqual([5, 8, 9, 6, 7, 3, 4]);
  });

  it("follows a pack that is suddenly wanted more", () => {
    const dispatcher = dispatcherOf([{ maxActive: 1 }]);
    wantAll(dispatcher, 10);
    dispatcher.want(6, { priority: 200 });
    expect(starts(dispatcher.tick(0))).toEqual(["6@0"]);
  });

  it("serves the lowest priority as soon as nothing higher waits", () => {
    const dispatcher = dispatcherOf([{ maxActive: 2 }]);
    dispatcher.want(0);
    for (let pack = 1; pack < 20; pack++) dispatcher.want(pack, { priority: 255 });
    const served: number[] = [];
    for (let nowMs = 0; dispatcher.counts.wanted > 0; nowMs++) {
      const orders = dispatcher.fill(nowMs);
      served.push(...orders.start.map(({ pack }) => pack));
      for (const { pack, edge } of orders.start) dispatcher.arrived(pack, edge);
    }
    expect(served.indexOf(0)).toBe(19);
  });
});

describe("the edge", () => {
  it("is the one where the pack would be there first, so a pack waits for a fast edge that is full", () => {
    const dispatcher = dispatcherOf([{ bytesPerSec: 10 * PACK, maxActive: 1 }, { bytesPerSec: PACK / 10 }]);
    wantAll(dispatcher, 5);
    expect(starts(dispatcher.tick(0))).toEqual(["0@0"]);
    expect(dispatcher.counts).toMatchObject({ wanted: 5, active: 1, waiting: 0 });
  });

  it("is a slow one too where there is enough for all", () => {
    const dispatcher = dispatcherOf([
      { bytesPerSec: 10 * PACK, maxActive: 1 },
      { bytesPerSec: PACK / 2, maxActive: 1 },
    ]);
    wantAll(dispatcher, 60);
    expect(starts(dispatcher.tick(0))).toEqual(["0@0", "1@1"]);
  });

  it("is asked for less where its weight says that it is dear, and not at all at weight 0", () => {
    const dispatcher = dispatcherOf([{ maxActive: 9 }, { weight: 100 * WEIGHT_ONE }, { weight: 0 }]);
    wantAll(dispatcher, 2);
    expect(starts(dispatcher.tick(0))).toEqual(["0@0", "1@0"]);
  });

  it("is chosen by the seed where several are equally good", () => {
    const first = (seed: number): number | undefined => {
      const dispatcher = dispatcherOf([{}, {}, {}, {}], seed);
      dispatcher.want(0);
      return dispatcher.tick(0).start[0]?.edge;
    };
    expect(new Set(Array.from({ length: 40 }, (_, seed) => first(seed)))).toEqual(new Set([0, 1, 2, 3]));
    expect(first(7)).toBe(first(7));
  });

  it("gets a second pack at once, and the next ones as bytes come", () => {
    const dispatcher = dispatcherOf([{}]);
    wantAll(dispatcher, 10);
    expect(packs(dispatcher.tick(0))).toEqual([0, 1]);
    dispatcher.progress(0, 0, PACK / 2, 500);
    dispatcher.progress(1, 0, PACK / 2, 500);
    expect(packs(dispatcher.fill(500))).toEqual([2]);
  });
});

describe("a pack that was asked for elsewhere", () => {
  it("counts at the edge that has it under way, is not started again, and arrives like any other", () => {
    const dispatcher = dispatcherOf([{}]);
    dispatcher.adopt(0, 0, PACK, 0);
    dispatcher.adopt(1, 0, PACK / 2, 0);
    wantAll(dispatcher, 10);
    expect(dispatcher.counts).toMatchObject({ wanted: 10, active: 2 });
    expect(packs(dispatcher.tick(0))).toEqual([]);
    dispatcher.progress(0, 0, PACK / 2, 500);
    expect(packs(dispatcher.fill(500))).toEqual([2]);
    expect(dispatcher.arrived(0, 0)).toBe(true);
    expect(dispatcher.arrived(0, 0)).toBe(false);
  });

  it("goes to another edge when the one that has it fails or is lost", () => {
    const dispatcher = dispatcherOf([{ bytesPerSec: 100 * PACK }, { bytesPerSec: 10 * PACK }]);
    dispatcher.adopt(0, 0, PACK / 10, 0);
    dispatcher.adopt(1, 0, PACK / 10, 0);
    dispatcher.failed(0, 0, 10);
    expect(starts(dispatcher.fill(10))).toEqual(["0@1"]);
    dispatcher.edgeLost(0);
    expect(starts(dispatcher.fill(20))).toEqual(["1@1"]);
  });

  it("is one that nobody else was asked for", () => {
    const dispatcher = dispatcherOf([{}]);
    dispatcher.want(0);
    expect(() => dispatcher.adopt(0, 0, PACK, 0)).toThrow();
    expect(() => dispatcher.adopt(1, 7, PACK, 0)).toThrow();
  });
});

describe("a pack that its edge fails", () => {
  it("starts at a backup in the same tick when the edge is lost, and the backups share what it had", () => {
    const dispatcher = dispatcherOf([{ bytesPerSec: 100 * PACK, rttUs: 50_000 }, {}, {}]);
    wantAll(dispatcher, 8);
    const before = dispatcher.tick(0).start.filter(({ edge }) => edge === 0);
    expect(before.length).toBe(8);
    dispatcher.edgeLost(0);
    const orders = dispatcher.tick(10);
    expect(orders.cancel).toEqual([]);
    expect(packs(orders)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(orders.start.filter(({ edge }) => edge === 1).length).toBe(4);
    expect(orders.start.every(({ isDuplicate }) => !isDuplicate)).toBe(true);
  });

  it("is cancelled and starts elsewhere in the tick in which it times out", () => {
    const dispatcher = dispatcherOf([{ bytesPerSec: 5 * PACK }, {}]);
    dispatcher.want(0);
    expect(starts(dispatcher.tick(0))).toEqual(["0@0"]);
    // It is late already, and somebody else is idle: a copy. That is no time-out.
    expect(dispatcher.tick(1_950)).toMatchObject({ cancel: [], start: [] });
    expect(dispatcher.tick(2_000)).toEqual({
      cancel: [{ pack: 0, edge: 0 }],
      start: [{ pack: 0, edge: 1, isDuplicate: false }],
    });
  });

  it("is still welcome if it comes after all", () => {
    const dispatcher = dispatcherOf([{ bytesPerSec: 5 * PACK }, {}]);
    dispatcher.want(0);
    dispatcher.tick(0);
    dispatcher.tick(2_000);
    expect(dispatcher.arrived(0, 0)).toBe(true);
    expect(dispatcher.tick(2_050)).toEqual({ cancel: [{ pack: 0, edge: 1 }], start: [] });
    expect(dispatcher.arrived(0, 1)).toBe(false);
  });

  it("does not start there again after three failures, as long as another edge holds it", () => {
    const dispatcher = dispatcherOf([{}, { bytesPerSec: 1 }]);
    dispatcher.want(0);
    let nowMs = 0;
    const edges: number[] = [];
    for (; edges.length < 12; nowMs += 50) {
      for (const { pack, edge } of dispatcher.tick(nowMs).start) {
        edges.push(edge);
        dispatcher.failed(pack, edge, nowMs);
      }
    }
    expect(edges.filter((edge) => edge === 0).length + edges.filter((edge) => edge === 1).length).toBe(12);
    for (let i = 0; i < 6; i++) expect(edges.slice(0, 6).filter((edge) => edge === i % 2).length).toBe(3);
  });

  it("is asked for again half a minute later where nobody else has it, and waits until then", () => {
    const dispatcher = dispatcherOf([{}]);
    dispatcher.want(0);
    const atMs: number[] = [];
    for (let nowMs = 0; nowMs < 70_000; nowMs += 50) {
      for (const { pack, edge } of dispatcher.tick(nowMs).start) {
        atMs.push(nowMs);
        dispatcher.failed(pack, edge, nowMs);
        if (atMs.length === 3) expect(dispatcher.counts).toMatchObject({ wanted: 1, active: 0 });
      }
    }
    expect(atMs).toEqual([0, 250, 750, 30_750, 60_750]);
  });

  it("is not asked for again at an edge that has not got it, until the edge says that it has", () => {
    const dispatcher = dispatcherOf([{}]);
    dispatcher.want(0);
    dispatcher.tick(0);
    dispatcher.failed(0, 0, 10, true);
    expect(dispatcher.tick(20_000).start).toEqual([]);
    expect(dispatcher.counts.waiting).toBe(1);
    dispatcher.holders(0, new RangeSet());
    dispatcher.holders(0, range(0, 1));
    expect(starts(dispatcher.tick(20_050))).toEqual(["0@0"]);
  });

  it("leaves an edge that lies with all that it had, and the edge is never asked again", () => {
    const dispatcher = dispatcherOf([{ bytesPerSec: 4 * PACK }, { bytesPerSec: PACK / 2 }]);
    wantAll(dispatcher, 2);
    expect(starts(dispatcher.tick(0))).toEqual(["0@0", "1@0"]);
    dispatcher.distrust(0);
    const orders = dispatcher.tick(50);
    expect(orders.cancel).toEqual([
      { pack: 0, edge: 0 },
      { pack: 1, edge: 0 },
    ]);
    expect(starts(orders)).toEqual(["0@1", "1@1"]);
    dispatcher.setEdge(0, VIEW);
    wantAll(dispatcher, 20);
    expect(dispatcher.tick(100).start.filter(({ edge }) => edge === 0)).toEqual([]);
  });
});

describe("nothing is dropped", () => {
  it("4: packs named by random hashes are each assigned once, within the caps; those that nobody holds wait", () => {
    const random = sequence(4);
    const names = Array.from({ length: 4_000 }, () => Array.from({ length: 8 }, random).join());
    const numbers = new Map(names.map((name, pack) => [name, pack]));
    expect(numbers.size).toBe(names.length);
    const edges = [3, 1, 5].map((maxActive) => ({ ...VIEW, maxActive, rttUs: 9_000_000 }));
    const dispatcher = new Dispatcher({ edges, packBytes: PACK, seed: 1 });
    for (const edge of edges.keys()) dispatcher.holders(edge, range(edge * 100, 3_900));
    for (const pack of numbers.values()) dispatcher.want(pack, { priority: pack % 3 });
    const served: number[] = [];
    for (let nowMs = 0; served.length < 3_900; nowMs++) {
      const { start } = dispatcher.tick(nowMs);
      for (const [edge, { maxActive }] of edges.entries()) {
        expect(start.filter((each) => each.edge === edge).length).toBeLessThanOrEqual(maxActive);
      }
      const first = start.filter(({ isDuplicate }) => !isDuplicate);
      served.push(...first.map(({ pack }) => pack));
      for (const { pack, edge } of first) dispatcher.arrived(pack, edge);
    }
    expect(new Set(served).size).toBe(3_900);
    // The last few of a priority may wait for a better edge, which leaves others to the next priority.
    expect(served.slice(0, 1_290).every((pack) => pack % 3 === 2)).toBe(true);
    expect(served.slice(0, 2_590).every((pack) => pack % 3 !== 0)).toBe(true);
    expect(dispatcher.counts).toMatchObject({ wanted: 100, active: 0, waiting: 100 });
    dispatcher.setEdge(3, { ...VIEW, maxActive: 200, rttUs: 100_000_000 });
    dispatcher.holders(3, range(3_900, 4_000));
    expect(packs(dispatcher.tick(9_999)).length).toBe(100);
  });

  it("waits for an edge that is lost, and goes on when it is back", () => {
    const dispatcher = dispatcherOf([{}]);
    wantAll(dispatcher, 2);
    dispatcher.tick(0);
    dispatcher.edgeLost(0);
    expect(dispatcher.tick(50).start).toEqual([]);
    expect(dispatcher.counts).toEqual({ wanted: 2, active: 0, waiting: 2, duplicates: 0 });
    dispatcher.setEdge(0, VIEW);
    expect(packs(dispatcher.tick(100))).toEqual([0, 1]);
  });

  it("gives edges that would be idle what is far off, when there is too much to look at all of it", () => {
    const views = Array.from({ length: 64 }, (_, edge) => ({ bytesPerSec: edge === 63 ? PACK / 1_000 : 100 * PACK }));
    const dispatcher = dispatcherOf(views);
    for (const edge of views.keys()) dispatcher.holders(edge, range(0, 8_000));
    for (let pack = 0; pack < 8_000; pack++) dispatcher.want(pack, { deadlineMs: pack });
    expect(new Set(dispatcher.tick(0).start.map(({ edge }) => edge)).size).toBe(64);
  });

  it("forgets a pack that is wanted no more, and cancels it where it is under way", () => {
    const dispatcher = dispatcherOf([{ maxActive: 1 }]);
    wantAll(dispatcher, 3);
    dispatcher.tick(0);
    dispatcher.unwant(0);
    dispatcher.unwant(1);
    dispatcher.unwant(50);
    expect(dispatcher.tick(50)).toEqual({
      cancel: [{ pack: 0, edge: 0 }],
      start: [{ pack: 2, edge: 0, isDuplicate: false }],
    });
    expect(dispatcher.counts.wanted).toBe(1);
  });
});

it("takes only what makes sense", () => {
  expect(() => dispatcherOf([{}]).want(-1)).toThrow("number");
  expect(() => dispatcherOf([{}]).want(1, { deadlineMs: Number.NaN })).toThrow("deadline");
  expect(() => dispatcherOf([{}]).setEdge(0xffff, VIEW)).toThrow("edge");
});
