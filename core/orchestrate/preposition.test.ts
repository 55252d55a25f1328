import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RangeSet } from "../chunk/range-set.ts";
import { type PlaceView, PREPOSITION_LIMITS, Preposition } from "./preposition.ts";

const PACK_BYTES = 4_000_000;
const FAR = 1;
const NEAR = 2;

const place = (edge: number, changes: Partial<PlaceView> = {}): PlaceView => ({
  ...{ edge, bytesPerSec: edge === NEAR ? 50_000_000 : 5_000_000, rttUs: edge === NEAR ? 2000 : 80_000 },
  ...{ health: 1, load: 0, canTake: edge === NEAR },
  ...changes,
});
const PLACES = [place(FAR), place(NEAR)];
const sure = (...packs: number[]) => packs.map((pack) => ({ pack, confidence: 0.9, why: "sequential" as const }));

function rangeOf(start: number, end: number): RangeSet {
  const set = new RangeSet();
  set.add(start, end);
  return set;
}

/** A far edge that holds everything, and a near one that holds nothing. */
function twoEdges(limits = {}): Preposition {
  const preposition = new Preposition(PACK_BYTES, { ...PREPOSITION_LIMITS, ...limits });
  preposition.holds(FAR, rangeOf(0, 1000));
  preposition.holds(NEAR, new RangeSet());
  return preposition;
}

