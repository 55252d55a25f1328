import { describe, expect, it } from "vitest";
import { importFaults } from "./imports.ts";
import { codeFiles } from "./repository.ts";

/** The faults of one planted file. */
function plant(path: string, text: string): string[] {
  return importFaults([{ path, text }]);
}

describe("the import table", () => {
  it("holds for every file of the repository", () => {
    expect(importFaults(codeFiles())).toEqual([]);
  });

  it("says which import is wrong and why", () => {
    expect(plant("core/wire/x.ts", 'import { a } from "../../web/src/a.ts";')).toEqual([
      'core/wire/x.ts imports "../../web/src/a.ts": core is pure and shared by browser, relay and command line: it imports only core',
    ]);
  });

  it.each([
    ["a type import", "core/x.ts", 'import type { A } from "../workers/a/api.ts";'],
    ["a re-export", "core/x.ts", 'export { a } from "../platform/a.ts";'],
    ["a dynamic import", "core/x.ts", 'const a = await import("../platform/a.ts");'],
    ["an import type", "core/x.ts", 'export type A = import("../platform/a.ts").A;'],
    ["a worker's URL", "web/src/x.ts", 'new URL("../../workers/lane/lane.worker.ts", import.meta.url);'],
    ["a node module in core", "core/x.ts", 'import { join } from "node:path";'],
    ["a package outside core's list", "core/x.ts", 'import { z } from "zod";'],
    [
      "a component's script",
      "web/src/X.svelte",
      '<p>x</p>\n<script lang="ts">import "../../platform/gpu/a.ts";</script>',
    ],
    ["a value of core in the page", "web/src/x.ts", 'import { encode } from "../../core/wire/codec.ts";'],
    ["a worker's inside in the page", "web/src/x.ts", 'import { run } from "../../workers/lane/run.ts";'],
    ["sealing in the relay", "relay-server/src/x.ts", 'import { open } from "../../core/seal/seal.ts";'],
    ["a shader with a device", "shaders/x.ts", 'import { device } from "../platform/gpu/device.ts";'],
    ["shaders in a worker", "workers/gpu/x.ts", 'import { kernel } from "../../shaders/x.ts";'],
    ["a test's support in a room", "relay-server/src/x.ts", 'import { f } from "../../tests/support/tree.ts";'],
    ["the page's code in the relay", "relay-server/src/x.ts", 'import { f } from "../../web/src/f.ts";'],
  ])("catches %s", (_name, path, text) => {
    expect(plant(path, text)).toHaveLength(1);
  });

  it.each([
    [
      "core's two packages",
      "core/x.ts",
      'import { encode } from "@msgpack/msgpack"; import { a } from "@noble/hashes/a.js";',
    ],
    ["types of core in the page", "web/src/x.ts", 'import type { Frame } from "../../core/wire/frame.ts";'],
    ["failures in the page", "web/src/x.ts", 'import { Failure } from "../../core/failure.ts";'],
    ["a worker's client in the page", "web/src/x.ts", 'import { start } from "../../workers/transfer/client.ts";'],
    ["frames in the relay", "relay-server/src/x.ts", 'import { decode } from "../../core/wire/codec.ts";'],
    ["node modules in the relay", "relay-server/src/x.ts", 'import { join } from "node:path";'],
    ["anything in a test beside the code", "core/x.test.ts", 'import { a } from "../platform/a.ts"; import "node:fs";'],
    ["built files", "kernels/load.ts", 'new URL("../dist/kernels/x.wasm", import.meta.url);'],
    ["words in a comment", "core/x.ts", '// import { a } from "../web/a.ts";'],
  ])("allows %s", (_name, path, text) => {
    expect(plant(path, text)).toEqual([]);
  });
});
