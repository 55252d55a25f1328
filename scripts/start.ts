/**
 * `npm start`: builds what is stale, then becomes the relay, which serves the app. The relay runs in this process, so
 * that a signal reaches it directly.
 *
 * @module
 */
import { buildOrExit } from "./lib/build.ts";

await buildOrExit();
await import("../relay-server/src/main.ts");
