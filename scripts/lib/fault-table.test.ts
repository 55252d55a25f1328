import { describe, expect, it } from "vitest";
import { FAULTS, type FaultRow, faultRows, formatFaults, fullCounts, isProven } from "./fault-table.ts";
import type { VitestReport } from "./tally.ts";

function report(path: string, ...tests: [fullName: string, status: string, duration?: number][]): VitestReport {
  const assertionResults = tests.map(([fullName, status, duration]) => ({
    fullName,
    status,
    ...(duration === undefined ? {} : { duration }),
  }));
  const counts = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 };
  return { success: true, ...counts, testResults: [{ name: path, status: "passed", assertionResults }] };
}

const rowOf = (rows: readonly FaultRow[], id: string) => rows.find((row) => row.id === id);

describe("the table of faults", () => {
  it("adds up the tests whose titles begin with a fault's number, and no others", () => {
    const rows = faultRows(
      [
        report("/a.test.ts", ["R1: a kill", "passed", 1500], ["R10: a flush", "passed", 500], ["R1: again", "failed"]),
        report("/b.test.ts", ["group R1: inside", "passed", 500], ["mentions R1 only", "passed", 9000]),
      ],
      () => "",
    );
    expect(rowOf(rows, "R1")).toMatchObject({ passed: 2, failed: 1, seconds: 2 });
    expect(rowOf(rows, "R10")).toMatchObject({ passed: 1, failed: 0, seconds: 0.5 });
    expect(rowOf(rows, "R2")).toMatchObject({ passed: 0, failed: 0 });
  });

  it("counts a test that did not run as failed, and a fault without a test as not proven", () => {
    const rows = faultRows([report("/a.test.ts", ["R5: a cut", "skipped"], ["R6: loss", "passed"])], () => "");
    expect(rows.filter(isProven).map(({ id }) => id)).toEqual(["R6"]);
    expect(formatFaults(rows)).toMatch(/^R5 .* 0\/1 .*FAILED$/m);
    expect(formatFaults(rows)).toMatch(/^R2 .* no test .*FAILED$/m);
  });

  it("takes every test of a file that proves a fault under other titles", () => {
    const rows = faultRows([report("/x/tests/e2e/hostile-relay.test.ts", ["any title", "passed"])], () => "");
    expect(rowOf(rows, "S14")?.passed).toBe(1);
  });

  it("shows the full counts of the files, the largest first", () => {
    const text = "rounds(1, 10); rounds(2,\n 1_000) rounds(0, 1) rounds(1, 10)";
    expect(fullCounts(text)).toEqual([1000, 10]);
    const rows = faultRows([report("/a.test.ts", ["R3: tabs", "passed"])], () => text);
    expect(rowOf(rows, "R3")?.rounds).toEqual([1000, 10]);
  });

  it("has each number once", () => {
    expect(new Set(FAULTS.map(({ id }) => id)).size).toBe(FAULTS.length);
  });
});
