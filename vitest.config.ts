/**
 * Tests that need no browser: units beside the code, and what crosses rooms in one process; and, one file at a time,
 * those that drive WebGPU.
 *
 * @module
 */
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { configDefaults, defineConfig } from "vitest/config";

const GPU_TESTS = ["{shaders,platform/gpu}/**/*.test.ts", "tests/support/gpu.test.ts"];

export default defineConfig({
  plugins: [svelte({ configFile: false, compilerOptions: { runes: true } })],
  test: {
    globalSetup: ["scripts/lib/vitest-setup.ts"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    restoreMocks: true,
    unstubGlobals: true,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: [
            "{core,kernels,platform,workers,web,relay-server,cli,bench,scripts}/**/*.test.ts",
            "tests/{support,tidy,contract,integration,faults,vectors}/**/*.test.ts",
          ],
          exclude: [...configDefaults.exclude, ...GPU_TESTS, "tests/faults/browser/**"],
        },
      },
      {
        extends: true,
        test: {
          name: "gpu",
          include: GPU_TESTS,
          // A process each: the driver is chosen by the environment, which threads cannot change. One at a time: the
          // software GPU takes every core.
          pool: "forks",
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
