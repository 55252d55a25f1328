import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide, MAX_RECORDS, ReplanLog } from "./replan.ts";
import type { Cause, Trigger } from "./triggers.ts";

const trigger = (cause: Cause, ...edges: number[]): Trigger => ({ cause, edges, value: 0, atMs: 0 });

describe("decide", () => {
  it("does nothing without a cause, or where nothing can be moved any more", () => {
    expect(decide([], 10, 3)).toEqual({ kind: "nothing", why: "no-cause" });
    expect(decide([trigger("edge-lost", 1)], 0, 3)).toEqual({ kind: "nothing", why: "nothing-to-move" });
  });

  it("plans what concerns one drifting edge again, not everything, of two edges or a thousand", () => {
    for (const edges of [1, 2, 3, 1000]) {
      expect(decide([trigger("drift", 7)], 10, edges)).toEqual({ kind: "partial", edges: [7] });
    }
  });

  it("puts the edges of all causes together, in order and none twice", () => {
    const causes = [
      trigger("imbalance", 9, 2),
      trigger("drift", 4),
      trigger("edge-lost", 2),
      trigger("edge-recovered", 10),
    ];
    expect(decide(causes, 1, 10)).toEqual({ kind: "partial", edges: [2, 4, 9, 10] });
  });

  it("plans everything where somebody asks, the transfer has left its plan, the plan is stale, or most edges are concerned", () => {
    for (const cause of ["manual", "transfer-drift", "stale"] as const) {
      expect(decide([trigger("drift", 1), trigger(cause)], 10, 100)).toEqual({ kind: "full", reason: cause });
    }
    expect(decide([trigger("stale"), trigger("manual")], 10, 9)).toEqual({ kind: "full", reason: "manual" });
    expect(decide([trigger("drift", 1), trigger("drift", 2)], 10, 3)).toEqual({ kind: "full", reason: "many-edges" });
  });

  it("never plans a part without edges", () =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom<Cause>("drift", "edge-lost", "stale", "imbalance"), fc.nat(5))),
        fc.nat(3),
        fc.integer({ min: 1, max: 8 }),
        (causes, packs, edges) => {
          const triggers = causes.map(([cause, edge]) => (cause === "stale" ? trigger(cause) : trigger(cause, edge)));
          const decision = decide(triggers, packs, edges);
          if (decision.kind === "partial") expect(decision.edges.length).toBeGreaterThan(0);
          expect(decision.kind === "nothing").toBe(triggers.length === 0 || packs === 0);
        },
      ),
    ));
});

describe("ReplanLog", () => {
  const record = (atMs: number, reasons = [trigger("drift", 1)]) => ({
    ...({ atMs, reasons, decision: { kind: "partial", edges: [1] }, strategy: "greedy" } as const),
    ...{ gain: 0.2, movedPacks: 5 },
  });

  it("keeps the last two hundred records in their order, and counts all", () => {
    const log = new ReplanLog();
    for (let i = 0; i < MAX_RECORDS + 50; i++) log.add(record(i));
    expect(log.records.map(({ atMs }) => atMs)).toEqual(Array.from({ length: MAX_RECORDS }, (_, i) => i + 50));
    expect(log.total).toBe(MAX_RECORDS + 50);
    log.records.pop();
    expect(log.records).toHaveLength(MAX_RECORDS);
  });

  it("does not fill with moments in which nothing was the matter", () => {
    const log = new ReplanLog();
    log.add(record(1, []));
    expect([log.records, log.total]).toEqual([[], 0]);
  });
});
