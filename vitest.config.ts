/**
 * Tests that need no browser: units beside the code, and what crosses rooms in one process.
 *
 * @module
 */
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [svelte({ configFile: false, compilerOptions: { runes: true } })],
  test: {
    include: [
      "{core,shaders,kernels,platform,workers,web,relay-server,cli,bench,scripts}/**/*.test.ts",
      "tests/{support,tidy,contract,integration,faults,vectors,shaders}/**/*.test.ts",
    ],
    globalSetup: ["scripts/lib/vitest-setup.ts"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    restoreMocks: true,
    unstubGlobals: true,
  },
});
