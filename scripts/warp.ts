/**
 * `npm run warp -- send PATH… | get LINK | info LINK`: the command line, in the folder that the person is in.
 *
 * @module
 */
import { buildOrExit, TARGETS } from "./lib/build.ts";

await buildOrExit([TARGETS.kernels]);
// npm moves to the repository's root first and leaves word where it came from.
process.chdir(process.env.INIT_CWD ?? ".");
await import("../cli/main.ts");
