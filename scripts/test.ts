/**
 * `npm test`: every check and every test, in the order of their cost, then one line that adds them all up. A stage that
 * fails does not keep the later ones from running, except where they need what it builds.
 *
 * @module
 */
import { ensureBuilt, TARGETS } from "./lib/build.ts";
import { runChecks } from "./lib/checks.ts";
import { ensureChromium } from "./lib/chromium.ts";
import { line } from "./lib/line.ts";
import { type Ran, ROOT } from "./lib/process.ts";
import { add, type Counts, countCheck, formatCounts, listFailures, NOTHING } from "./lib/tally.ts";
import { runVitest } from "./lib/vitest-run.ts";
import { ensureVulkan } from "./lib/vulkan.ts";

const MINUTE_MS = 60_000;
const summary: string[] = [];
let total: Counts = NOTHING;

function tellCheck(name: string, ran: Ran): boolean {
  total = add(total, countCheck(ran.ok));
  summary.push(line(ran.ok, name, ran.elapsedMs));
  console.log(summary.at(-1));
  if (!ran.ok) console.log(ran.output);
  return ran.ok;
}

async function runTests(name: string, config: string, timeoutMs: number): Promise<void> {
  const { counts, report, elapsedMs } = await runVitest(name, config, timeoutMs);
  total = add(total, counts);
  summary.push(line(counts.failed === 0, `${name} tests`, elapsedMs, formatCounts(counts)));
  summary.push(...listFailures(report, ROOT).map((failure) => `         ${failure}`));
}

async function attempt(action: () => Promise<void>): Promise<Ran> {
  const started = performance.now();
  try {
    await action();
    return { ok: true, output: "", elapsedMs: performance.now() - started };
  } catch (error) {
    return { ok: false, output: String(error), elapsedMs: performance.now() - started };
  }
}

async function useChromium(): Promise<void> {
  process.env.CHROMIUM_PATH = await ensureChromium();
}

// The checks read its types.
const hasShaders = tellCheck("build of the shaders", await ensureBuilt(TARGETS.shaders));
await runChecks(tellCheck);
const hasBrowser = tellCheck("Chromium", await attempt(useChromium));
tellCheck("loader of the software GPU", await attempt(ensureVulkan));
if (tellCheck("build of the kernels", await ensureBuilt(TARGETS.kernels)) && hasShaders) {
  await runTests("unit", "vitest.config.ts", 20 * MINUTE_MS);
  const isBuilt = tellCheck("build of the web app", await ensureBuilt(TARGETS.web));
  if (isBuilt && hasBrowser) await runTests("browser", "vitest.browser.config.ts", 40 * MINUTE_MS);
}

console.log(`\n${summary.join("\n")}\n`);
console.log(formatCounts(total));
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
