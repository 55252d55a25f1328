import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { leastMakespanUs } from "../../bench/schedule/flow-bound.ts";
import { EDGE, PACK_BYTES, packsOf, solved, written } from "../../tests/support/plans.ts";
import { type EdgeView, NO_EDGE, type PackClass, WEIGHT_ONE } from "./model.ts";
import type { Plan } from "./plan.ts";

/** A problem: edges whose rates are a factor of up to 10^spread apart, classes with some of them as holders. */
interface Problem {
  readonly edges: readonly EdgeView[];
  readonly classes: readonly PackClass[];
}

function problems(groups: number): fc.Arbitrary<Problem> {
  const edge = fc.record({
    bytesPerSec: fc.double({ min: 4, max: 9, noNaN: true }).map((power) => Math.round(10 ** power)),
    rttUs: fc.integer({ min: 0, max: 300_000 }),
    backlogBytes: fc.oneof(
      { weight: 3, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 1e9 }) },
    ),
    maxActive: fc.integer({ min: 1, max: 20 }),
    weight: fc.oneof(
      { weight: 4, arbitrary: fc.constant(256) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 2000 }) },
    ),
  });
  return fc.integer({ min: 1, max: 9 }).chain((count) => {
    const numbers = Array.from({ length: count }, (_, number) => number);
    const packClass = fc.record({
      packs: fc.integer({ min: 0, max: 6000 }),
      packBytes: fc.integer({ min: 1, max: PACK_BYTES }),
      edges: fc.subarray(numbers).map((held) => Uint16Array.from(held)),
      priority: fc.integer({ min: 0, max: groups - 1 }),
      deadlineMs: groups === 1 ? fc.constant(0) : fc.constantFrom(100, 200, Number.POSITIVE_INFINITY),
    });
    return fc.record({
      edges: fc.array(edge, { minLength: count, maxLength: count }),
      classes: fc.array(packClass, { minLength: 1, maxLength: 14 }),
    });
  });
}

const usPerByte = ({ bytesPerSec, weight }: EdgeView): number =>
  bytesPerSec > 0 ? ((weight / WEIGHT_ONE) * 1e6) / bytesPerSec : 0;
const freeUs = ({ bytesPerSec, rttUs, backlogBytes, weight }: EdgeView): number =>
  (weight / WEIGHT_ONE) * (rttUs + (backlogBytes * 1e6) / bytesPerSec);

/** The groups that are served one after the other, by their own reckoning. */
function groupsOf(classes: readonly PackClass[]): number[][] {
  const key = (index: number): string => `${classes[index]?.priority}/${classes[index]?.deadlineMs}`;
  const order = [...classes.keys()].sort((a, b) => {
    const [one, two] = [classes[a], classes[b]];
    if (one === undefined || two === undefined) return 0;
    return (
      two.priority - one.priority ||
      (one.deadlineMs < two.deadlineMs ? -1 : Number(one.deadlineMs > two.deadlineMs)) ||
      a - b
    );
  });
  return [...Map.groupBy(order, key).values()];
}

/** For each group: when its busiest edge is free, in weighted microseconds, and the least that this can be. */
function makespans({ edges, classes }: Problem, plan: Plan): { us: number; leastUs: number }[] {
  const levels = edges.map(freeUs);
  return groupsOf(classes).map((group) => {
    const own = group.flatMap((index) => {
      const each = classes[index];
      const holders = [...(each?.edges ?? [])].filter((edge) => usPerByte(edges[edge] ?? EDGE) > 0);
      return each === undefined || holders.length === 0 ? [] : [{ index, holders, bytes: each.packs * each.packBytes }];
    });
    const leastUs = leastMakespanUs({
      demandBytes: own.map(({ bytes }) => bytes),
      holders: own.map(({ holders }) => holders),
      freeUs: levels.slice(),
      bytesPerUs: edges.map((edge) => (usPerByte(edge) > 0 ? 1 / usPerByte(edge) : 0)),
    });
    const used = new Set<number>();
    for (const { index, holders, bytes } of own) {
      for (const edge of holders) {
        const share = plan.share(index, edge);
        if (share > 0 && bytes > 0) used.add(edge);
        levels[edge] = (levels[edge] ?? 0) + share * bytes * usPerByte(edges[edge] ?? EDGE);
      }
    }
    return { us: Math.max(0, ...[...used].map((edge) => levels[edge] ?? 0)), leastUs };
  });
}

