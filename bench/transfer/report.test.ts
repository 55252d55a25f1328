import { expect, test } from "vitest";
import { MIB } from "../../core/units.ts";
import { aimsOf, formatReport, isMet, type Measured, rowsOf } from "./report.ts";
import type { Sample } from "./samples.ts";

function sample(competitor: string, ms: number, foreignPercent = 0): Sample {
  const during = { foreignPercent, ownSeconds: 1, groupSeconds: {} };
  return { competitor, data: "incompressible", round: 0, ms, bytes: 100e6, parts: {}, before: during, during };
}

const MEMORY = { path: "tcp", relayIdle: 0, sender: { renderer: 0, all: 0 }, relayPeak: 0 } as const;
const NOTHING: Measured = { samples: [], firstBytes: [], memory: [], blank: undefined };

test("a row is the median of its samples and shows the worst foreign load", () => {
  const rows = rowsOf([sample("tus", 1000, 3), sample("tus", 500, 20), sample("tus", 2000, 1)]);
  expect(rows).toEqual([
    { competitor: "tus", data: "incompressible", megabytesPerSecond: 100, seconds: 1, samples: 3, foreignPercent: 20 },
  ]);
});

test("goodput against the limit is the limit's time over ours, time against tus is ours over its", () => {
  const aims = aimsOf({
    ...NOTHING,
    samples: [sample("ours tcp", 1000), sample("limit tcp", 700), sample("tus", 2000)],
  });
  const aimOf = (what: string) => aims.find((aim) => aim.what === what);
  expect(aimOf("tcp: goodput / limit")).toMatchObject({ value: 0.7, bound: "least", aim: 0.8 });
  expect(aimOf("tcp: time / tus")).toMatchObject({ value: 0.5, bound: "most", aim: 0.6 });
  expect(aims.map(isMet)).toEqual([false, true]);
});

test("what was not measured has no aim, rather than a met one", () => {
  expect(aimsOf(NOTHING)).toEqual([]);
  expect(isMet({ what: "", value: undefined, bound: "most", aim: 1 })).toBe(false);
});

test("growth is between the two sizes, and a receiver is counted above the blank tab", () => {
  const memory = [
    { ...MEMORY, bytes: 2048 * MIB, receiver: { renderer: 190 * MIB, all: 0 } },
    { ...MEMORY, bytes: 256 * MIB, receiver: { renderer: 150 * MIB, all: 0 } },
  ];
  const aims = aimsOf({ ...NOTHING, memory, blank: { renderer: 30 * MIB, all: 0 } });
  expect(aims.find(({ what }) => what.startsWith("tcp: receiver above"))).toMatchObject({ value: 160 });
  expect(aims.find(({ what }) => what.startsWith("tcp: receiver growth"))).toMatchObject({ value: 40, aim: 32 });
});

test("a sample on a busy machine is marked", () => {
  expect(formatReport({ ...NOTHING, samples: [sample("tus", 1000, 13)] })).toMatch(/13!/);
  expect(formatReport({ ...NOTHING, samples: [sample("tus", 1000, 12)] })).not.toMatch(/!/);
});
