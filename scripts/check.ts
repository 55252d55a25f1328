/**
 * `npm run check`: types, lint and dead code, without running anything but the build of the shaders' module, whose types
 * are checked with the rest.
 *
 * @module
 */
import { buildOrExit, TARGETS } from "./lib/build.ts";
import { runChecks } from "./lib/checks.ts";
import { line } from "./lib/line.ts";

await buildOrExit([TARGETS.shaders]);
await runChecks((name, ran) => {
  console.log(line(ran.ok, name, ran.elapsedMs));
  if (ran.ok) return;
  console.log(ran.output);
  process.exitCode = 1;
});
