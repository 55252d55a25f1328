import fc from "fast-check";
import { expect, it } from "vitest";
import { RangeSet } from "../chunk/range-set.ts";
import { HolderMap } from "./dispatch-holders.ts";

const PACKS = 24;

function setOf(packs: readonly number[]): RangeSet {
  const set = new RangeSet();
  for (const pack of packs) set.add(pack);
  return set;
}

it("tells the holders of every pack, and which packs changed, as a table of all pairs would", () =>
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(fc.nat(5), fc.uniqueArray(fc.nat(PACKS - 1)), fc.option(fc.tuple(fc.nat(PACKS - 1), fc.boolean()))),
        { maxLength: 20 },
      ),
      (steps) => {
        const map = new HolderMap();
        const table = Array.from({ length: PACKS }, () => new Set<number>());
        const row = (pack: number) => [...(table[pack] ?? [])].sort((a, b) => a - b);
        for (const [edge, packs, put] of steps) {
          const before = Array.from(table.keys(), row);
          const changed = map.set(edge, setOf(packs));
          for (const [pack, holders] of table.entries()) {
            if (packs.includes(pack)) holders.add(edge);
            else holders.delete(edge);
          }
          const told = Array.from(table.keys()).filter((pack) => isWithin(changed, pack));
          expect(told).toEqual(Array.from(table.keys()).filter((pack) => row(pack).join() !== before[pack]?.join()));
          if (put !== null) {
            map.put(edge, put[0], put[1]);
            if (put[1]) table[put[0]]?.add(edge);
            else table[put[0]]?.delete(edge);
          }
          for (let pack = 0; pack < PACKS; pack++) expect(map.at(pack).edges).toEqual(row(pack));
        }
      },
    ),
  ));

function isWithin(ranges: readonly number[], pack: number): boolean {
  return ranges.some((start, i) => i % 2 === 0 && start <= pack && pack < (ranges[i + 1] ?? 0));
}

it("gives packs with the same holders the same class, wherever they are", () => {
  const map = new HolderMap();
  map.set(3, setOf([1, 2, 7]));
  map.set(1, setOf([2, 7, 8]));
  expect(map.at(2)).toBe(map.at(7));
  expect(map.at(0)).toBe(map.at(1_000_000));
  expect(map.at(2)).not.toBe(map.at(8));
});

it("forgets classes that no pack has any more", () => {
  const map = new HolderMap();
  for (let round = 0; round < 3_000; round++) map.set(round, setOf([round]));
  expect(map.at(2_999).edges).toEqual([2_999]);
  expect(map.at(17).edges).toEqual([17]);
});
