/**
 * Builds the kernels before unit tests, also when Vitest is started by hand on one file.
 *
 * @module
 */
import { ensureBuilt, TARGETS } from "./build.ts";

/** Called by Vitest once per run. */
export async function setup(): Promise<void> {
  const ran = await ensureBuilt(TARGETS.kernels);
  if (!ran.ok) throw new Error(`the kernels were not built:\n${ran.output}`);
}
