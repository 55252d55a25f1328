import { expect, test } from "vitest";
import { parseBusyTicks, parseKilobytes, parseStat, treeOf } from "./proc.ts";

test("a process name with spaces and parentheses does not shift the fields", () => {
  const text = "42 (a) b (c) S 7 42 42 0 -1 4194304 100 0 0 0 30 12 5 6 20 0 1 0 100 1000 200 0 0";
  expect(parseStat(text)).toEqual({ pid: 42, parent: 7, ticks: 42 });
});

test("busy time is user, nice and system; idle, waiting and interrupts are not", () => {
  expect(parseBusyTicks("cpu  100 5 50 9000 300 20 10 3 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n")).toBe(155);
});

test("a value in kB becomes bytes, and its prefix is not taken for it", () => {
  const text = "Pss:                 218 kB\nPss_Dirty:           8 kB\n";
  expect(parseKilobytes(text, "Pss")).toBe(218 * 1024);
  expect(parseKilobytes(text, "SwapPss")).toBeUndefined();
});

test("a tree holds grandchildren, also those listed before their parents", () => {
  const list = [
    { pid: 2, parent: 3, ticks: 0 },
    { pid: 3, parent: 4, ticks: 0 },
    { pid: 4, parent: 1, ticks: 0 },
    { pid: 9, parent: 1, ticks: 0 },
  ];
  expect(treeOf([4], list).map(({ pid }) => pid)).toEqual([2, 3, 4]);
});
