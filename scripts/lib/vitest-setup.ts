/**
 * Builds the kernels and the shaders before unit tests, also when Vitest is started by hand on one file.
 *
 * @module
 */
import { ensureBuilt, TARGETS } from "./build.ts";

/** Called by Vitest once per run. */
export async function setup(): Promise<void> {
  for (const target of [TARGETS.kernels, TARGETS.shaders]) {
    const ran = await ensureBuilt(target);
    if (!ran.ok) throw new Error(`the ${target.name} were not built:\n${ran.output}`);
  }
}
