/**
 * The checks that read the code without running it: types of every room, format and lint, dead code. Each counts as
 * one test in `npm test`.
 *
 * @module
 */
import { availableParallelism } from "node:os";
import { type Ran, runScript } from "./process.ts";

interface Check {
  readonly name: string;
  readonly entry: string;
  readonly args: readonly string[];
}

const TSC = "node_modules/typescript/bin/tsc";

/** Every check, the slowest first so that they pack well on few cores. */
export const CHECKS: readonly Check[] = [
  {
    name: "types of platform, workers and web",
    entry: "node_modules/svelte-check/bin/svelte-check",
    args: ["--tsconfig", "tsconfig.browser.json", "--fail-on-warnings", "--output", "human"],
  },
  { name: "types of tests and bench", entry: TSC, args: ["-p", "tsconfig.json", "--pretty", "false"] },
  { name: "types of relay, cli and scripts", entry: TSC, args: ["-p", "tsconfig.node.json", "--pretty", "false"] },
  { name: "types of core", entry: TSC, args: ["-p", "core/tsconfig.json", "--pretty", "false"] },
  {
    name: "format and lint",
    entry: "node_modules/@biomejs/biome/bin/biome",
    args: ["check", "--error-on-warnings", "--no-errors-on-unmatched", "--max-diagnostics=50"],
  },
  { name: "dead code", entry: "node_modules/knip/bin/knip.js", args: ["--no-progress"] },
];

/** Runs the checks, a few at a time, and tells each result as it comes. */
export async function runChecks(tell: (name: string, ran: Ran) => void): Promise<void> {
  const waiting = [...CHECKS];
  const worker = async (): Promise<void> => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      tell(check.name, await runScript(check.entry, check.args));
    }
  };
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, worker));
}
