import { expect, it } from "vitest";
import { type EdgeFacts, EdgeWatch } from "./edge-watch.ts";

const PACK = 4_194_304;
const UP: EdgeFacts = { kind: "tcp", name: "relay.example", isUp: true, rttMs: 5, maxActive: 8 };

/** Carries 10 MB/s for three seconds. */
function carrying(): EdgeWatch {
  const watch = new EdgeWatch(0, UP, "down", PACK);
  watch.started(true, 0);
  watch.show(0);
  for (let ms = 50; ms <= 3_000; ms += 50) {
    watch.carried(500_000, ms);
    watch.show(ms);
  }
  return watch;
}

function rateAfter(watch: EdgeWatch, ms: number): number {
  for (let at = 50; at <= ms; at += 50) watch.show(3_000 + at);
  return watch.bytesPerSec;
}

it("shows the rate of the last second or so, and that it fades", () => {
  const watch = carrying();
  expect(watch.bytesPerSec).toBeGreaterThan(9e6);
  expect(rateAfter(watch, 1_000)).toBeLessThan(0.4 * 10e6);
});

it.each<[string, (watch: EdgeWatch) => void]>([
  ["has nothing more to do", (watch) => watch.ended(3_000)],
  [
    "is away",
    (watch) => {
      watch.facts = { ...UP, isUp: false };
    },
  ],
])("shows no rate soon after an edge %s", (_, end) => {
  const watch = carrying();
  end(watch);
  expect(rateAfter(watch, 1_900)).toBeGreaterThan(0);
  expect(rateAfter(watch, 2_000)).toBe(0);
});

it("shows what is left of the rate of a slow edge that still has a pack to give", () => {
  expect(rateAfter(carrying(), 5_000)).toBeGreaterThan(0);
});
