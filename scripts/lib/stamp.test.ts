import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestInputs, isFresh, markFresh, markStale, type Target } from "./stamp.ts";

const TARGET: Target = { name: "thing", inputs: ["src/**/*"], outputs: ["out/thing.txt"] };
let root = "";

function write(path: string, text: string): void {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), text);
}

describe("the stamp of a built target", () => {
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "warp-stamp-"));
    write("src/deep/a.ts", "a");
    write("out/thing.txt", "built");
    markFresh(TARGET, digestInputs(TARGET, root), root);
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it("is fresh after a build", () => {
    expect(isFresh(TARGET, root)).toBe(true);
  });

  it.each([
    ["changed", () => write("src/deep/a.ts", "b")],
    ["added", () => write("src/b.ts", "")],
    ["removed", () => rmSync(join(root, "src/deep/a.ts"))],
    ["moved", () => renameSync(join(root, "src/deep/a.ts"), join(root, "src/a.ts"))],
  ])("is stale when an input was %s", (_what, change) => {
    change();
    expect(isFresh(TARGET, root)).toBe(false);
  });

  it("is stale when an output is gone or the build failed", () => {
    rmSync(join(root, "out/thing.txt"));
    expect(isFresh(TARGET, root)).toBe(false);
    write("out/thing.txt", "built");
    markStale(TARGET, root);
    expect(isFresh(TARGET, root)).toBe(false);
  });

  it("stays fresh when only a test or a document changed", () => {
    write("src/a.test.ts", "");
    write("src/notes.md", "");
    expect(isFresh(TARGET, root)).toBe(true);
  });
});
