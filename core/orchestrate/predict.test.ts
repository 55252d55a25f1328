import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sequence } from "../../tests/support/fake-effort.ts";
import { ACCESS_WINDOW_MS, LOOK_AHEAD_PACKS, Predictor } from "./predict.ts";

const PACKS = 1000;
const packs = (predictor: Predictor, nowMs: number) => predictor.predict(nowMs).map(({ pack }) => pack);
const from = (start: number, count = LOOK_AHEAD_PACKS, step = 1) =>
  Array.from({ length: count }, (_, i) => start + step * i);

function readInOrder(predictor: Predictor, order: readonly number[], stepMs = 10): void {
  for (const [i, pack] of order.entries()) predictor.accessed(pack, i * stepMs);
}

/** The order in which sorting by 32 random bytes, as hashes are, puts packs. */
function hashOrder(count: number): number[] {
  const next = sequence(99);
  const hashes = Array.from({ length: count }, () =>
    Array.from({ length: 8 }, () => next().toString(16).padStart(8, "0")).join(""),
  );
  return hashes.map((_, pack) => pack).sort((a, b) => ((hashes[a] ?? "") < (hashes[b] ?? "") ? -1 : 1));
}

describe("Predictor", () => {
  it("sees a sequence in the order of files after five packs, and looks ten ahead, the nearest surest", () => {
    const predictor = new Predictor(PACKS, []);
    readInOrder(predictor, [100, 101, 102, 103]);
    expect(predictor.predict(100)).toEqual([]);
    predictor.accessed(104, 100);
    const said = predictor.predict(100);
    expect(said.map(({ pack }) => pack)).toEqual(from(105));
    expect(said.every(({ why, confidence }) => why === "sequential" && confidence >= 0.6)).toBe(true);
    expect(said[0]?.confidence).toBe(0.9);
  });

  it("sees it backwards too, and stops at the ends of the transfer", () => {
    const backwards = new Predictor(PACKS, []);
    readInOrder(backwards, [8, 7, 6, 5, 4]);
    expect(packs(backwards, 50)).toEqual([3, 2, 1, 0]);
    const atEnd = new Predictor(PACKS, []);
    readInOrder(atEnd, from(993, 5));
    expect(packs(atEnd, 50)).toEqual([998, 999]);
  });

  it("is not put off by a pack that is asked for twice, and is by a jump", () => {
    const predictor = new Predictor(PACKS, []);
    readInOrder(predictor, [10, 11, 11, 12, 13, 13, 14]);
    expect(packs(predictor, 70)).toEqual(from(15));
    expect(packs(predictor, 70 + ACCESS_WINDOW_MS)).toEqual([]);
    readInOrder(predictor, from(10, 5));
    predictor.accessed(500, 70);
    expect(packs(predictor, 70)).toEqual([]);
    readInOrder(predictor, [20, 21, 22, 21, 22, 23]);
    expect(packs(predictor, 70)).toEqual([]);
  });

  it("fires on the order of files and never on the order of hashes", () => {
    const fired = (order: readonly number[]) => {
      const predictor = new Predictor(PACKS, []);
      let times = 0;
      for (const [i, pack] of order.entries()) {
        predictor.accessed(pack, i);
        if (predictor.predict(i).length > 0) times += 1;
      }
      return times;
    };
    expect(fired(from(0, PACKS))).toBe(PACKS - 5);
    expect(fired(hashOrder(PACKS))).toBe(0);
  });

  it("claims no pattern for random access, to many packs or to few", () => {
    for (let seed = 1; seed <= 100; seed++) {
      for (const count of [100, PACKS]) {
        const next = sequence(Math.imul(seed, 0x9e3779b1) | 1);
        const predictor = new Predictor(count, []);
        for (let i = 0; i < 1000; i++) predictor.accessed(next() % count, i);
        expect(predictor.predict(1000)).toEqual([]);
      }
    }
  });

  it("knows a pack that is asked for far more often than others, for as long as it is", () => {
    const predictor = new Predictor(PACKS, []);
    const next = sequence(5);
    for (let i = 0; i < 300; i++) predictor.accessed(i % 10 === 0 ? 77 : next() % PACKS, i * 10);
    expect(predictor.predict(3000)).toEqual([{ pack: 77, confidence: 0.95, why: "hot" }]);
    expect(predictor.predict(3000 + ACCESS_WINDOW_MS)).toEqual([]);
  });

  it("follows the file that somebody has open, from where it is read", () => {
    const predictor = new Predictor(PACKS, []);
    predictor.opened({ start: 40, end: 90 });
    expect(packs(predictor, 0)).toEqual(from(40));
    predictor.opened({ start: 40, end: 90 }, 60);
    expect(packs(predictor, 0)).toEqual(from(60));
    predictor.accessed(70, 10);
    expect(packs(predictor, 10)).toEqual(from(70));
    predictor.accessed(300, 20);
    expect(packs(predictor, 20)).toEqual(from(70));
    predictor.opened(undefined);
    expect(predictor.predict(20)).toEqual([]);
  });

  it("looks into the next file, in their order, when the open one is nearly read", () => {
    const files = [
      { start: 0, end: 20 },
      { start: 19, end: 22 },
      { start: 22, end: 60 },
    ];
    const predictor = new Predictor(PACKS, files);
    predictor.opened({ start: 0, end: 20 }, 5);
    expect(packs(predictor, 0)).toEqual(from(5));
    predictor.opened({ start: 0, end: 20 }, 14);
    const said = predictor.predict(0);
    expect(said.map(({ pack }) => pack)).toEqual(from(14, 8));
    expect(said.filter(({ why }) => why === "next-file").map(({ pack }) => pack)).toEqual([20, 21]);
    predictor.opened({ start: 22, end: 60 }, 58);
    expect(packs(predictor, 0)).toEqual([58, 59]);
  });

  it("says each pack once, within the transfer, the surest first, whatever is asked for", () =>
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.nat(29), fc.constantFrom(5, 6, 7, 8)), { maxLength: 80 }),
        fc.nat(29),
        fc.boolean(),
        (order, at, isOpen) => {
          const predictor = new Predictor(30, [
            { start: 0, end: 12 },
            { start: 12, end: 30 },
          ]);
          if (isOpen) predictor.opened(at < 12 ? { start: 0, end: 12 } : { start: 12, end: 30 }, at);
          readInOrder(predictor, order);
          const said = predictor.predict(1000);
          expect(new Set(said.map(({ pack }) => pack)).size).toBe(said.length);
          const sure = said.map(({ confidence }) => confidence);
          expect(sure).toEqual(sure.toSorted((a, b) => b - a));
          for (const { pack, confidence } of said) {
            expect(pack >= 0 && pack < 30 && confidence >= 0.5 && confidence < 1).toBe(true);
          }
        },
      ),
    ));

  it("refuses packs and files that the transfer does not have", () => {
    expect(() => new Predictor(5, [{ start: 0, end: 6 }])).toThrow("assertion failed");
    const unordered = [
      { start: 2, end: 3 },
      { start: 1, end: 2 },
    ];
    expect(() => new Predictor(5, unordered)).toThrow("assertion failed");
    expect(() => new Predictor(5, []).accessed(5, 0)).toThrow("assertion failed");
  });
});
