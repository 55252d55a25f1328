import { expect, test } from "vitest";
import { median, medianOf, megabytesPerSecond, rotated } from "./stats.ts";

test("the median is the middle value, whatever the order", () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(() => median([])).toThrow(RangeError);
});

test("samples without a value are left out of a median", () => {
  expect(medianOf([{ ms: 3 }, {}, { ms: 1 }], (sample: { ms?: number }) => sample.ms)).toBe(2);
  expect(medianOf([{}], (sample: { ms?: number }) => sample.ms)).toBeUndefined();
});

test("megabytes are 10^6 bytes", () => {
  expect(megabytesPerSecond(256 * 1024 * 1024, 1000)).toBeCloseTo(268.435456);
});

test("over as many rounds as there are competitors, each one runs once in each place", () => {
  const items = ["a", "b", "c"];
  const rounds = [0, 1, 2].map((round) => rotated(items, round));
  for (const place of [0, 1, 2]) expect(new Set(rounds.map((round) => round[place]))).toEqual(new Set(items));
  expect(rotated(items, 3)).toEqual(items);
  expect(rotated([], 5)).toEqual([]);
});
