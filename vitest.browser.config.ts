/**
 * Tests that drive a real Chromium against a real relay. One file at a time: they share the machine's ports and cores.
 *
 * @module
 */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/{browser,e2e,faults/browser}/**/*.test.ts"],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
