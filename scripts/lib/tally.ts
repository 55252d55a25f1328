/**
 * Adding up results: single checks and the JSON reports of test runs, into the one line that `npm test` ends with.
 *
 * @module
 */
import { relative } from "node:path";

/** How many tests passed, failed and did not run. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const NOTHING: Counts = { passed: 0, failed: 0, skipped: 0 };

/** The parts of a Vitest JSON report that are counted. */
export interface VitestReport {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    /** Absolute path of the file. */
    readonly name: string;
    readonly status: string;
    /** What failed outside the tests. */
    readonly message?: string;
    readonly assertionResults: readonly TestResult[];
  }[];
}

/** One test of a report. */
export interface TestResult {
  readonly status: string;
  /** Titles of the groups around it and its own. */
  readonly fullName: string;
  /** Milliseconds; absent when it did not run. */
  readonly duration?: number | null;
  /** What failed, each with its stack. */
  readonly failureMessages?: readonly string[] | null;
}

export function add(a: Counts, b: Counts): Counts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** One check as one test. */
export function countCheck(ok: boolean): Counts {
  return ok ? { ...NOTHING, passed: 1 } : { ...NOTHING, failed: 1 };
}

/**
 * Counts a test run. A file that failed outside its tests (an import, a hook) counts as one failed test, so does a run
 * that failed without saying where, left no report or ran nothing: silence is never a pass.
 *
 * @param report undefined when the run left none
 * @param exitedWell whether the runner itself ended with code 0
 */
export function countRun(report: VitestReport | undefined, exitedWell: boolean): Counts {
  if (report === undefined) return countCheck(false);
  const brokenFiles = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  ).length;
  const failed = report.numFailedTests + brokenFiles;
  const nothingRan = report.numPassedTests + failed === 0;
  const unexplained = failed === 0 && (nothingRan || !report.success || !exitedWell);
  return {
    passed: report.numPassedTests,
    failed: failed + (unexplained ? 1 : 0),
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

const firstLine = (text: string | undefined): string => (text ?? "").split("\n", 1)[0] ?? "";

/**
 * A line for each test that failed, and for each file that failed outside its tests: where, and the first line of why.
 * A log that is cut at its beginning still tells.
 *
 * @param root the folder that paths are told from
 */
export function listFailures(report: VitestReport | undefined, root: string): string[] {
  if (report === undefined) return ["the run left no report"];
  return report.testResults.flatMap((file) => {
    const path = relative(root, file.name);
    const failed = file.assertionResults.filter((test) => test.status === "failed");
    if (failed.length === 0) return file.status === "failed" ? [`${path}: ${firstLine(file.message)}`] : [];
    return failed.map((test) => `${path}: ${test.fullName}: ${firstLine(test.failureMessages?.[0])}`);
  });
}

/** The last line of `npm test`. Scripts read it; its form does not change. */
export function formatCounts(counts: Counts): string {
  return `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
}
