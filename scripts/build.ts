/**
 * `npm run build`: builds what is missing or stale.
 *
 * @module
 */
import { buildOrExit } from "./lib/build.ts";

await buildOrExit();
