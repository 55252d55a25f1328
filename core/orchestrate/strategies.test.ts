import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sequence } from "../../tests/support/fake-effort.ts";
import { NEVER_US } from "../schedule/model.ts";
import { chooseStrategy } from "./choose-strategy.ts";
import { BOUNDS, type ClassShares, type MoveSet, planMoves, type Spread, type Strategy } from "./strategies.ts";

const STRATEGIES: readonly Strategy[] = [
  { kind: "greedy" },
  { kind: "minimum-disruption" },
  { kind: "cost-optimal" },
  { kind: "hybrid", weight: 0.5 },
];
const FREE = { minGain: 0, maxDisruption: 1 };

/** One class over edges 0, 1, …, each with its time for a pack, what it has, and what a plan gives it. */
function oneClass(...holders: (readonly [packUs: number, current: number, planned: number])[]): Spread {
  const column = (index: 0 | 1 | 2) => holders.map((holder) => holder[index]);
  const edges = holders.map((_, edge) => edge);
  const shares: ClassShares = { classIndex: 0, edges, packUs: column(0), current: column(1), planned: column(2) };
  return { classes: [shares], baseUs: edges.map(() => 0) };
}

/** Two edges, of which one has become half as fast: it has 100 packs too many for a time of 300 each. */
const HALVED = oneClass([2, 225, 150], [1, 225, 300]);

/** What every edge has to do after moves; what cannot be carried counts nowhere. */
function loadsAfter({ classes, baseUs }: Spread, sets: MoveSet): number[] {
  const loads = Array.from(baseUs);
  const usOf = (shares: ClassShares | undefined, edge: number) =>
    shares?.packUs[Array.from(shares.edges).indexOf(edge)] ?? 0;
  const add = (shares: ClassShares | undefined, edge: number, packs: number) => {
    const us = usOf(shares, edge);
    if (us < NEVER_US) loads[edge] = (loads[edge] ?? 0) + us * packs;
  };
  for (const shares of classes)
    for (const [i, edge] of Array.from(shares.edges).entries()) add(shares, edge, shares.current[i] ?? 0);
  for (const { classIndex, from, to, packs } of [...sets.rescues, ...sets.moves]) {
    add(classes[classIndex], from, -packs);
    add(classes[classIndex], to, packs);
  }
  return loads;
}

const packsOf = (moves: readonly { packs: number }[]) => moves.reduce((sum, { packs }) => sum + packs, 0);

/** Random classes; some edges cannot be used. */
const spreads = fc
  .record({
    seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    classes: fc.integer({ min: 1, max: 12 }),
    edges: fc.integer({ min: 1, max: 8 }),
    broken: fc.boolean(),
  })
  .map(({ seed, classes, edges, broken }): Spread => {
    const next = sequence(seed);
    const usOf = Array.from({ length: edges }, (_, edge) => (broken && edge === 0 ? NEVER_US : 1 + (next() % 1000)));
    const one = (_: unknown, classIndex: number): ClassShares => {
      const holders = usOf.map((_, edge) => edge).filter(() => next() % 2 === 0);
      const numbers = () => holders.map(() => next() % 50);
      return {
        classIndex,
        edges: holders,
        packUs: holders.map((edge) => usOf[edge] ?? 1),
        current: numbers(),
        planned: numbers(),
      };
    };
    return { classes: Array.from({ length: classes }, one), baseUs: usOf.map(() => next() % 1000) };
  });

