import { describe, expect, it } from "vitest";
import { add, countCheck, countRun, formatCounts, listFailures, NOTHING, type VitestReport } from "./tally.ts";

const GOOD: VitestReport = {
  success: true,
  numPassedTests: 3,
  numFailedTests: 0,
  numPendingTests: 1,
  numTodoTests: 1,
  testResults: [{ name: "a", status: "passed", assertionResults: [{ fullName: "b", status: "passed" }] }],
};

describe("counting a test run", () => {
  it("takes passed, failed and skipped from the report", () => {
    expect(countRun(GOOD, true)).toEqual({ passed: 3, failed: 0, skipped: 2 });
  });

  it("counts a file that failed outside its tests", () => {
    const report = { ...GOOD, success: false, testResults: [{ name: "a", status: "failed", assertionResults: [] }] };
    expect(countRun(report, false).failed).toBe(1);
  });

  it("counts a failed test once, not also its file", () => {
    const tests = ["failed", "passed"].map((status) => ({ fullName: status, status }));
    const file = { name: "a", status: "failed", assertionResults: tests };
    expect(countRun({ ...GOOD, success: false, numFailedTests: 1, testResults: [file] }, false).failed).toBe(1);
  });

  it("takes no report, an unexplained bad exit and an empty run for failures", () => {
    expect(countRun(undefined, true).failed).toBe(1);
    expect(countRun(GOOD, false).failed).toBe(1);
    expect(countRun({ ...GOOD, numPassedTests: 0 }, true).failed).toBe(1);
  });

  it("adds up to the line that scripts read", () => {
    const total = [countRun(GOOD, true), countCheck(true), countCheck(false)].reduce(add, NOTHING);
    expect(formatCounts(total)).toBe("4 passed, 1 failed, 2 skipped");
  });
});

describe("listing what failed", () => {
  it("says the file, the test and the first line of why", () => {
    const failed = { fullName: "group test", status: "failed", failureMessages: ["Error: why\n    at x"] };
    const files = [
      { name: "/repo/a.test.ts", status: "failed", assertionResults: [failed, { fullName: "good", status: "passed" }] },
      { name: "/repo/b.test.ts", status: "failed", message: "no such module\nmore", assertionResults: [] },
      { name: "/repo/c.test.ts", status: "passed", assertionResults: [] },
    ];
    expect(listFailures({ ...GOOD, success: false, testResults: files }, "/repo")).toEqual([
      "a.test.ts: group test: Error: why",
      "b.test.ts: no such module",
    ]);
  });

  it("says that a run left no report, and nothing of one that passed", () => {
    expect(listFailures(undefined, "/repo")).toEqual(["the run left no report"]);
    expect(listFailures(GOOD, "/repo")).toEqual([]);
  });
});
