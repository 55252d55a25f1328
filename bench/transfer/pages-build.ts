/**
 * Builds a bench page with its workers, as the app is built.
 *
 * @module
 */
import { join } from "node:path";
import { build } from "vite";
import { ROOT } from "../../scripts/lib/process.ts";

/** Writes `page.js`, made from `page` (its path in the repository), and what it needs into `folder`. */
export async function buildPages(folder: string, page = "bench/transfer/pages/page.ts"): Promise<void> {
  await build({
    configFile: false,
    root: ROOT,
    publicDir: false,
    logLevel: "warn",
    worker: { format: "es" },
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: "esnext",
      modulePreload: false,
      rolldownOptions: {
        input: join(ROOT, page),
        output: { format: "es", entryFileNames: "page.js" },
      },
    },
  });
}
