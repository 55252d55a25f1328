import { expect, it } from "vitest";
import { EDGES } from "../../../tests/support/scripted-edges.ts";
import type { LiveTransfer } from "../lib/live-channel.ts";
import { CHART_MS, type LiveRow, nextRow } from "./live.svelte.ts";

const TRANSFER: LiveTransfer = {
  id: "a",
  direction: "send",
  state: "running",
  waitingFor: null,
  bytesDone: 10,
  bytesTotal: 20,
  bytesPerSecond: 5,
  etaSeconds: 2,
  bottleneck: null,
  edges: EDGES,
};

it("keeps the rates of each edge for a minute", () => {
  let row: LiveRow | undefined;
  for (let ms = 0; ms <= 2 * CHART_MS; ms += 500) row = nextRow(TRANSFER, row, ms);
  const samples = row?.rates.get(2) ?? [];
  expect(samples).toHaveLength(121);
  expect([samples[0]?.atMs, samples.at(-1)?.atMs]).toEqual([CHART_MS, 2 * CHART_MS]);
  expect(samples.every(({ bytesPerSec }) => bytesPerSec === EDGES.edges[2]?.bytesPerSec)).toBe(true);
});

it("keeps no more samples than its bound, however often a tab announces", () => {
  let row: LiveRow | undefined;
  for (let ms = 0; ms < 1000; ms++) row = nextRow(TRANSFER, row, ms);
  expect(row?.rates.get(0)).toHaveLength(300);
});

it("forgets edges that are not told of any more, and adds nothing once the transfer has ended", () => {
  const row = nextRow(TRANSFER, undefined, 0);
  const one = nextRow({ ...TRANSFER, edges: { ...EDGES, edges: EDGES.edges.slice(0, 1) } }, row, 500);
  expect([...one.rates.keys()]).toEqual([0]);
  const ended = nextRow({ ...TRANSFER, state: "done" }, row, 1000);
  expect(ended.rates.get(0)).toEqual(row.rates.get(0));
  expect(nextRow({ ...TRANSFER, edges: null }, row, 1000).rates.size).toBe(0);
});