function expectNearLeast(problem: Problem, plan: Plan): void {
  for (const { us, leastUs } of makespans(problem, plan)) expect(us).toBeLessThanOrEqual(leastUs * 1.01 + 1);
}

describe("a plan", () => {
  it("is done within 1 % of the least time that there is, for any edges and classes", () =>
    fc.assert(
      fc.property(problems(1), (problem) => expectNearLeast(problem, solved(problem.classes, problem.edges))),
      { numRuns: 700 },
    ));

  it("is so for each priority and deadline, after what goes before", () =>
    fc.assert(
      fc.property(problems(3), (problem) => expectNearLeast(problem, solved(problem.classes, problem.edges))),
      { numRuns: 400 },
    ));

  it("places each pack once, on an edge that holds it and is in use; what has none waits and is told", () =>
    fc.assert(
      fc.property(problems(2), ({ edges, classes }) => {
        const plan = solved(classes, edges);
        const waiting = plan.unplaceable();
        for (const [index, out] of written(classes, plan).entries()) {
          const able = [...(classes[index]?.edges ?? [])].filter((edge) => (edges[edge]?.weight ?? 0) > 0);
          expect(out.length).toBe(classes[index]?.packs);
          expect(waiting.includes(index)).toBe(able.length === 0 && out.length > 0);
          const allowed = new Set(able.length === 0 ? [NO_EDGE] : able);
          expect(out.every((edge) => allowed.has(edge))).toBe(true);
          for (let position = 0; position < out.length; position += 97) {
            expect(plan.edgeAt(index, position)).toBe(out[position]);
          }
        }
      }),
      { numRuns: 150 },
    ));

  it("gives edges their shares to less than two slots in any window of packs", () =>
    fc.assert(
      fc.property(problems(1), ({ edges, classes }) => {
        const plan = solved(classes, edges);
        for (const [index, out] of written(classes, plan).entries()) {
          for (const edge of new Set(out)) {
            if (edge === NO_EDGE) continue;
            // less than two slots by where the window begins, and one of at least 64 by rounding each time that the table repeats
            const own = Float64Array.from(out, (each) => (each === edge ? 1 : 0) - plan.share(index, edge));
            let ahead = 0;
            let [most, least] = [0, 0];
            for (const one of own) {
              ahead += one;
              most = Math.max(most, ahead);
              least = Math.min(least, ahead);
            }
            expect(most - least).toBeLessThan(2 + Math.ceil(out.length / 64));
          }
        }
      }),
      { numRuns: 100 },
    ));

  it("is the same for the same input, to the byte", () =>
    fc.assert(
      fc.property(problems(3), ({ edges, classes }) => {
        const twice = [solved(classes, edges), solved(classes, edges)];
        const [one, two] = twice.map((plan) => written(classes, plan));
        expect(one).toEqual(two);
        twice[1]?.solve();
        expect(twice[1] && written(classes, twice[1])).toEqual(one);
      }),
      { numRuns: 60 },
    ));

  it("does not give a pack of a higher priority another place because there are lower ones", () =>
    fc.assert(
      fc.property(problems(4), ({ edges, classes }) => {
        const highest = Math.max(...classes.map(({ priority }) => priority));
        const upper = classes.filter(({ priority }) => priority === highest);
        const all = solved(classes, edges);
        const alone = solved(upper, edges);
        const place = (each: PackClass): number => classes.indexOf(each);
        for (const [index, each] of upper.entries()) {
          for (const edge of each.edges) expect(all.share(place(each), edge)).toBe(alone.share(index, edge));
        }
      }),
      { numRuns: 100 },
    ));

  it("serves sooner deadlines first: later packs take the edges that are free", () => {
    const classes = [packsOf(100, [0, 1], { deadlineMs: 500 }), packsOf(100, [0], { deadlineMs: 100 })];
    const plan = solved(classes, [EDGE, EDGE]);
    expect(plan.share(1, 0)).toBe(1);
    expect(plan.share(0, 1)).toBeGreaterThan(0.99);
  });

  it("gives packs with random 32-byte names, N of them, N places", () => {
    const names = Array.from({ length: 10_000 }, () => randomBytes(32).toString("hex"));
    const numbers = new Map(names.map((name, number) => [name, number]));
    const plan = solved([packsOf(6000, [0, 1, 2]), packsOf(4000, [1, 3])], [EDGE, EDGE, EDGE, EDGE]);
    const out = new Uint16Array(names.length);
    plan.writeAll(
      Uint16Array.from(names, (_, number) => (number % 10 < 6 ? 0 : 1)),
      out,
    );
    const placed = names.map((name) => out[numbers.get(name) ?? -1] ?? NO_EDGE);
    expect(placed.filter((edge) => edge !== NO_EDGE)).toHaveLength(10_000);
    for (const edge of [0, 1, 2, 3]) {
      expect(Math.abs(placed.filter((each) => each === edge).length - 2500)).toBeLessThan(30);
    }
  });

  it("takes no account of how many packs an edge may have under way", () => {
    const plan = solved([packsOf(100, [0, 1])], [EDGE, { ...EDGE, maxActive: 1 }]);
    expect(plan.share(0, 0)).toBeCloseTo(0.5);
  });

  it("tells what edges are to carry and until when", () => {
    const slow = { ...EDGE, bytesPerSec: 1e6, backlogBytes: 1e6 };
    const plan = solved([packsOf(1, [0, 1], { packBytes: 12_000_000 })], [EDGE, slow]);
    // 12 MB over 10 and 1 MB/s, of which the slow edge is busy for a second
    expect(plan.finishUs(0)).toBeCloseTo(20_000 + 13e6 / 11, -1);
    expect(plan.finishUs(1)).toBeCloseTo(plan.finishUs(0), -1);
    expect(plan.loadUs(0)).toBeCloseTo(13e6 / 11, -1);
    expect(plan.loadUs(1)).toBeCloseTo(2e6 / 11, -1);
    const without = solved([packsOf(1, [0, 1])], [EDGE, { ...EDGE, weight: 0 }]);
    expect([without.loadUs(1), without.finishUs(1)]).toEqual([0, Number.POSITIVE_INFINITY]);
  });

  it("lets an edge of twice the weight finish in half the time", () => {
    const plan = solved([packsOf(3000, [0, 1])], [EDGE, { ...EDGE, weight: 2 * WEIGHT_ONE, rttUs: 10_000 }]);
    expect(plan.finishUs(0) / plan.finishUs(1)).toBeCloseTo(2, 5);
  });

  it("names the cheapest holders as those that take over", () => {
    const edges = [1e6, 5e6, 3e6, 9e6].map((bytesPerSec) => ({ ...EDGE, bytesPerSec }));
    const plan = solved([packsOf(10, [0, 1, 2])], edges);
    expect([...plan.backups(0)]).toEqual([1, 2, 0]);
    plan.replan([1], [{ ...EDGE, weight: 0 }]);
    expect([...plan.backups(0, 3)]).toEqual([2, 0, NO_EDGE]);
  });
});

