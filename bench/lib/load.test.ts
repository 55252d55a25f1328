import { expect, test } from "vitest";
import { groupTicks, ticksBetween } from "./load.ts";

test("a process that started meanwhile counts whole, one that ended does not count", () => {
  const before = new Map([
    [1, 100],
    [2, 50],
  ]);
  const after = new Map([
    [1, 130],
    [3, 7],
  ]);
  expect(ticksBetween(before, after)).toBe(37);
});

test("processes of no group are left out of the groups", () => {
  const after = new Map([
    [1, 5],
    [2, 6],
    [3, 7],
  ]);
  const grouping = (pid: number) => (pid === 3 ? undefined : "page");
  expect(groupTicks(new Map([[1, 1]]), after, grouping)).toEqual({ page: 10 });
});
