/**
 * What is built before the product runs: the kernels (AssemblyScript to WASM) and the shaders' sources (WGSL to a
 * module), then the web app, which embeds them.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Ran, ROOT, runScript } from "./process.ts";
import { digestInputs, isFresh, markFresh, markStale, type Target } from "./stamp.ts";

interface BuildTarget extends Target {
  readonly build: () => Promise<Ran>;
}

/** Targets in the order they depend on each other. */
export const TARGETS = {
  kernels: {
    name: "kernels",
    inputs: ["kernels/assembly/**/*", "scripts/build-kernels.mjs", "package-lock.json"],
    outputs: ["kernels/dist/kernels.wasm", "kernels/dist/zstd.wasm"],
    build: () => runScript("scripts/build-kernels.mjs", []),
  },
  shaders: {
    name: "shaders",
    inputs: ["shaders/*.wgsl", "scripts/build-shaders.mjs"],
    outputs: ["shaders/dist/sources.ts"],
    build: () => runScript("scripts/build-shaders.mjs", []),
  },
  web: {
    name: "web",
    inputs: [
      "{core,shaders,kernels,platform,workers,web,public}/**/*",
      "vite.config.ts",
      "package-lock.json",
      "tsconfig*.json",
    ],
    outputs: ["dist/web/index.html"],
    build: () => runScript("node_modules/vite/bin/vite.js", ["build", "--logLevel", "warn"]),
  },
} as const satisfies Record<string, BuildTarget>;

/** Builds one target if it is missing or stale. `elapsedMs` is near zero when it was fresh. */
export async function ensureBuilt(target: BuildTarget): Promise<Ran> {
  const started = performance.now();
  if (isFresh(target)) return { ok: true, output: "", elapsedMs: performance.now() - started };
  const digest = digestInputs(target);
  markStale(target);
  const ran = await target.build();
  const missing = target.outputs.filter((path) => !existsSync(join(ROOT, path)));
  if (!ran.ok || missing.length > 0) {
    return { ...ran, ok: false, output: `${ran.output}${missing.map((path) => `${path} was not built\n`).join("")}` };
  }
  markFresh(target, digest);
  return ran;
}

/** Builds everything that is stale, telling on stderr; ends the process with code 1 when a build fails. */
export async function buildOrExit(targets: readonly BuildTarget[] = Object.values(TARGETS)): Promise<void> {
  for (const target of targets) {
    if (isFresh(target)) continue;
    process.stderr.write(`Building ${target.name} … `);
    const ran = await ensureBuilt(target);
    process.stderr.write(`${ran.ok ? "done" : "failed"} (${(ran.elapsedMs / 1000).toFixed(1)} s)\n`);
    if (!ran.ok) {
      process.stderr.write(ran.output);
      process.exit(1);
    }
  }
}
