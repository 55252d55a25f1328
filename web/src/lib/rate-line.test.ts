import { expect, it } from "vitest";
import { linePoints, roundUp } from "./rate-line.ts";

const SPAN = { nowMs: 100_000, spanMs: 60_000, top: 100, width: 300, height: 60 };

it("draws the newest sample at the right, zero at the bottom and the top of the axis at the top", () => {
  const samples = [
    { atMs: 40_000, bytesPerSec: 0 },
    { atMs: 70_000, bytesPerSec: 50 },
    { atMs: 100_000, bytesPerSec: 100 },
  ];
  expect(linePoints(samples, SPAN)).toBe("0,60 150,30 300,0");
});

it("leaves out what is older than the span, and does not leave the chart", () => {
  const samples = [
    { atMs: 39_999, bytesPerSec: 1 },
    { atMs: 100_000, bytesPerSec: 900 },
  ];
  expect(linePoints(samples, SPAN)).toBe("300,0");
  expect(linePoints([], SPAN)).toBe("");
});

it("ends an axis at one, two or five of a power of ten", () => {
  const ends = [0, 1e5, 1.01e5, 9.9e5, 1e6, 2.1e6, 61e6, 100e6, 101e6].map(roundUp);
  expect(ends).toEqual([1e5, 1e5, 2e5, 1e6, 1e6, 5e6, 100e6, 100e6, 200e6]);
});
