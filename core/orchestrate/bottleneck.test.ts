import { describe, expect, it } from "vitest";
import { type EdgeRate, findLimit, type RateView } from "./bottleneck.ts";

const MB = 1_000_000;

const edge = (number: number, changes: Partial<EdgeRate> = {}): EdgeRate => ({
  ...{ edge: number, kind: "relay", bytesPerSec: 10 * MB, peakBytesPerSec: 10 * MB },
  ...{ busy: 1, isUseful: true },
  ...changes,
});
const limitOf = (edges: readonly EdgeRate[], changes: Partial<RateView> = {}) =>
  findLimit({ direction: "down", edges, waits: { disk: 0, engine: 0 }, ...changes });

describe("findLimit", () => {
  it("counts the edges that carry something, and what they carry together", () => {
    const edges = [edge(0), edge(1), edge(2, { kind: "peer", bytesPerSec: 64 * MB }), edge(3, { bytesPerSec: 0 })];
    expect(limitOf(edges)).toMatchObject({ relays: 2, peers: 1, bytesPerSec: 84 * MB });
  });

  it("is this machine's disk or engine where they are waited for most of the time", () => {
    expect(limitOf([edge(0)], { waits: { disk: 0.6, engine: 0.1 } })).toMatchObject({ kind: "disk", edges: [] });
    expect(limitOf([edge(0)], { waits: { disk: 0.1, engine: 0.5 } }).kind).toBe("engine");
    expect(limitOf([edge(0)], { waits: { disk: 0.4, engine: 0.4 } }).kind).toBe("relay");
  });

  it("is this side's line where several busy edges all stay behind what each can do alone", () => {
    const shared = [edge(1, { peakBytesPerSec: 18 * MB }), edge(2, { kind: "peer", peakBytesPerSec: 19 * MB })];
    expect(limitOf(shared)).toMatchObject({ kind: "download", edges: [] });
    expect(limitOf(shared, { direction: "up" }).kind).toBe("upload");
    expect(limitOf(shared.slice(0, 1)).kind).toBe("unknown");
    expect(limitOf([...shared, edge(3)])).toMatchObject({ kind: "relay", edges: [3] });
  });

  it("is what the edges can do, by the kind that carries more of it", () => {
    const edges = [edge(4), edge(2, { kind: "peer", bytesPerSec: 30 * MB, peakBytesPerSec: 31 * MB }), edge(3)];
    expect(limitOf(edges)).toMatchObject({ kind: "peer", edges: [2] });
    expect(limitOf([edge(4), edge(3), edge(2, { kind: "peer" })])).toMatchObject({ kind: "relay", edges: [3, 4] });
  });

  it("is the holders where only some edges have what is still wanted", () => {
    const idle = edge(2, { bytesPerSec: 0, busy: 0, isUseful: false });
    expect(limitOf([edge(1), idle])).toMatchObject({ kind: "holders", edges: [1] });
    expect(limitOf([edge(1), { ...idle, isUseful: true }])).toMatchObject({ kind: "relay", edges: [1] });
  });

  it("is unknown rather than guessed where nothing runs at a limit", () => {
    expect(limitOf([])).toEqual({ kind: "unknown", edges: [], relays: 0, peers: 0, bytesPerSec: 0 });
    expect(limitOf([edge(1, { bytesPerSec: 0 })]).kind).toBe("unknown");
    expect(limitOf([edge(1, { busy: 0.3 })]).kind).toBe("unknown");
    expect(limitOf([edge(1, { bytesPerSec: 5 * MB })]).kind).toBe("unknown");
  });
});
