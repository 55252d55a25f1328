import fc from "fast-check";
import { expect, it } from "vitest";
import { balance, type Loads } from "./balance.ts";
import { type Level, type Wanted, WantQueue } from "./dispatch-queue.ts";

const NEVER = Number.POSITIVE_INFINITY;

function loadsOf(edges: readonly (readonly [loadUs: number, packUs: number])[]): Loads {
  return {
    loadUs: Float64Array.from(edges, ([loadUs]) => loadUs),
    packUs: Float64Array.from(edges, ([, packUs]) => packUs),
    ties: Float64Array.from(edges.keys()),
    version: 1,
  };
}

/** One level of groups: so many packs, held by these edges. */
function levelOf(groups: readonly (readonly [packs: number, edges: readonly number[]])[]): Level {
  const queue = new WantQueue();
  let pack = 0;
  for (const [packs, edges] of groups) {
    const holders = { edges, neighbours: new Map() };
    for (let i = 0; i < packs; i++) queue.add(wantedPack(pack++), holders);
  }
  const [level] = queue.levels;
  if (level === undefined) throw new Error("no level");
  return level;
}

function wantedPack(pack: number): Wanted {
  return { pack, priority: 0, deadlineMs: NEVER, group: undefined, failures: undefined };
}

/** One pack after the other to where it is through first: what whole packs of one group cannot be better than. */
function onePackAtATime(packs: number, edges: readonly (readonly [number, number])[]): number {
  const ends = edges.map(([loadUs]) => loadUs);
  let last = 0;
  for (let i = 0; i < packs; i++) {
    let best = -1;
    for (const [edge, [, packUs]] of edges.entries()) {
      const isSooner = best === -1 || (ends[edge] ?? 0) + packUs < (ends[best] ?? 0) + (edges[best]?.[1] ?? NEVER);
      if (packUs !== NEVER && isSooner) best = edge;
    }
    ends[best] = (ends[best] ?? 0) + (edges[best]?.[1] ?? 0);
    last = Math.max(last, ends[best] ?? 0);
  }
  return last;
}

it("spreads one group so that its last pack is there as soon as it can be", () =>
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 400 }),
      fc.array(fc.tuple(fc.nat(5_000), fc.oneof(fc.integer({ min: 1, max: 1_000 }), fc.constant(NEVER))), {
        minLength: 1,
        maxLength: 8,
      }),
      (packs, edges) => {
        fc.pre(edges.some(([, packUs]) => packUs !== NEVER));
        const level = levelOf([[packs, Array.from(edges.keys())]]);
        balance(level, loadsOf(edges), 1_000);
        const shares = [...(level.order[0]?.shares ?? [])];
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(packs);
        const ends = shares.map((share, edge) => {
          const [loadUs = 0, packUs = 0] = edges[edge] ?? [];
          return share === 0 ? 0 : loadUs + share * packUs;
        });
        expect(Math.max(...ends)).toBe(onePackAtATime(packs, edges));
      },
    ),
  ));

it("leaves an edge that all need to those that have no other", () => {
  const level = levelOf([
    [60, [0, 1]],
    [40, [1]],
  ]);
  const loads = loadsOf([
    [0, 100],
    [0, 100],
  ]);
  balance(level, loads, 1_000);
  expect([...loads.loadUs]).toEqual([5_000, 5_000]);
  expect(level.order.map(({ holders }) => holders.edges)).toEqual([[1], [0, 1]]);
});

it("levels chains of edges that share packs only with their neighbours", () => {
  const level = levelOf([
    [120, [0]],
    [60, [0, 1]],
    [60, [1, 2]],
    [80, [2, 3]],
  ]);
  const loads = loadsOf(Array.from({ length: 4 }, () => [0, 10] as const));
  for (let call = 0; call < 5; call++) {
    loads.loadUs.fill(0);
    balance(level, loads, 10_000);
  }
  expect(loads.loadUs[0]).toBe(1_200);
  expect(Math.max(...loads.loadUs.slice(1)) - Math.min(...loads.loadUs.slice(1))).toBeLessThanOrEqual(20);
});

it("gives nothing to edges that are not to be used, and leaves packs that only they hold without a share", () => {
  const level = levelOf([
    [5, [0]],
    [5, [0, 1]],
  ]);
  balance(
    level,
    loadsOf([
      [0, NEVER],
      [0, 10],
    ]),
    1_000,
  );
  expect(level.order.map(({ shares }) => [...shares])).toEqual([[0], [0, 5]]);
});

it("looks at no more groups than it may, rarest first", () => {
  const common = Array.from({ length: 200 }, (_, i) => [1, [0, 1, 2 + i]] as const);
  const level = levelOf([...common, [1, [1]]]);
  const spent = balance(level, loadsOf(Array.from({ length: 202 }, () => [0, 10] as const)), 300);
  expect(spent).toBeLessThanOrEqual(303);
  expect(level.shared).toBeLessThan(120);
  expect(level.order[0]?.holders.edges).toEqual([1]);
});
