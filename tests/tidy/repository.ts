/**
 * The repository's own text files, as the tidy checks see them: path and content, nothing built or downloaded.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** One text file. `path` is relative to the root, with `/`. */
export interface SourceText {
  readonly path: string;
  readonly text: string;
}

/** What a check found wrong: one sentence that begins with the path and says why. */
export type Fault = string;

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const NOT_OURS = new Set(["node_modules", "dist", "data", ".git", ".cache", "test-results"]);
const GENERATED = /^(tests\/(generated|vectors)|bench\/results)\//;
const CODE = /\.(ts|mjs|svelte|wgsl|css|html)$/;

function* walk(folder: string): Generator<string> {
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      if (!NOT_OURS.has(folder === "" ? entry.name : "") && entry.name !== "node_modules") yield* walk(path);
    } else if (entry.isFile()) yield path;
  }
}

/** The content of one file; rejects a path that does not exist. */
export function readText(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** Every code file that a person wrote, sorted by path. */
export function codeFiles(): readonly SourceText[] {
  return [...walk("")]
    .filter((path) => CODE.test(path) && !GENERATED.test(path))
    .sort()
    .map((path) => ({ path, text: readText(path) }));
}

/** True for a test or what only tests import. */
export function isTest(path: string): boolean {
  return path.startsWith("tests/") || path.endsWith(".test.ts");
}