describe("Preposition", () => {
  it("brings what will be wanted from the edge that has it to the one that would give it sooner", () => {
    const preposition = twoEdges();
    preposition.plan(sure(7), PLACES, 0);
    expect(preposition.start(0)).toEqual([{ pack: 7, from: FAR, to: NEAR }]);
  });

  it("learns where packs are from what was brought: the same pack is not brought there again", () => {
    const preposition = twoEdges({ coolDownMs: 0 });
    preposition.plan(sure(7), PLACES, 0);
    preposition.start(0);
    preposition.completed(7, 100);
    preposition.plan(sure(7), PLACES, 200_000);
    expect(preposition.start(200_000)).toEqual([]);
    // Now the near one is a source.
    const nearest = [...PLACES, place(3, { bytesPerSec: 500_000_000, rttUs: 100, canTake: true })];
    preposition.plan(sure(7), nearest, 400_000);
    expect(preposition.start(400_000)).toEqual([{ pack: 7, from: NEAR, to: 3 }]);
  });

  it("brings nothing for a gain of less than a fifth, of packs that nobody holds, or that are not sure enough", () => {
    const preposition = twoEdges();
    const same = [place(FAR), place(NEAR, { bytesPerSec: 6_000_000, rttUs: 80_000 })];
    preposition.plan(sure(1), same, 0);
    preposition.plan(sure(5000), PLACES, 0);
    preposition.plan([{ pack: 1, confidence: 0.59, why: "hot" }], PLACES, 0);
    expect(preposition.start(0)).toEqual([]);
    preposition.plan(sure(1), [place(FAR), place(NEAR, { bytesPerSec: 7_000_000, rttUs: 80_000 })], 0);
    expect(preposition.start(0)).toHaveLength(1);
  });

  it.each([
    ["the target is unhealthy", [place(FAR), place(NEAR, { health: 0.49 })]],
    ["the target has much to do", [place(FAR), place(NEAR, { load: 0.8 })]],
    ["the target may not take anything extra", [place(FAR), place(NEAR, { canTake: false })]],
    ["the source is unhealthy", [place(FAR, { health: 0.3 }), place(NEAR)]],
    ["the source has much to do", [place(FAR, { load: 0.95 }), place(NEAR)]],
  ])("brings nothing where %s", (_, places) => {
    const preposition = twoEdges();
    preposition.plan(sure(1), places, 0);
    expect(preposition.start(0)).toEqual([]);
  });

  it("takes the best of several sources and of several targets", () => {
    const preposition = twoEdges();
    preposition.holds(5, rangeOf(0, 10));
    const places = [
      ...[place(FAR), place(5, { bytesPerSec: 8_000_000, canTake: false })],
      ...[place(6, { bytesPerSec: 30_000_000, canTake: true }), place(NEAR)],
    ];
    preposition.plan(sure(1, 500), places, 0);
    expect(preposition.start(0)[0]).toEqual({ pack: 1, from: 5, to: NEAR });
    // Sooner than one holder, and not than the other.
    const quick = place(5, { bytesPerSec: 48_000_000, rttUs: 2000, canTake: false });
    preposition.plan(sure(2), [quick, place(FAR), place(NEAR)], 1000);
    expect([1000, 2000].flatMap((ms) => preposition.start(ms)).map(({ pack }) => pack)).toEqual([500]);
  });

  it("keeps a number at once", () => {
    const preposition = twoEdges({ bytesPerSec: 1e12 });
    preposition.plan(sure(1, 2, 3, 4, 5, 6, 7), PLACES, 0);
    const started = [0, 1, 2, 3, 4, 5, 6].flatMap((ms) => preposition.start(ms));
    expect(started.map(({ pack }) => pack)).toEqual([1, 2, 3, 4, 5]);
    preposition.failed(3);
    preposition.completed(1, 10);
    expect([10, 11, 12].flatMap((ms) => preposition.start(ms)).map(({ pack }) => pack)).toEqual([6, 7]);
  });

  it("keeps a rate in bytes per second, over any time: the original counted bytes in flight", () =>
    fc.assert(
      fc.property(
        fc.array(fc.nat(700), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 40 }),
        (waits, packsPerSec) => {
          const preposition = twoEdges({ bytesPerSec: packsPerSec * PACK_BYTES });
          const startedAtMs: number[] = [];
          let nowMs = 0;
          for (const [pack, waitMs] of waits.entries()) {
            nowMs += waitMs;
            preposition.plan(sure(pack), PLACES, nowMs);
            for (const { pack: started } of preposition.start(nowMs)) {
              startedAtMs.push(nowMs);
              preposition.completed(started, nowMs);
            }
          }
          for (const [i, fromMs] of startedAtMs.entries()) {
            for (const [j, untilMs] of startedAtMs.entries()) {
              if (j >= i) expect(j - i + 1).toBeLessThanOrEqual(1 + ((untilMs - fromMs) * packsPerSec) / 1000 + 1e-6);
            }
          }
        },
      ),
    ));

  it("lets a pack rest for a minute after it was tried, and begins with the surest", () => {
    const preposition = twoEdges();
    preposition.plan([...sure(2), { pack: 1, confidence: 0.95, why: "hot" }, ...sure(2)], PLACES, 0);
    const first = [0, 1000, 2000].flatMap((ms) => preposition.start(ms));
    expect(first.map(({ pack }) => pack)).toEqual([1, 2]);
    for (const pack of [1, 2]) preposition.failed(pack);
    preposition.plan(sure(1, 2), PLACES, 59_999);
    expect(preposition.start(59_999)).toEqual([]);
    preposition.plan(sure(1), PLACES, 60_000);
    expect(preposition.start(60_000)).toHaveLength(1);
  });

  it("does not queue twice what waits for longer than its rest", () => {
    const preposition = twoEdges({ bytesPerSec: PACK_BYTES / 100 });
    for (const ms of [0, 70_000, 140_000]) preposition.plan(sure(1, 2), PLACES, ms);
    const started = Array.from({ length: 10 }, (_, i) => preposition.start(140_000 + i * 100_000)).flat();
    expect(started.map(({ pack }) => pack)).toEqual([1, 2]);
  });

  it("measures how much of what was brought was wanted within half a minute", () => {
    const preposition = twoEdges({ bytesPerSec: 1e12 });
    preposition.plan(sure(1, 2, 3), PLACES, -3);
    for (const ms of [-3, -2, -1]) preposition.start(ms);
    preposition.failed(3);
    for (const pack of [1, 2]) preposition.completed(pack, 0);
    preposition.accessed(1, 30_000);
    preposition.accessed(1, 30_000);
    preposition.accessed(500, 30_000);
    expect(preposition.stats(30_000)).toEqual({ brought: 2, failed: 1, hits: 1, misses: 0 });
    preposition.accessed(2, 30_001);
    expect(preposition.stats(30_001)).toEqual({ brought: 2, failed: 1, hits: 1, misses: 1 });
  });

  it("forgets what waits when it is wanted already, or an end of its way is lost", () => {
    const preposition = twoEdges({ bytesPerSec: PACK_BYTES });
    preposition.plan(sure(1, 2, 3), PLACES, 0);
    expect(preposition.start(0).map(({ pack }) => pack)).toEqual([1]);
    preposition.accessed(2, 500);
    expect(preposition.start(1000).map(({ pack }) => pack)).toEqual([3]);
    preposition.plan(sure(4), PLACES, 1000);
    preposition.lost(NEAR);
    preposition.completed(99, 1000);
    expect(preposition.start(60_000)).toEqual([]);
  });

  it("queues no more than it may", () => {
    const preposition = twoEdges({ bytesPerSec: 1e12, maxActive: 1000, maxQueued: 50 });
    preposition.plan(sure(...Array.from({ length: 200 }, (_, i) => i)), PLACES, 0);
    expect(Array.from({ length: 100 }, (_, ms) => preposition.start(ms)).flat()).toHaveLength(50);
  });
});
