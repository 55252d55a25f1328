import { expect, test } from "vitest";
import { cell, formatTable } from "./table.ts";

test("names stand to the left and numbers to the right", () => {
  expect(
    formatTable(
      ["what", "MB/s"],
      [
        ["ours", "120"],
        ["tus", "9"],
      ],
    ),
  ).toBe(["what  MB/s", "----  ----", "ours   120", "tus      9"].join("\n"));
});

test("a value that does not exist is a dash, not a zero", () => {
  expect([cell(1.25, 1), cell(undefined), cell(Number.NaN)]).toEqual(["1.3", "-", "-"]);
});