describe("planMoves", () => {
  it("moves nothing where the plan is what is there, by any strategy", () => {
    for (const strategy of STRATEGIES) {
      const set = planMoves(oneClass([2, 100, 100], [1, 200, 200]), strategy);
      expect(set).toMatchObject({ moves: [], rescues: [], gain: 0, disruption: 0, packs: 300 });
    }
  });

  it("brings an edge that became half as fast down to the plan's finish, a third sooner", () => {
    const set = planMoves(HALVED, { kind: "cost-optimal" });
    expect(set.moves).toEqual([{ classIndex: 0, from: 0, to: 1, packs: 75 }]);
    expect(set).toMatchObject({ beforeUs: 450, afterUs: 300 });
    expect(set.gain).toBeCloseTo(1 / 3);
    expect(set.disruption).toBeCloseTo(75 / 450);
  });

  it("moves less the more a strategy spares: cost-optimal, hybrid by its weight, minimum disruption", () => {
    const moved = (strategy: Strategy) => packsOf(planMoves(HALVED, strategy).moves);
    const weights = [0, 0.25, 0.5, 0.75, 1].map((weight) => moved({ kind: "hybrid", weight }));
    expect(weights).toEqual(weights.toSorted((a, b) => b - a));
    expect(new Set(weights).size).toBe(5);
    expect([weights[0], weights[4]]).toEqual([moved({ kind: "cost-optimal" }), moved({ kind: "minimum-disruption" })]);
    expect(planMoves(HALVED, { kind: "minimum-disruption" }).afterUs).toBeCloseTo(360);
  });

  it("takes by greed what ends a pack sooner by a twentieth, and nothing else", () => {
    const [move] = planMoves(HALVED, { kind: "greedy" }).moves;
    // The last pack that moves: its new edge ends at 95 % of the old one.
    const packs = move?.packs ?? 0;
    expect(packs).toBeCloseTo((0.95 * 450 - 225) / (0.95 * 2 + 1));
    const level = oneClass([1, 102, 98], [1, 98, 102]);
    expect(planMoves(level, { kind: "greedy" }, FREE).moves).toEqual([]);
  });

  it("moves no more than three tenths of the packs, and gains what can be gained by that", () => {
    const far = oneClass([1, 1000, 250], [1, 0, 250], [1, 0, 250], [1, 0, 250]);
    for (const strategy of STRATEGIES) {
      const set = planMoves(far, strategy);
      expect(set.disruption).toBeLessThanOrEqual(BOUNDS.maxDisruption + 1e-9);
      expect(set.disruption).toBeGreaterThan(BOUNDS.maxDisruption - 0.01);
      expect(set.afterUs).toBeCloseTo(700, -1);
    }
  });

  it("does not use up what it may move on the latest edge alone: all late edges come down together", () => {
    const two = oneClass([1, 500, 250], [1, 490, 250], [0.5, 10, 500]);
    const set = planMoves(two, { kind: "cost-optimal" }, { ...BOUNDS, maxDisruption: 0.1 });
    expect(packsOf(set.moves)).toBeCloseTo(100, 0);
    expect(set.afterUs).toBeCloseTo(445, 0);
  });

  it("lets an edge give away what it takes, where the plan has it so", () => {
    const chain: Spread = {
      classes: [
        { classIndex: 0, edges: [1, 2], packUs: [1, 1], current: [100, 0], planned: [17, 83] },
        { classIndex: 1, edges: [0, 1], packUs: [1, 1], current: [100, 0], planned: [50, 50] },
      ],
      baseUs: [0, 0, 0],
    };
    expect(planMoves(chain, { kind: "cost-optimal" }, FREE).afterUs).toBeCloseTo(83);
  });

  it("moves nothing where less than a twentieth would be gained", () => {
    const near = oneClass([1, 104, 100], [1, 96, 100]);
    for (const strategy of STRATEGIES) expect(planMoves(near, strategy).moves).toEqual([]);
    const free = planMoves(near, { kind: "cost-optimal" }, FREE);
    expect(free.gain).toBeCloseTo(4 / 104);
  });

  it("takes everything off an edge that cannot carry it, whatever the bounds, and counts that apart", () => {
    const lost = oneClass([NEVER_US, 900, 0], [1, 50, 500], [1, 50, 500]);
    for (const strategy of STRATEGIES) {
      const set = planMoves(lost, strategy);
      expect(packsOf(set.rescues)).toBeCloseTo(900);
      expect(set).toMatchObject({ moves: [], disruption: 0, beforeUs: 500 });
    }
  });

  it("leaves packs where they are that no edge can carry", () => {
    const nowhere = oneClass([NEVER_US, 10, 10], [NEVER_US, 0, 0]);
    expect(planMoves(nowhere, { kind: "cost-optimal" })).toMatchObject({ rescues: [], moves: [], packs: 10 });
    expect(planMoves({ classes: [], baseUs: [] }, { kind: "greedy" })).toMatchObject({
      packs: 0,
      gain: 0,
      disruption: 0,
    });
  });

  it("counts what edges have to do before, and packs that are started meanwhile change only proportions", () => {
    const busy: Spread = { ...oneClass([1, 10, 75], [1, 90, 25]), baseUs: [0, 60] };
    const set = planMoves(busy, { kind: "cost-optimal" }, FREE);
    expect(set).toMatchObject({ beforeUs: 150, afterUs: 85 });
    expect(packsOf(set.moves)).toBeCloseTo(65);
  });

  it("keeps its bounds, gains what it says, moves only between holders, and never more than is there", () =>
    fc.assert(
      fc.property(
        spreads,
        fc.constantFrom(...STRATEGIES),
        fc.constantFrom(0.02, 0.3, 1),
        (spread, strategy, maxDisruption) => {
          const bounds = { ...BOUNDS, maxDisruption };
          const set = planMoves(spread, strategy, bounds);
          expect(packsOf(set.moves)).toBeLessThanOrEqual(maxDisruption * set.packs * (1 + 1e-6));
          if (set.moves.length > 0) expect(set.gain).toBeGreaterThanOrEqual(bounds.minGain);
          const before = Math.max(0, ...loadsAfter(spread, { ...set, moves: [] }));
          const after = Math.max(0, ...loadsAfter(spread, set));
          expect(set.beforeUs).toBeCloseTo(before, 5);
          expect(set.afterUs).toBeCloseTo(after, 5);
          expect(set.gain).toBeCloseTo(before === 0 ? 0 : 1 - after / before, 8);
          const left = spread.classes.map(
            ({ edges, current }) => new Map(Array.from(edges, (edge, i) => [edge, current[i] ?? 0])),
          );
          for (const { classIndex, from, to, packs } of [...set.rescues, ...set.moves]) {
            const holders = left[classIndex];
            expect(holders?.has(to)).toBe(true);
            expect(packs).toBeGreaterThan(0);
            holders?.set(from, (holders.get(from) ?? Number.NaN) - packs);
            expect(holders?.get(from)).toBeGreaterThan(-1e-6);
          }
          expect(planMoves(spread, strategy, bounds)).toEqual(set);
        },
      ),
      { numRuns: 500 },
    ));

  it("refuses a weight that is none", () => {
    expect(() => planMoves(HALVED, { kind: "hybrid", weight: 2 })).toThrow("assertion failed");
  });
});

describe("chooseStrategy", () => {
  it("is quick where an edge is gone, sparing near the end, thorough for a whole plan, and in between otherwise", () => {
    const choose = (hasLost: boolean, isWhole: boolean, finishMs: number) =>
      chooseStrategy({ hasLost, isWhole, finishMs }).kind;
    expect(choose(true, true, 1e6)).toBe("greedy");
    expect(choose(false, true, 9999)).toBe("minimum-disruption");
    expect(choose(false, true, 10_000)).toBe("cost-optimal");
    expect(choose(false, false, 10_000)).toBe("hybrid");
  });
});
