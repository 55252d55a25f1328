/**
 * One script for a page of a test, bundled as the product is.
 *
 * @module
 */
import { build } from "vite";

/** @param define replaces identifiers. Gives the code of `entry` with all that it imports. */
export async function bundle(
  entry: string,
  format: "es" | "iife",
  define: Readonly<Record<string, string>> = {},
): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: "warn",
    define: { ...define, "process.env.NODE_ENV": '"production"' },
    build: { write: false, target: "esnext", minify: false, rolldownOptions: { input: entry, output: { format } } },
  });
  for (const { output } of (Array.isArray(built) ? built : [built]) as readonly {
    output: readonly { type: string }[];
  }[]) {
    for (const file of output) if (file.type === "chunk" && "code" in file) return String(file.code);
  }
  throw new Error(`${entry} gave no code`);
}
