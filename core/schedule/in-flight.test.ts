import { expect, it } from "vitest";
import type { Wanted } from "./dispatch-queue.ts";
import { EdgeInFlight } from "./in-flight.ts";
import { type EdgeView, WEIGHT_ONE } from "./model.ts";

const PACK = 1_000_000;
const VIEW: EdgeView = { bytesPerSec: 1_000_000, rttUs: 0, backlogBytes: 0, maxActive: 100, weight: WEIGHT_ONE };

function wantedPack(pack: number): Wanted {
  return { pack, priority: 0, deadlineMs: 0, group: undefined, failures: undefined };
}

function fillUp(edge: EdgeInFlight, nowMs = 0): number {
  let started = 0;
  while (edge.room(nowMs) > 0) edge.start(wantedPack(started++), false, nowMs);
  return started;
}

it("has room for two packs and for what is on the way in one and a quarter round trips", () => {
  expect(fillUp(new EdgeInFlight(0, PACK, VIEW))).toBe(2);
  expect(fillUp(new EdgeInFlight(0, PACK, { ...VIEW, bytesPerSec: 8_000_000, rttUs: 500_000 }))).toBe(7);
});

it("never has room for more than the edge may have", () => {
  expect(fillUp(new EdgeInFlight(0, PACK, { ...VIEW, bytesPerSec: 1e9, rttUs: 500_000, maxActive: 3 }))).toBe(3);
});

it("has room for the next pack as bytes come, before the first one is there", () => {
  const edge = new EdgeInFlight(0, PACK, VIEW);
  fillUp(edge);
  edge.progress(0, PACK / 2, 500);
  expect(edge.room(500)).toBe(0);
  edge.progress(1, PACK / 2, 500);
  expect(edge.room(500)).toBe(1);
});

it("has no room while it is lost, distrusted or weighs nothing", () => {
  const lost = new EdgeInFlight(0, PACK, VIEW);
  lost.lose();
  expect([lost.room(0), lost.isUsable]).toEqual([0, false]);
  lost.view = VIEW;
  expect([lost.room(0), lost.isUsable]).toEqual([2, true]);
  lost.distrust();
  lost.view = VIEW;
  expect([lost.room(0), lost.isUsable]).toEqual([0, false]);
  expect(new EdgeInFlight(0, PACK, { ...VIEW, weight: 0 }).room(0)).toBe(0);
});

it.each([
  { what: "five times what it should take", bytesPerSec: PACK, dueMs: 5_000 },
  { what: "two seconds at least", bytesPerSec: 100 * PACK, dueMs: 2_000 },
  { what: "thirty seconds at most", bytesPerSec: PACK / 100, dueMs: 30_000 },
  { what: "a quarter of its time where its bytes need longer", bytesPerSec: PACK / 400, dueMs: 100_000 },
])("times a pack out after $what", ({ bytesPerSec, dueMs }) => {
  expect(new EdgeInFlight(0, PACK, { ...VIEW, bytesPerSec }).start(wantedPack(0), false, 0).dueMs).toBe(dueMs);
});

it("puts the time-out off when a sixteenth of a pack has come, not for single bytes", () => {
  const edge = new EdgeInFlight(0, PACK, VIEW);
  const flight = edge.start(wantedPack(0), false, 0);
  for (let ms = 1; ms <= 4_000; ms++) edge.progress(0, 1, ms);
  expect(flight.dueMs).toBe(5_000);
  edge.progress(0, PACK / 16, 4_500);
  expect(flight.dueMs).toBe(9_500);
});

it("finds an edge silent soon, however long a pack takes there, but only one that tells what has come", () => {
  const edge = new EdgeInFlight(0, PACK, { ...VIEW, bytesPerSec: PACK / 10 });
  edge.start(wantedPack(0), false, 0);
  expect(edge.isSilent(29_000)).toBe(false);
  edge.progress(0, 1, 30_000);
  expect(edge.isSilent(33_124)).toBe(false);
  expect(edge.isSilent(33_125)).toBe(true);
  edge.end(0);
  expect(edge.isSilent(40_000)).toBe(false);
  edge.start(wantedPack(1), false, 40_000);
  expect(edge.isSilent(43_124)).toBe(false);
  edge.progress(1, PACK, 43_124);
  expect(edge.isSilent(90_000)).toBe(false);
});

it("leaves an edge alone for longer after each failure in a row, up to half a minute, until it succeeds", () => {
  const edge = new EdgeInFlight(0, PACK, VIEW);
  const pausesMs: number[] = [];
  let nowMs = 0;
  for (let failure = 0; failure < 10; failure++) {
    edge.fail(nowMs);
    const fromMs = nowMs;
    while (edge.isCooling(nowMs)) nowMs += 50;
    pausesMs.push(nowMs - fromMs);
  }
  expect(pausesMs).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  edge.fail(nowMs);
  edge.succeed();
  expect(edge.isCooling(nowMs)).toBe(false);
  edge.fail(nowMs);
  expect(edge.isCooling(nowMs + 250)).toBe(false);
});

it("counts failures of one moment once", () => {
  const edge = new EdgeInFlight(0, PACK, VIEW);
  for (let i = 0; i < 8; i++) edge.fail(0);
  expect(edge.isCooling(249)).toBe(true);
  expect(edge.isCooling(250)).toBe(false);
});

it("expects a pack after its part of the rate, and a late one not before it is given up", () => {
  const edge = new EdgeInFlight(0, PACK, VIEW);
  const flight = edge.start(wantedPack(0), false, 0);
  edge.start(wantedPack(1), false, 0);
  expect(edge.remainingMs(flight, 0)).toBe(2_000);
  expect(edge.remainingMs(flight, 1_501)).toBe(3_499);
});

it("takes only sound views", () => {
  expect(() => new EdgeInFlight(0, PACK, { ...VIEW, bytesPerSec: 0 })).toThrow("sound");
  expect(() => new EdgeInFlight(0, PACK, { ...VIEW, maxActive: 0 })).toThrow("sound");
});
