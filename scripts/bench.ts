/**
 * `npm run bench [-- NAME]`: builds what is stale, then runs the benchmarks in this process.
 *
 * @module
 */
import { buildOrExit } from "./lib/build.ts";

await buildOrExit();
// Not a literal: the benchmarks see more libraries than scripts do, and are checked with the tests.
await import(new URL("../bench/main.ts", import.meta.url).href);
