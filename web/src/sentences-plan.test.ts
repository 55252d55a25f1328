import { describe, expect, it } from "vitest";
import type { Cause } from "../../core/orchestrate/triggers.ts";
import type { ReplanSnapshot } from "../../core/transfer/edges-snapshot.ts";
import { EDGES } from "../../tests/support/scripted-edges.ts";
import { edgeNames } from "./sentences-edges.ts";
import { replanOutcome, replanReason } from "./sentences-plan.ts";

const NAMES = edgeNames(EDGES.edges);
const REPLAN: ReplanSnapshot = {
  atMs: 1000,
  causes: [],
  kind: "partial",
  strategy: "hybrid",
  gain: 0.18,
  movedPacks: 12,
};

const plain = (text: string) => text.replaceAll("\u00a0", " ");

function because(cause: Cause, edges: readonly number[], value: number): string {
  return plain(replanReason({ ...REPLAN, causes: [{ cause, edges, value }] }, NAMES));
}

describe("an entry of the plan's timeline", () => {
  it.each([
    ["drift", [1], 0.45, "Because relay-b.example carries 45 % of what was planned."],
    ["drift", [1], 1.5, "Because relay-b.example carries 150 % of what was planned."],
    ["transfer-drift", [], 0.4, "Because all together did 40 % of what was planned."],
    ["edge-lost", [2], 0, "Because peer 1 was lost."],
    ["edge-lost", [9], 0, "Because an edge was lost."],
    ["edge-new", [2], 0, "Because peer 1 joined."],
    ["edge-degraded", [1], 0.42, "Because the health of relay-b.example fell to 42 %."],
    ["edge-recovered", [1], 0.71, "Because the health of relay-b.example rose to 71 %."],
    ["imbalance", [0, 2], 0.9, "Because the work was uneven between relay-a.example and peer 1."],
    ["stale", [], 75_000, "Because the plan was 1 min 15 s old and did not hold any more."],
    ["manual", [], 0, "Because somebody asked for it."],
  ] as const)("says the reason %s of edges %j", (cause, edges, value, words) => {
    expect(because(cause, edges, value)).toBe(words);
  });

  it("says all reasons at once", () => {
    const causes = [
      { cause: "edge-lost", edges: [1], value: 0 },
      { cause: "manual", edges: [], value: 0 },
    ] as const;
    expect(replanReason({ ...REPLAN, causes }, NAMES)).toBe("Because relay-b.example was lost; somebody asked for it.");
  });

  it("says what came of it, with gain and moves only where there were some", () => {
    const outcome = (change: Partial<ReplanSnapshot>) => plain(replanOutcome({ ...REPLAN, ...change }));
    expect(outcome({})).toBe(
      "Planned again in part: 12 packs moved, saves 18 % of the time that was left. Aim: an early end with few moves.",
    );
    expect(outcome({ kind: "full", strategy: null, gain: null, movedPacks: 1 })).toBe(
      "Planned again as a whole: 1 pack moved.",
    );
    expect(outcome({ strategy: "greedy", gain: 0.001, movedPacks: 0 })).toBe(
      "Planned again in part: no pack moved. Aim: what helps most at once.",
    );
    expect(outcome({ kind: "nothing", strategy: null, gain: null, movedPacks: null })).toBe(
      "Nothing was left to move.",
    );
  });
});
