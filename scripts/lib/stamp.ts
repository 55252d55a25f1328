/**
 * Knowing whether something built is up to date: a digest over the contents of its inputs, kept beside the cache.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "./process.ts";

/** One thing that is built from files of the repository. */
export interface Target {
  /** Short, kebab-case; also the name of its stamp. */
  readonly name: string;
  /** Globs relative to the root; what they match decides whether the target is stale. */
  readonly inputs: readonly string[];
  /** Files relative to the root that must exist afterwards. */
  readonly outputs: readonly string[];
}

/** Inputs that never change what is built. */
const NOT_INPUT = /(\.test\.ts|\.md)$/;

/** SHA-256 over paths and contents of the inputs, in hex. */
export function digestInputs(target: Target, root: string = ROOT): string {
  const hash = createHash("sha256");
  const paths = target.inputs
    .flatMap((pattern) => globSync(pattern, { cwd: root }))
    .filter((path) => !NOT_INPUT.test(path));
  for (const path of [...new Set(paths)].sort()) {
    const absolute = join(root, path);
    if (!statSync(absolute).isFile()) continue;
    const content = readFileSync(absolute);
    hash.update(`${path.replaceAll("\\", "/")}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

function stampPath(target: Target, root: string): string {
  return join(root, ".cache", "stamps", `${target.name}.sha256`);
}

/** True when every output exists and the inputs are those of the last successful build. */
export function isFresh(target: Target, root: string = ROOT): boolean {
  const stamp = stampPath(target, root);
  return (
    target.outputs.every((path) => existsSync(join(root, path))) &&
    existsSync(stamp) &&
    readFileSync(stamp, "utf8") === digestInputs(target, root)
  );
}

/** Notes a successful build. `digest` was taken before the build began, so that an edit during it is not lost. */
export function markFresh(target: Target, digest: string, root: string = ROOT): void {
  const stamp = stampPath(target, root);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, digest);
}

/** Forgets the last build, so that a failed one is not taken for done. */
export function markStale(target: Target, root: string = ROOT): void {
  rmSync(stampPath(target, root), { force: true });
}
