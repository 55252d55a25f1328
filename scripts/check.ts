/**
 * `npm run check`: types, lint and dead code, without running anything.
 *
 * @module
 */
import { runChecks } from "./lib/checks.ts";
import { line } from "./lib/line.ts";

await runChecks((name, ran) => {
  console.log(line(ran.ok, name, ran.elapsedMs));
  if (ran.ok) return;
  console.log(ran.output);
  process.exitCode = 1;
});
