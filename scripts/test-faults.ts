/**
 * `npm run test:faults [-- PART…]`: every fault in its full count, one test file after the other so that none disturbs
 * another's timing, then a table of the faults and what was measured. Parts of paths run only those files, and leave the
 * table to what they prove.
 *
 * @module
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildOrExit } from "./lib/build.ts";
import { ensureChromium } from "./lib/chromium.ts";
import { FAULTS, faultRows, formatFaults, isProven } from "./lib/fault-table.ts";
import { line } from "./lib/line.ts";
import { ROOT } from "./lib/process.ts";
import { add, countCheck, formatCounts } from "./lib/tally.ts";
import { runVitest, type VitestRun } from "./lib/vitest-run.ts";

const HOUR_MS = 3_600_000;
const FIGURES = join(ROOT, ".cache/faults/figures.jsonl");

/** What the tests noted, a line for each. */
function measured(): string {
  if (!existsSync(FIGURES)) return "";
  const lines = readFileSync(FIGURES, "utf8").trim().split("\n");
  return lines
    .map((text) => {
      const { heading, figures } = JSON.parse(text) as { heading: string; figures: Record<string, number | string> };
      const parts = Object.entries(figures).map(([name, value]) => {
        return `${name} ${typeof value === "number" ? Math.round(value * 100) / 100 : value}`;
      });
      return `${heading}: ${parts.join(", ")}`;
    })
    .join("\n");
}

const wanted = process.argv.slice(2);
process.env["WARP_FAULTS"] = "full";
rmSync(FIGURES, { force: true });
await buildOrExit();
process.env["CHROMIUM_PATH"] = await ensureChromium();

const elsewhere = FAULTS.flatMap(({ elsewhere: parts = [] }) => parts);
const of = (isBrowser: boolean) => elsewhere.filter((part) => part.startsWith("e2e/") === isBrowser);
// A part that is wanted may match files of only one of the two.
const options = ["--no-file-parallelism", "--passWithNoTests"];
const node = wanted.length > 0 ? wanted : ["tests/faults/", ...of(false)];
const browser = wanted.length > 0 ? wanted : ["tests/faults/browser/", ...of(true)];
const all: readonly (readonly [string, VitestRun])[] = [
  ["node", await runVitest("faults", "vitest.config.ts", 4 * HOUR_MS, [...options, "--project=unit", ...node])],
  ["browser", await runVitest("faults-browser", "vitest.browser.config.ts", 6 * HOUR_MS, [...options, ...browser])],
];
const runs = all.filter(([, { report }]) => wanted.length === 0 || report?.testResults.length !== 0);

const rows = faultRows(
  runs.flatMap(([, { report }]) => report ?? []),
  (path) => readFileSync(path, "utf8"),
).filter(({ passed, failed }) => wanted.length === 0 || passed + failed > 0);
const untested = rows.filter(({ passed, failed }) => passed + failed === 0);
const total = [...runs.map(([, { counts }]) => counts), ...untested.map(() => countCheck(false))].reduce(add);

console.log(`\n${formatFaults(rows)}\n\n${measured()}\n`);
for (const [name, { counts, elapsedMs }] of runs)
  console.log(line(counts.failed === 0, `${name} tests`, elapsedMs, formatCounts(counts)));
console.log(`\n${formatCounts(total)}`);
process.exitCode = total.failed > 0 || total.passed === 0 || !rows.every(isProven) ? 1 : 0;
