/**
 * `npm start`: builds what is stale, then becomes the relay, which serves the app. The relay runs in this process, so
 * that a signal reaches it directly.
 *
 * @module
 */
import { buildOrExit } from "./lib/build.ts";

await buildOrExit();
// The terminal, npm and run.mjs each pass on one and the same Ctrl-C: the second must not cut short what the first began.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
await import("../relay-server/src/main.ts");
