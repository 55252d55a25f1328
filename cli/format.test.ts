import { expect, test } from "vitest";
import { count, formatBytes, formatDuration, formatRate } from "./format.ts";

test.each([
  [0, "0 bytes"],
  [1, "1 byte"],
  [1023, "1023 bytes"],
  [1024, "1.0 KiB"],
  [1.5 * 1024 ** 2, "1.5 MiB"],
  [2 * 1024 ** 3, "2.0 GiB"],
  [3 * 1024 ** 4, "3.0 TiB"],
])("%d bytes read as %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [0.4, "0 s"],
  [59.6, "1 min 0 s"],
  [3599, "59 min 59 s"],
  [7260, "2 h 1 min"],
  [90_000, "1 d 1 h"],
])("%d seconds read as %s", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

test("rates are in millions of bytes, and one thing is not many", () => {
  expect(formatRate(12_345_678)).toBe("12.3 MB/s");
  expect([count(1, "item"), count(2, "item")]).toEqual(["1 item", "2 items"]);
});
