import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lowerBoundMs } from "./bound.ts";
import { fairShares } from "./fair-shares.ts";
import { POLICIES } from "./policies.ts";
import { simulate } from "./simulate.ts";
import type { SimEdge, World } from "./world.ts";

const PACK = 1_000_000;

function edgeOf(edge: Partial<SimEdge> & { readonly mbps: number }): SimEdge {
  const { mbps, ...rest } = edge;
  const rate = [{ fromMs: 0, bytesPerSec: mbps * PACK }];
  return { rate, rttMs: 0, maxActive: 8, holds: [[0, 100]], faults: [], ...rest };
}

function worldOf(edges: readonly SimEdge[], rest: Partial<World> = {}): World {
  return { packs: 100, packBytes: PACK, edges, seed: 1, endMs: 1e6, ...rest };
}

function policy(name: string) {
  const known = POLICIES[name];
  if (known === undefined) throw new Error(`no policy ${name}`);
  return known;
}

describe("the lower bound", () => {
  it.each([
    { what: "one edge, after its round trip", world: worldOf([edgeOf({ mbps: 10, rttMs: 100 })]), ms: 10_100 },
    { what: "several edges together", world: worldOf([edgeOf({ mbps: 10 }), edgeOf({ mbps: 30 })]), ms: 2_500 },
    {
      what: "the receiver's line",
      world: worldOf([edgeOf({ mbps: 10 }), edgeOf({ mbps: 30 })], { lineBytesPerSec: 20 * PACK }),
      ms: 5_000,
    },
    {
      what: "packs that only the slow edge has",
      world: worldOf([edgeOf({ mbps: 10 }), edgeOf({ mbps: 30, holds: [[0, 40]] })]),
      ms: 6_000,
    },
    {
      what: "a chain of holders",
      world: worldOf([
        edgeOf({ mbps: 10, holds: [[0, 50]] }),
        edgeOf({ mbps: 10, holds: [[20, 80]] }),
        edgeOf({ mbps: 10, holds: [[50, 100]] }),
      ]),
      ms: 100_000 / 30,
    },
    {
      what: "a rate that changes, and an edge that goes and comes back",
      world: worldOf([
        edgeOf({
          mbps: 0,
          rate: [
            { fromMs: 0, bytesPerSec: 10 * PACK },
            { fromMs: 6_000, bytesPerSec: 20 * PACK },
          ],
          faults: [
            { kind: "lost", atMs: 5_000 },
            { kind: "back", atMs: 7_000 },
          ],
        }),
      ]),
      ms: 9_500,
    },
    {
      what: "edges that lie",
      world: worldOf([edgeOf({ mbps: 90, lie: "corrupt" }), edgeOf({ mbps: 10 })]),
      ms: 10_000,
    },
  ])("is that of $what", ({ world, ms }) => {
    expect(lowerBoundMs(world) / ms).toBeCloseTo(1, 4);
  });

  it("is infinite where a pack can never arrive", () => {
    expect(lowerBoundMs(worldOf([edgeOf({ mbps: 10, holds: [[0, 99]] })]))).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("the simulator", () => {
  it("brings packs at the rate of an edge, after its round trip", () => {
    const { finishMs, bytesByEdge, wastedBytes } = simulate(
      worldOf([edgeOf({ mbps: 10, rttMs: 200 })]),
      policy("dispatcher"),
    );
    expect(finishMs).toBeCloseTo(10_200, 3);
    expect(bytesByEdge).toEqual([100 * PACK]);
    expect(wastedBytes).toBe(0);
  });

  it("shares the receiver's line, and a slower edge has all that it can use", () => {
    expect(fairShares([5, 100, 50], 65)).toEqual([5, 30, 30]);
  });

  it("never gives more than there is, nor more than is wished for", () =>
    fc.assert(
      fc.property(fc.array(fc.nat(1_000), { maxLength: 6 }), fc.nat(3_000), (wishes, total) => {
        const shares = fairShares(wishes, total);
        const sum = shares.reduce((all, share) => all + share, 0);
        const wished = wishes.reduce((all, wish) => all + wish, 0);
        expect(sum).toBeCloseTo(Math.min(total, wished), 6);
        for (const [i, share] of shares.entries()) expect(share).toBeLessThanOrEqual(wishes[i] ?? 0);
      }),
    ));

  it("notices a scheduler that breaks the rules", () => {
    const start = { pack: 0, edge: 0, isDuplicate: false };
    const { violations, finishMs } = simulate(
      worldOf([edgeOf({ mbps: 10, maxActive: 1, holds: [[1, 100]] })], { endMs: 100 }),
      () => ({
        want: () => undefined,
        holders: () => undefined,
        setEdge: () => undefined,
        edgeLost: () => undefined,
        distrust: () => undefined,
        progress: () => undefined,
        arrived: () => false,
        failed: () => undefined,
        tick: () => ({ cancel: [], start: [start, start] }),
        fill: () => ({ cancel: [], start: [] }),
      }),
    );
    expect(finishMs).toBe(Number.POSITIVE_INFINITY);
    expect(violations.slice(0, 5).map((each) => each.replace(/.*: /, ""))).toEqual([
      "started at an edge that does not hold it",
      "started twice at one edge",
      "more than the edge may have",
      "started at an edge that does not hold it",
      "a copy, and not called so",
    ]);
  });

  it.each(Object.keys(POLICIES))("brings everything under every policy: %s", (name) => {
    const edges = [
      edgeOf({ mbps: 10, rttMs: 20 }),
      edgeOf({ mbps: 3, rttMs: 90, faults: [{ kind: "lost", atMs: 900 }] }),
    ];
    const { finishMs, violations, bytesByEdge } = simulate(worldOf(edges), policy(name));
    expect(violations).toEqual([]);
    expect(finishMs).toBeLessThan(40_000);
    expect(bytesByEdge.reduce((sum, bytes) => sum + bytes, 0)).toBe(100 * PACK);
  });
});
