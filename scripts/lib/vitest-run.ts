/**
 * One run of Vitest, shown live, with its report read afterwards.
 *
 * @module
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT, runScript } from "./process.ts";
import { type Counts, countRun, type VitestReport } from "./tally.ts";

/** How a run went. */
export interface VitestRun {
  readonly counts: Counts;
  /** Undefined when the runner died before it wrote one; `counts` has a failure then. */
  readonly report: VitestReport | undefined;
  readonly elapsedMs: number;
}

function readReport(path: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/**
 * Runs the tests of a configuration.
 * @param name of the run and its report
 * @param more arguments, such as parts of paths to run only those
 */
export async function runVitest(
  name: string,
  config: string,
  timeoutMs: number,
  more: readonly string[] = [],
): Promise<VitestRun> {
  const path = join(ROOT, ".cache", "reports", `${name}.json`);
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${path}`];
  const args = ["run", "--config", config, ...reporters, ...more];
  const ran = await runScript("node_modules/vitest/vitest.mjs", args, { live: true, timeoutMs });
  const report = readReport(path);
  return { counts: countRun(report, ran.ok), report, elapsedMs: ran.elapsedMs };
}