describe("planning again", () => {
  const change = fc.oneof(
    fc.double({ min: 0.2, max: 5, noNaN: true }).map((factor) => ({ factor, weight: undefined })),
    fc.constantFrom(0, WEIGHT_ONE).map((weight) => ({ factor: 1, weight })),
  );
  const steps = fc.array(fc.record({ edge: fc.nat(), change }), { minLength: 1, maxLength: 5 });

  it("comes within 1 % of the least time after each of several changes, lost and recovered edges among them", () =>
    fc.assert(
      fc.property(problems(1), steps, ({ edges, classes }, changes) => {
        const plan = solved(classes, edges);
        const now = [...edges];
        for (const { edge, change } of changes) {
          const number = edge % now.length;
          const old = now[number] ?? EDGE;
          const bytesPerSec = Math.max(1, old.bytesPerSec * change.factor);
          const view = { ...old, bytesPerSec, weight: change.weight ?? old.weight };
          now[number] = view;
          plan.replan([number], [view]);
          expectNearLeast({ edges: now, classes }, plan);
        }
      }),
      { numRuns: 500 },
    ));

  it("does so for each priority", () =>
    fc.assert(
      fc.property(problems(3), steps, ({ edges, classes }, changes) => {
        const plan = solved(classes, edges);
        const now = [...edges];
        const numbers: number[] = [];
        for (const { edge, change } of changes) {
          const number = edge % now.length;
          const old = now[number] ?? EDGE;
          now[number] = { ...old, bytesPerSec: old.bytesPerSec * change.factor, weight: change.weight ?? old.weight };
          numbers.push(number);
        }
        plan.replan(
          numbers,
          numbers.map((number) => now[number] ?? EDGE),
        );
        expectNearLeast({ edges: now, classes }, plan);
      }),
      { numRuns: 300 },
    ));

  it("leaves every class that it does not name exactly as it was", () =>
    fc.assert(
      fc.property(problems(2), fc.nat(), change, ({ edges, classes }, edge, { factor, weight }) => {
        const plan = solved(classes, edges);
        const before = written(classes, plan);
        const number = edge % edges.length;
        const old = edges[number] ?? EDGE;
        const changed = new Set(
          plan.replan([number], [{ ...old, bytesPerSec: old.bytesPerSec * factor, weight: weight ?? old.weight }]),
        );
        for (const [index, out] of written(classes, plan).entries()) {
          if (!changed.has(index)) expect(out).toEqual(before[index]);
        }
      }),
      { numRuns: 150 },
    ));

  it("touches no class of a part that has nothing to do with the change", () => {
    const classes = [packsOf(500, [0, 1]), packsOf(500, [1, 2]), packsOf(500, [3, 4]), packsOf(500, [4, 5])];
    const plan = solved(classes, new Array<EdgeView>(6).fill(EDGE));
    expect([...plan.replan([4], [{ ...EDGE, bytesPerSec: 5e6 }])]).toEqual([2, 3]);
  });

  it("lets packs wait whose only edge is lost, and places them when it is back", () => {
    const plan = solved([packsOf(100, [0]), packsOf(100, [0, 1])], [EDGE, EDGE]);
    plan.replan([0], [{ ...EDGE, weight: 0 }]);
    expect(plan.unplaceable()).toEqual([0]);
    expect([plan.edgeAt(0, 5), plan.edgeAt(1, 5), plan.share(0, 0)]).toEqual([NO_EDGE, 1, 0]);
    plan.replan([0], [EDGE]);
    expect(plan.unplaceable()).toEqual([]);
    expect([plan.edgeAt(0, 5), plan.share(0, 0)]).toEqual([0, 1]);
    expect(plan.share(1, 1)).toBe(1);
  });

  it("counts the packs that are left", () => {
    const plan = solved([packsOf(1000, [0, 1]), packsOf(1000, [0])], [EDGE, EDGE]);
    expect(plan.share(0, 1)).toBeCloseTo(1, 2);
    plan.setPacks(1, 0);
    expect([...plan.replan([], [])]).toEqual([0, 1]);
    expect(plan.share(0, 1)).toBeCloseTo(0.5, 2);
    expect(plan.unplaceable()).toEqual([]);
  });

  it("is as good as a new plan when everything has changed", () =>
    fc.assert(
      fc.property(
        problems(1),
        fc.array(fc.nat({ max: 5000 }), { minLength: 14, maxLength: 14 }),
        ({ edges, classes }, left) => {
          const plan = solved(classes, edges);
          for (const index of classes.keys()) plan.setPacks(index, left[index] ?? 0);
          plan.replan([...edges.keys()], edges);
          const now = classes.map((each, index) => ({ ...each, packs: left[index] ?? 0 }));
          expectNearLeast({ edges, classes: now }, plan);
        },
      ),
      { numRuns: 200 },
    ));
});
