import { describe, expect, it } from "vitest";
import { dispatcherOf, PACK, range, starts, VIEW } from "../../tests/support/dispatchers.ts";
import { RangeSet } from "../chunk/range-set.ts";

describe("failures", () => {
  it("of a whole edge that falls silent are noticed long before a slow pack would time out", () => {
    const dispatcher = dispatcherOf([{ bytesPerSec: PACK / 4, maxActive: 2 }, { weight: 0 }]);
    for (const pack of [0, 1]) dispatcher.want(pack);
    dispatcher.tick(0);
    dispatcher.progress(0, 0, 1, 500);
    dispatcher.setEdge(1, { ...VIEW, bytesPerSec: PACK / 4, rttUs: 9_000_000 });
    expect(dispatcher.tick(2_450).start).toEqual([]);
    const orders = dispatcher.tick(2_500);
    expect(orders.cancel.length).toBe(2);
    expect(starts(orders)).toEqual(["0@1", "1@1"]);
  });

  it("do not put a pack before others of a higher priority", () => {
    const dispatcher = dispatcherOf([{}, { maxActive: 1 }]);
    dispatcher.want(0);
    const [first] = dispatcher.tick(0).start;
    for (let pack = 1; pack < 9; pack++) dispatcher.want(pack, { priority: 5 });
    dispatcher.edgeLost(first?.edge ?? -1);
    expect(dispatcher.tick(50).start.map(({ pack }) => pack)).not.toContain(0);
  });

  it("of more edges than are kept in readiness still find the one that is left", () => {
    const dispatcher = dispatcherOf(Array.from({ length: 9 }, (_, edge) => ({ bytesPerSec: PACK * (9 - edge) })));
    dispatcher.want(0);
    expect(starts(dispatcher.tick(0))).toEqual(["0@0"]);
    for (let edge = 0; edge < 8; edge++) dispatcher.edgeLost(edge);
    expect(starts(dispatcher.tick(10))).toEqual(["0@8"]);
  });

  it("are not forgotten when the edge says again what it holds, nor later while another edge holds the pack", () => {
    const dispatcher = dispatcherOf([{}, { bytesPerSec: PACK / 2, weight: 0 }]);
    dispatcher.want(0);
    let nowMs = 0;
    for (let failures = 0; failures < 3; nowMs += 50) {
      for (const { pack, edge } of dispatcher.tick(nowMs).start) {
        dispatcher.failed(pack, edge, nowMs);
        failures += 1;
      }
    }
    dispatcher.holders(0, new RangeSet());
    dispatcher.holders(0, range(0, 100));
    dispatcher.setEdge(1, { ...VIEW, bytesPerSec: PACK / 100, maxActive: 1 });
    const edges: number[] = [];
    for (; nowMs < 90_000; nowMs += 50) edges.push(...dispatcher.tick(nowMs).start.map(({ edge }) => edge));
    // The other edge times out each time; only when it too is out of question may the first one be asked again.
    expect(edges.slice(0, 3)).toEqual([1, 1, 1]);
  });
});
